/** The second period of a comparison. */

import { addDays, daysBetween, isDay, type Day, type Period } from "../state/time";

/** The days just before, the same days a year before, or days of one's own. */
export type Compare = "previous" | "year" | Period;

export type Comparison = { period: Period } | { problem: "needsPeriod" | "beforeData" };

/** The second period, or why there is none: all of the time has no time before it, and data begin somewhere. */
export function comparedPeriod(compare: Compare, first: Period | null, extent: Period): Comparison {
  if (typeof compare === "object") return { period: compare };
  if (!first) return { problem: "needsPeriod" };
  const period = compare === "previous" ? previous(first) : { from: yearBefore(first.from), to: yearBefore(first.to) };
  return period.from < extent.from ? { problem: "beforeData" } : { period };
}

/** As many days, up to the day before. */
function previous({ from, to }: Period): Period {
  const days = daysBetween(from, to) + 1;
  return { from: addDays(from, -days), to: addDays(from, -1) };
}

/** The same date of the year before; of a leap day, the day before it. */
function yearBefore(day: Day): Day {
  const before = `${String(Number(day.slice(0, 4)) - 1).padStart(4, "0")}${day.slice(4)}`;
  return isDay(before) ? before : before.replace(/29$/, "28");
}

export function writeCompare(compare: Compare): string {
  return typeof compare === "object" ? `${compare.from}/${compare.to}` : compare;
}

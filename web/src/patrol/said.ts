/** Halts and numbers of patrols in words. */

import { formatNumber } from "../format";
import { communityOf } from "../hotspots/places";
import { language, t } from "../state/store";
import type { Halt } from "./plan";
import type { Place } from "./question";

/** What a stop is called: its own name, or the community where it lies with its code. */
export function stopName(stop: { code: string | null; at: Place; name?: Halt["name"] }): string {
  const own = stop.name?.[language.value] ?? stop.name?.zh ?? stop.name?.en;
  if (own) return own;
  const [lon, lat] = stop.at;
  const community = communityOf({ type: "Point", coordinates: [lon, lat] }, language.value);
  return [community, stop.code && shortCode(stop.code)].filter(Boolean).join(" · ");
}

/** Column and row alone of a cell of the lattice: its size is that of all. */
export function shortCode(code: string): string {
  return code.replace(/^H-(?:[a-z]+\d+:)?/, "");
}

const ROWS = { start: "patrolStart_row", end: "patrolEnd_row", break: "patrolBreak_row" } as const;

/** What a row of a timetable is called. */
export function haltName(halt: Halt): string {
  if (halt.kind === "start" || halt.kind === "end" || halt.kind === "break") return t(ROWS[halt.kind]);
  return stopName(halt);
}

export function minutesText(minutes: number): string {
  return formatNumber(Math.round(minutes * 10) / 10, language.value);
}

export function metresText(metres: number): string {
  return metres < 950 ? `${formatNumber(Math.round(metres / 10) * 10, language.value)} m` : `${kmText(metres / 1000)} km`;
}

export function kmText(km: number): string {
  return formatNumber(Math.round(km * 10) / 10, language.value);
}

/** The way to a halt; null where nobody moves. */
export function legText({ legM, legMin }: Halt): string | null {
  return legM < 1 ? null : t("patrolLeg", minutesText(legMin), metresText(legM));
}

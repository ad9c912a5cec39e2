/** What an answer is about, in words: the days, the kinds, the hours. */

import type { Language } from "../api";
import { formatDay, formatNumber } from "../format";
import { say } from "../i18n";
import { named, type Words } from "../panels/numbers";
import type { Period } from "../state/time";
import { isAnyTime, runsOf, type Clock } from "./clock";

const LOCALE: Record<Language, string> = { zh: "zh-CN", en: "en-GB" };
/** A Monday. */
const MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;
/** More kinds than this are counted, not named. */
const MOST_NAMED = 3;

/** The name of a day of the week, Monday 0. */
export function dayName(day: number, language: Language): string {
  const format = new Intl.DateTimeFormat(LOCALE[language], { weekday: "short", timeZone: "UTC" });
  return format.format(MONDAY + day * DAY_MS);
}

/** A span of hours, `8:00–9:00`; the end is the first moment after it. */
export function hoursSpan(first: number, last: number): string {
  return `${first % 24}:00–${(last + 1) % 24 === 0 ? 24 : (last + 1) % 24}:00`;
}

export function periodText(period: Period, language: Language): string {
  return say(language, "range", formatDay(period.from, language), formatDay(period.to, language));
}

export function categoriesText(categories: string[] | null, words: Words, language: Language): string {
  if (!categories) return say(language, "allCategories");
  if (categories.length > MOST_NAMED) return say(language, "categoriesCount", categories.length);
  return categories.map((one) => named(one, words, language)).join(language === "zh" ? "、" : ", ");
}

export function clockText(clock: Clock, language: Language): string {
  if (isAnyTime(clock)) return say(language, "anyTime");
  const comma = language === "zh" ? "、" : ", ";
  const days = runsOf(clock.days ?? []).map(([first, last]) => {
    if (first === last) return dayName(first, language);
    const [a, b] = [dayName(first, language), dayName(last, language)];
    return last === first + 1 ? [a, b].join(comma) : say(language, "daySpan", a, b);
  });
  const hours = runsOf(clock.hours ?? []).map(([first, last]) => hoursSpan(first, last));
  return [days.join(comma), hours.join(comma)].filter((text) => text !== "").join(" ");
}

/** A rank with its uncertainty, `1–4`; null where the service gives none. */
export function rankText(properties: Record<string, unknown>, language: Language): string | null {
  const [low, high] = [properties.rank_low, properties.rank_high];
  if (typeof low !== "number" || typeof high !== "number") return null;
  const [a, b] = [formatNumber(low, language), formatNumber(high, language)];
  return low === high ? a : `${a}–${b}`;
}

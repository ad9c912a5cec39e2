/** The time filter: whole days of the city's own clock, first and last both included. */

/** A day as `YYYY-MM-DD`; text order is time order. */
export type Day = string;

export interface Period {
  from: Day;
  to: Day;
}

const DAY_MS = 86_400_000;

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** The day on which `instant` falls in a time zone. */
export function dayOf(instant: string, timeZone: string): Day {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  return parts.format(new Date(instant));
}

export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** How many days lie between two days; 0 for the same day. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

/** The instant at which a city's clock shows a local time `YYYY-MM-DDTHH:MM`, in UTC. */
export function instantOf(local: string, timeZone: string): string {
  const shown = Date.parse(`${local.slice(0, 16)}:00Z`);
  // Twice, for the first guess may lie on the other side of a change of the clocks.
  const guess = shown - offsetMs(shown, timeZone);
  return new Date(shown - offsetMs(guess, timeZone)).toISOString();
}

/** How far the clocks of a time zone are ahead of UTC at an instant. */
function offsetMs(at: number, timeZone: string): number {
  const style = { timeZone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
  const parts = new Intl.DateTimeFormat("en", style).formatToParts(new Date(at));
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute")) - Math.floor(at / 60_000) * 60_000;
}

/** The days that hold the city's events; null where there are none. */
export function extentOf(period: [string, string] | null, timeZone: string): Period | null {
  return period && { from: dayOf(period[0], timeZone), to: dayOf(period[1], timeZone) };
}

export const PRESETS = ["last7", "last30", "year", "all"] as const;
export type Preset = (typeof PRESETS)[number];
const LENGTH: Record<Exclude<Preset, "all">, number> = { last7: 7, last30: 30, year: 365 };

/** The period of a preset, counted back from the city's last day; null is all of the time. */
export function presetPeriod(preset: Preset, extent: Period): Period | null {
  if (preset === "all") return null;
  const from = addDays(extent.to, 1 - LENGTH[preset]);
  return { from: from < extent.from ? extent.from : from, to: extent.to };
}

/** The preset that gives a period, if one does. */
export function presetOf(period: Period | null, extent: Period): Preset | null {
  return PRESETS.find((preset) => same(presetPeriod(preset, extent), period)) ?? null;
}

/** Keeps a period inside the city's days and its ends in order; all of the days is no filter at all. */
export function clampPeriod(period: Period, extent: Period): Period | null {
  const inside = (day: Day) => (day < extent.from ? extent.from : day > extent.to ? extent.to : day);
  const [a, b] = [inside(period.from), inside(period.to)];
  const clamped = a <= b ? { from: a, to: b } : { from: b, to: a };
  return same(clamped, extent) ? null : clamped;
}

export function same(a: Period | null, b: Period | null): boolean {
  return a?.from === b?.from && a?.to === b?.to;
}

/** The period as the server's `datetime` parameter. */
export function datetime(period: Period | null): string | null {
  return period && `${period.from}/${period.to}`;
}

/** The clock of the week: which days and hours are chosen, and how keys and pointer choose them. Days and hours count from 0. */

export const DAYS = 7;
export const HOURS = 24;

/** Each null where all are meant; the incidents are those on any of the days in any of the hours. */
export interface Clock {
  days: number[] | null;
  hours: number[] | null;
}

export const ANY_TIME: Clock = { days: null, hours: null };

/** A place in the table: -1 is the column of the day names or the row of the hour names. */
export interface Spot {
  day: number;
  hour: number;
}

/** The officers' shifts. */
export const SHIFTS = { night: [0, 8], day: [8, 16], evening: [16, 24] } as const;
export type Shift = keyof typeof SHIFTS;

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

/** Sorted, each once; null where all or none are left, for nothing chosen is no filter. */
function tidy(chosen: Iterable<number>, all: number): number[] | null {
  const kept = [...new Set(chosen)].filter((one) => one >= 0 && one < all).sort((a, b) => a - b);
  return kept.length === 0 || kept.length === all ? null : kept;
}

export function clockOf(days: Iterable<number>, hours: Iterable<number>): Clock {
  return { days: tidy(days, DAYS), hours: tidy(hours, HOURS) };
}

export function isAnyTime({ days, hours }: Clock): boolean {
  return days === null && hours === null;
}

export function holds({ days, hours }: Clock, day: number, hour: number): boolean {
  return (days?.includes(day) ?? true) && (hours?.includes(hour) ?? true);
}

export function sameClock(a: Clock, b: Clock): boolean {
  return String(a.days) === String(b.days) && String(a.hours) === String(b.hours);
}

/** What lies between two spots, both included; a spot of a header means its whole row or column. */
export function rectangle(a: Spot, b: Spot): Clock {
  const between = (from: number, to: number, all: number) =>
    Math.min(from, to) < 0 ? range(0, all) : range(Math.min(from, to), Math.max(from, to) + 1);
  return clockOf(between(a.day, b.day, DAYS), between(a.hour, b.hour, HOURS));
}

/** One spot turned: a header adds or takes its day or hour, a cell is chosen alone, or given up where it was alone. */
export function toggled(clock: Clock, spot: Spot): Clock {
  if (spot.day < 0 && spot.hour < 0) return ANY_TIME;
  if (spot.day < 0) return { ...clock, hours: turned(clock.hours, spot.hour, HOURS) };
  if (spot.hour < 0) return { ...clock, days: turned(clock.days, spot.day, DAYS) };
  const alone = rectangle(spot, spot);
  return sameClock(clock, alone) ? ANY_TIME : alone;
}

function turned(chosen: number[] | null, one: number, all: number): number[] | null {
  if (chosen === null) return [one];
  return tidy(chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one], all);
}

export function withShift(clock: Clock, shift: Shift): Clock {
  const [from, to] = SHIFTS[shift];
  return { ...clock, hours: range(from, to) };
}

/** The shift that the hours are, if they are one. */
export function shiftOf({ hours }: Clock): Shift | null {
  const names = Object.keys(SHIFTS) as Shift[];
  return names.find((shift) => String(withShift(ANY_TIME, shift).hours) === String(hours)) ?? null;
}

const STEPS: Record<string, [day: number, hour: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Where a key leads from a spot; null where it leads nowhere. */
export function moved(spot: Spot, key: string): Spot | null {
  const inside = (at: number, all: number) => Math.max(-1, Math.min(all - 1, at));
  if (key === "Home") return { ...spot, hour: 0 };
  if (key === "End") return { ...spot, hour: HOURS - 1 };
  const step = STEPS[key];
  return step ? { day: inside(spot.day + step[0], DAYS), hour: inside(spot.hour + step[1], HOURS) } : null;
}

/** How many incidents fall into the chosen days and hours, of all. */
export function shareOf(weights: number[][], clock: Clock): { inside: number; all: number } {
  let [inside, all] = [0, 0];
  weights.forEach((hours, day) =>
    hours.forEach((weight, hour) => {
      all += weight;
      if (holds(clock, day, hour)) inside += weight;
    }),
  );
  return { inside, all };
}

/** The spot with the most; null where nothing happened at all. */
export function peakOf(weights: number[][]): Spot | null {
  let peak: Spot | null = null;
  let most = 0;
  weights.forEach((hours, day) =>
    hours.forEach((weight, hour) => {
      if (weight <= most) return;
      most = weight;
      peak = { day, hour };
    }),
  );
  return peak;
}

/** The weights of a service, if they have the shape of a week: seven lists of twenty-four numbers, Monday first. */
export function weightsOf(value: unknown): number[][] | null {
  const isDay = (hours: unknown) =>
    Array.isArray(hours) && hours.length === HOURS && hours.every((weight) => typeof weight === "number");
  return Array.isArray(value) && value.length === DAYS && value.every(isDay) ? (value as number[][]) : null;
}

/** Numbers as runs, `0-7,22`, for the address and for words. */
export function runsOf(numbers: number[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const one of numbers) {
    const run = runs.at(-1);
    if (run && run[1] === one - 1) run[1] = one;
    else runs.push([one, one]);
  }
  return runs;
}

export function writeRuns(numbers: number[]): string {
  return runsOf(numbers)
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    .join(",");
}

export function readRuns(text: string | undefined, all: number): number[] | null {
  const found: number[] = [];
  for (const part of (text ?? "").split(",")) {
    const [, first, last] = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(part) ?? [];
    if (first !== undefined) found.push(...range(Number(first), Math.min(Number(last ?? first), all - 1) + 1));
  }
  return tidy(found, all);
}

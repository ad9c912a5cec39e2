/** Which halts of a route are done: kept in this browser alone, by run and unit, without a position or a person. */

import type { Halt } from "./plan";
import { isStop } from "./plan";

/** Kept for so many routes; the oldest go first. */
const MOST_ROUTES = 40;
const MEMORY = "wangge-patrol";

export type Ticks = ReadonlySet<number>;
type Kept = [route: string, done: number[]][];

export function routeKey(run: number, unit: string): string {
  return `${run} ${unit}`;
}

/** The sequence numbers of what is done. */
export function readTicks(text: string | null, route: string): Set<number> {
  return new Set(kept(text).find(([key]) => key === route)?.[1] ?? []);
}

/** What is remembered, with the ticks of a route as they are now. */
export function writeTicks(text: string | null, route: string, done: Ticks): string {
  const others = kept(text).filter(([key]) => key !== route);
  const own: Kept = done.size > 0 ? [[route, [...done].sort((a, b) => a - b)]] : [];
  return JSON.stringify([...others, ...own].slice(-MOST_ROUTES));
}

function kept(text: string | null): Kept {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter(isKept) : [];
  } catch {
    return [];
  }
}

function isKept(row: unknown): row is Kept[number] {
  if (!Array.isArray(row)) return false;
  const [key, done] = row as unknown[];
  return typeof key === "string" && Array.isArray(done) && done.every((one) => Number.isInteger(one));
}

export function loadTicks(route: string): Set<number> {
  try {
    return readTicks(localStorage.getItem(MEMORY), route);
  } catch {
    // A browser that keeps nothing shows the route all the same.
    return new Set();
  }
}

export function saveTicks(route: string, done: Ticks): void {
  try {
    localStorage.setItem(MEMORY, writeTicks(localStorage.getItem(MEMORY), route, done));
  } catch {
    // As above: then a tick lasts as long as the page.
  }
}

/** The stop to go to next; null where all are done. */
export function nextStop(halts: readonly Halt[], done: Ticks): Halt | null {
  return halts.find((halt) => isStop(halt) && !done.has(halt.sequence)) ?? null;
}

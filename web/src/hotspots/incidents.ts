/** The incidents behind a place: fetched by its box, kept where they lie in it and are those of the question. */

import * as api from "../api";
import type { Bounds, Feature } from "../api";
import { boundsOf, middleOf } from "../map/geometry";
import { distanceM, isInside, widened, type Position } from "../map/inside";
import { addDays, datetime, dayOf, daysBetween, type Day, type Period } from "../state/time";
import { holds, type Clock } from "./clock";

/** More are not fetched; then it is said. */
export const MOST = 2000;
const PAGE = 1000;
/** How near to a street or a point an incident still belongs to it. */
export const NEAR_M = 30;
/** The busiest hours are looked for in spans of this many. */
export const BUSY_H = 3;
/** The origins that services count unless told otherwise: what patrols find lies where patrols look. */
export const ORIGINS: readonly string[] = ["public_report", "import"];

export interface Incident {
  id: string;
  at: string;
  category: string;
  address: string;
}

export interface Found {
  /** The latest first. */
  incidents: Incident[];
  /** The first day they were fetched from, where there were too many to fetch all. */
  since: Day | null;
}

export interface Wanted {
  period: Period;
  categories: string[] | null;
  clock: Clock;
  origins: readonly string[];
  timeZone: string;
}

/** Fetches at most `MOST` of the box, the latest days where there are more. */
export async function incidentsIn(geometry: GeoJSON.Geometry, wanted: Wanted, signal: AbortSignal): Promise<Found> {
  const exact = boundsOf(geometry);
  if (!exact) return { incidents: [], since: null };
  const bbox = isArea(geometry) ? exact : widened(exact, NEAR_M);
  let days = wanted.period;
  for (;;) {
    const page = await api.items("incidents", queryOf(bbox, days, wanted.categories, null), signal);
    const shorter = fewerDays(days, page.numberMatched ?? Infinity);
    if (shorter) {
      days = shorter;
      continue;
    }
    const features = await rest(page, (after) => queryOf(bbox, days, wanted.categories, after), signal);
    const since = days.from === wanted.period.from ? null : days.from;
    return { incidents: chosen(features, geometry, wanted), since };
  }
}

/** The last days of a period, as many as will hold few enough incidents; null where it does so already. */
export function fewerDays(period: Period, count: number): Period | null {
  const days = daysBetween(period.from, period.to) + 1;
  if (count <= MOST || days === 1) return null;
  // Aimed below the limit, for the days are not all alike; where the server stopped counting, by half.
  const share = Number.isFinite(count) ? (0.9 * MOST) / count : 0.5;
  return { from: addDays(period.to, 1 - Math.max(1, Math.floor(days * share))), to: period.to };
}

async function rest(
  first: api.ItemPage,
  query: (after: string) => api.ItemQuery,
  signal: AbortSignal,
): Promise<Feature[]> {
  const features = [...first.features];
  let after = api.nextPage(first);
  while (after !== null && features.length < MOST) {
    const page = await api.items("incidents", query(after), signal);
    features.push(...page.features);
    after = api.nextPage(page);
  }
  return features;
}

/** The server leaves out other days and kinds; hours and origins are looked at here, for it has no word for them. */
function queryOf(bbox: Bounds, period: Period, categories: string[] | null, after: string | null): api.ItemQuery {
  return {
    bbox,
    datetime: datetime(period),
    limit: PAGE,
    after,
    ...(categories && { where: { category: categories.join(",") } }),
  };
}

/** Those that lie in the place and are of the question's kinds and hours, the latest first. */
export function chosen(features: Feature[], geometry: GeoJSON.Geometry, wanted: Wanted): Incident[] {
  const clockAt = localClock(wanted.timeZone);
  const area = isArea(geometry);
  const found: Incident[] = [];
  for (const { id, geometry: place, properties } of features) {
    const { occurred_at: at, category, origin, address } = properties;
    if (!place || typeof at !== "string") continue;
    if (wanted.categories && !wanted.categories.includes(String(category))) continue;
    if (!wanted.origins.includes(String(origin ?? "import"))) continue;
    const { day, hour } = clockAt(at);
    if (!holds(wanted.clock, day, hour)) continue;
    const point = pointOf(place);
    if (!point || !(area ? isInside(point, geometry) : distanceM(point, geometry) <= NEAR_M)) continue;
    found.push({ id: String(id), at, category: String(category), address: typeof address === "string" ? address : "" });
  }
  return found.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

export function isArea(geometry: GeoJSON.Geometry): boolean {
  return geometry.type === "Polygon" || geometry.type === "MultiPolygon";
}

function pointOf(geometry: GeoJSON.Geometry): Position | null {
  if (geometry.type === "Point") return geometry.coordinates as [number, number];
  const bounds = boundsOf(geometry);
  return bounds && middleOf(bounds);
}

/** Day of the week, Monday 0, and hour of an instant by a city's clock. */
export function localClock(timeZone: string): (at: string) => { day: number; hour: number } {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "short", hour: "2-digit", hourCycle: "h23" });
  const names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  return (at) => {
    const parts = format.formatToParts(new Date(at));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? "";
    return { day: names.indexOf(part("weekday")), hour: Number(part("hour")) };
  };
}

export interface Week {
  from: Day;
  count: number;
}

/** How many there were in each week of a period, weeks counted back from its last day so that the last one is whole. */
export function byWeek(incidents: Incident[], period: Period, timeZone: string): Week[] {
  const weeks = Math.ceil((daysBetween(period.from, period.to) + 1) / 7);
  const counts = new Array<number>(weeks).fill(0);
  for (const { at } of incidents) {
    const back = Math.floor(daysBetween(dayOf(at, timeZone), period.to) / 7);
    if (back >= 0 && back < weeks) counts[weeks - 1 - back]! += 1;
  }
  return counts.map((count, at) => ({ from: addDays(period.to, 1 - 7 * (weeks - at)), count }));
}

/** The hours, `width` of them in a row and over midnight too, in which most happened; null where nothing did. */
export function busiestHours(incidents: Incident[], timeZone: string, width: number): { from: number; count: number } | null {
  const clockAt = localClock(timeZone);
  const counts = new Array<number>(24).fill(0);
  for (const { at } of incidents) counts[clockAt(at).hour]! += 1;
  let best: { from: number; count: number } | null = null;
  for (let from = 0; from < 24; from += 1) {
    let count = 0;
    for (let step = 0; step < width; step += 1) count += counts[(from + step) % 24]!;
    if (count > (best?.count ?? 0)) best = { from, count };
  }
  return best;
}

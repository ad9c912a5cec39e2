/** What is asked of the posts: whom they have to reach, how and when, and what would be if they stood otherwise. */

import { signal } from "@preact/signals";
import { pageState, runs, takePageState } from "../state/store";
import type { Keeper } from "../state/sync";
import { readParts, writeParts, type Part, type Parts } from "../state/url";

export const DEMANDS = ["households", "key_units", "rentals", "incidents", "hotspots"] as const;
export type Demand = (typeof DEMANDS)[number];
export const MODES = ["drive", "cycle", "walk"] as const;
export type Mode = (typeof MODES)[number];
export const LISTS = ["gaps", "posts", "areas", "sites"] as const;
/** What the answer lists: places, what each post means, communities and grids, where further posts could be. */
export type List = (typeof LISTS)[number];

export type Place = readonly [lon: number, lat: number];

export interface CoverageQuestion {
  demand: Demand;
  mode: Mode;
  /** Hour of the day; null is free flow. */
  hour: number | null;
  /** Minutes, from the shortest; null is what the policy says. */
  rings: readonly number[] | null;
  /** Kinds of posts; null is all of them. */
  kinds: readonly string[] | null;
  /** Posts that are not there yet. */
  added: readonly Place[];
  /** Posts that are closed, by their source id. */
  closed: readonly string[];
  list: List;
}

export const USUAL: CoverageQuestion = {
  demand: "households",
  mode: "drive",
  hour: null,
  rings: null,
  kinds: null,
  added: [],
  closed: [],
  list: "gaps",
};

export const MOST_ADDED = 20;
const HOURS = 24;
const MOST_MINUTES = 120;
const MOST_RINGS = 4;

export const question = signal<CoverageQuestion>(USUAL);

export function ask(change: Partial<CoverageQuestion>): void {
  question.value = { ...question.value, ...change };
}

/** A post more; the same place is not taken twice. */
export function addPost([lon, lat]: Place): void {
  const place: Place = [rounded(lon), rounded(lat)];
  const { added } = question.value;
  if (added.length >= MOST_ADDED || added.some(([x, y]) => x === place[0] && y === place[1])) return;
  ask({ added: [...added, place] });
}

export function removePost(at: number): void {
  ask({ added: question.value.added.filter((_, i) => i !== at) });
}

export function movePost(at: number, [lon, lat]: Place): void {
  ask({ added: question.value.added.map((place, i) => (i === at ? [rounded(lon), rounded(lat)] : place)) });
}

export function toggleClosed(code: string): void {
  const { closed } = question.value;
  ask({ closed: closed.includes(code) ? closed.filter((one) => one !== code) : [...closed, code] });
}

/** About a decimetre: no finer than anybody can point. */
function rounded(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}

/** The parameters of the service. */
export function inputsOf({ demand, mode, hour, rings, kinds, added, closed }: CoverageQuestion): Record<string, unknown> {
  const inputs: Record<string, unknown> = { demand, travel_mode: mode };
  if (hour !== null) inputs.depart_hour = hour;
  if (rings) inputs.rings_min = rings;
  if (kinds) inputs.post_kinds = kinds;
  if (added.length > 0) inputs.added_posts = added.map(([lon, lat]) => ({ lon, lat }));
  if (closed.length > 0) inputs.closed_posts = closed;
  return inputs;
}

export function writeQuestion({ demand, mode, hour, rings, kinds, added, closed, list }: CoverageQuestion): Part[] {
  const parts: Part[] = [];
  if (demand !== USUAL.demand) parts.push(["of", demand]);
  if (mode !== USUAL.mode) parts.push(["by", mode]);
  if (hour !== null) parts.push(["at", String(hour)]);
  if (rings) parts.push(["within", rings.join(",")]);
  if (kinds) parts.push(["from", kinds.map(encodeURIComponent).join(",")]);
  if (added.length > 0) parts.push(["plus", added.map(([lon, lat]) => `${lon}:${lat}`).join(",")]);
  if (closed.length > 0) parts.push(["minus", closed.map(encodeURIComponent).join(",")]);
  if (list !== USUAL.list) parts.push(["list", list]);
  return parts;
}

export function readQuestion(parts: Parts): CoverageQuestion {
  const of = <T extends string>(known: readonly T[], name: string, usual: T) =>
    known.find((one) => one === parts.get(name)) ?? usual;
  const hour = Number(parts.get("at") ?? NaN);
  const kinds = textsOf(parts.get("from"));
  return {
    demand: of(DEMANDS, "of", USUAL.demand),
    mode: of(MODES, "by", USUAL.mode),
    hour: Number.isInteger(hour) && hour >= 0 && hour < HOURS ? hour : null,
    rings: readRings(parts.get("within") ?? ""),
    kinds: kinds.length > 0 ? kinds : null,
    added: placesOf(parts.get("plus") ?? ""),
    closed: textsOf(parts.get("minus")),
    list: of(LISTS, "list", USUAL.list),
  };
}

/** Minutes as somebody writes them, from the shortest; null where there are none that make sense. */
export function readRings(text: string): number[] | null {
  const given = text.split(/[,，、;\s]+/).filter((part) => part !== "").map(Number);
  const good = given.every((minutes) => minutes > 0 && minutes <= MOST_MINUTES);
  if (given.length === 0 || given.length > MOST_RINGS || !good) return null;
  return [...new Set(given)].sort((a, b) => a - b);
}

function placesOf(text: string): Place[] {
  return text
    .split(",")
    .map((part) => part.split(":").map(Number))
    .filter((pair): pair is [number, number] => {
      const [lon = NaN, lat = NaN] = pair;
      return pair.length === 2 && Math.abs(lon) <= 180 && Math.abs(lat) <= 90;
    })
    .slice(0, MOST_ADDED);
}

function textsOf(text: string | undefined): string[] {
  try {
    return (text ?? "").split(",").map(decodeURIComponent).filter((one) => one !== "");
  } catch {
    return [];
  }
}

export const KEEPER: Keeper = {
  write: () => [...writeParts({ ...pageState(), runs: {} }), ...writeQuestion(question.value)],
  read: (parts) => {
    takePageState({ ...readParts(parts), runs: runs.peek() });
    question.value = readQuestion(parts);
  },
};

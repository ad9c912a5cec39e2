/** The posts of the city: where units can start from, and which of them the proposal takes. */

import { effect, signal } from "@preact/signals";
import * as api from "../api";
import type { Feature } from "../api";
import { nameOf } from "../format";
import { city, language, report } from "../state/store";
import { rounded, type AskedUnit, type Place } from "./question";

const MOST_POSTS = 10_000;
/** Units of the police start from posts of the police, where there are any. */
const POLICE = "police_post";
/** Nearer than this, in degrees, a place is the post's own. */
const SAME = 2e-6;

export interface Post {
  feature: Feature;
  kind: string;
  at: Place;
}

export const posts = signal<readonly Post[]>([]);
export const postsLoaded = signal(false);

/** Fetches the posts, once there is a city to have any. */
export function followPosts(): void {
  const stop = effect(() => {
    if (!city.value) return;
    queueMicrotask(() => stop());
    api
      .items("posts", { limit: MOST_POSTS }, new AbortController().signal)
      .then(({ features }) => (posts.value = features.flatMap(postOf)))
      .catch((error: unknown) => report(error))
      .finally(() => (postsLoaded.value = true));
  });
}

function postOf(feature: Feature): Post[] {
  const { geometry } = feature;
  if (geometry?.type !== "Point") return [];
  const [lon = NaN, lat = NaN] = geometry.coordinates;
  return [{ feature, kind: String(feature.properties.kind), at: rounded([lon, lat]) }];
}

/** The post that stands at a place; null where none does. */
export function postAt([lon, lat]: Place): Post | null {
  return posts.value.find(({ at: [x, y] }) => Math.abs(x - lon) < SAME && Math.abs(y - lat) < SAME) ?? null;
}

export function postName(post: Post): string {
  return nameOf(post.feature, language.value) ?? String(post.feature.id ?? "");
}

/**
 * So many units of the police at posts of theirs, far from one another: the first at the one nearest to the middle of
 * all, each further one where the distance to those before is greatest. Null where the city has no post.
 */
export function proposedUnits(all: readonly Post[], count: number): AskedUnit[] | null {
  const police = all.filter(({ kind }) => kind === POLICE);
  const from = police.length > 0 ? police : all;
  if (from.length === 0) return null;
  const squeeze = Math.cos((mean(from.map(({ at }) => at[1])) * Math.PI) / 180);
  const flat = from.map(({ at: [lon, lat] }): Place => [lon * squeeze, lat]);
  const middle: Place = [mean(flat.map(([x]) => x)), mean(flat.map(([, y]) => y))];
  const chosen = [best(flat, (one) => -distance(one, middle))];
  while (chosen.length < Math.min(count, from.length)) {
    chosen.push(best(flat, (one) => Math.min(...chosen.map((at) => distance(one, flat[at]!)))));
  }
  return Array.from({ length: count }, (_, at) => ({
    label: String(at + 1),
    kinds: ["police"],
    at: from[chosen[at % chosen.length]!]!.at,
    start: null,
    minutes: null,
  }));
}

function best(places: readonly Place[], worth: (place: Place) => number): number {
  const worths = places.map(worth);
  return worths.indexOf(Math.max(...worths));
}

function distance([x, y]: Place, [a, b]: Place): number {
  return Math.hypot(x - a, y - b);
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

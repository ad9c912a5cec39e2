/** What officers call the places of a result: the community a place lies in, and the street that runs by. */

import { effect, signal } from "@preact/signals";
import * as api from "../api";
import type { Bounds, Feature, Language } from "../api";
import { nameOf } from "../format";
import { boundsOf, middleOf } from "../map/geometry";
import { distanceM, isInside, widened } from "../map/inside";
import { city, report } from "../state/store";

const MOST_COMMUNITIES = 10_000;
/** Streets farther away than this say nothing of a place. */
const STREET_M = 400;
const MOST_STREETS = 300;

interface Community {
  feature: Feature;
  box: Bounds;
}

const communities = signal<Community[]>([]);

/** Fetches the communities once; a city without them has none. */
export async function loadPlaces(): Promise<void> {
  const found = await api.items("communities", { limit: MOST_COMMUNITIES }, new AbortController().signal);
  communities.value = found.features.flatMap((feature) => {
    const box = feature.geometry && boundsOf(feature.geometry);
    return box ? [{ feature, box }] : [];
  });
}

/** Fetches them once there is a city to have any; `onEnd` is called when they are here, or will not come. */
export function followPlaces(onEnd: () => void = () => undefined): void {
  const stop = effect(() => {
    if (!city.value) return;
    queueMicrotask(() => stop());
    loadPlaces()
      .catch((error: unknown) => report(error))
      .finally(onEnd);
  });
}

/** What the community of a code is called; null where nobody knows. */
export function communityName(code: string, language: Language): string | null {
  const found = communities.value.find(({ feature }) => feature.properties.code === code);
  return found ? nameOf(found.feature, language) : null;
}

/** The community that holds the middle of a geometry; null where there is none. */
export function communityOf(geometry: GeoJSON.Geometry | null, language: Language): string | null {
  const box = geometry && boundsOf(geometry);
  if (!box) return null;
  const [lon, lat] = middleOf(box);
  const holding = communities.value.find(({ feature, box: [west, south, east, north] }) => {
    const near = lon >= west && lon <= east && lat >= south && lat <= north;
    return near && feature.geometry && isInside([lon, lat], feature.geometry);
  });
  return holding ? nameOf(holding.feature, language) : null;
}

/** The named street that runs nearest to the middle of a geometry. */
export async function streetBy(geometry: GeoJSON.Geometry, language: Language, signal: AbortSignal): Promise<string | null> {
  const box = boundsOf(geometry);
  if (!box) return null;
  const middle = middleOf(box);
  const around = widened([...middle, ...middle], STREET_M);
  const found = await api.items("segments", { bbox: around, limit: MOST_STREETS }, signal);
  let nearest: { name: string; metres: number } | null = null;
  for (const feature of found.features) {
    const name = nameOf(feature, language);
    if (!name || !feature.geometry) continue;
    const metres = distanceM(middle, feature.geometry);
    if (metres < (nearest?.metres ?? STREET_M)) nearest = { name, metres };
  }
  return nearest?.name ?? null;
}

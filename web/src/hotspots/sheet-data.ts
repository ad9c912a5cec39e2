/** What the sheet tells of each place beside the answer itself: the street that runs by, and when most happens there. */

import type { Feature, Language } from "../api";
import { nameOf } from "../format";
import { BUSY_H, busiestHours, incidentsIn, type Wanted } from "./incidents";
import { communityOf, streetBy } from "./places";
import { hoursSpan } from "./subject";

/** As many as a sheet holds. */
export const MOST_PLACES = 12;

export interface SheetPlace {
  feature: Feature;
  /** Its own name, the community, the street; what is there of them. */
  where: string[];
  /** The hours in which most of its incidents happened; null where there was none. */
  busiest: string | null;
}

export async function placesOf(
  features: Feature[],
  wanted: Wanted,
  language: Language,
  signal: AbortSignal,
): Promise<SheetPlace[]> {
  return await Promise.all(features.slice(0, MOST_PLACES).map((feature) => placeOf(feature, wanted, language, signal)));
}

async function placeOf(feature: Feature, wanted: Wanted, language: Language, signal: AbortSignal): Promise<SheetPlace> {
  const { geometry } = feature;
  if (!geometry) return { feature, where: [], busiest: null };
  const [street, { incidents }] = await Promise.all([
    streetBy(geometry, language, signal),
    incidentsIn(geometry, wanted, signal),
  ]);
  const busy = busiestHours(incidents, wanted.timeZone, BUSY_H);
  const names = [nameOf(feature, language), communityOf(geometry, language), street].filter((name) => name !== null);
  return {
    feature,
    // A named street is the street that runs by.
    where: [...new Set(names)],
    busiest: busy && hoursSpan(busy.from, busy.from + BUSY_H - 1),
  };
}

/** What is drawn or chosen on the map but not yet done: a lasso, a line to split along, chosen blocks, two grids to merge. */

import { signal } from "@preact/signals";
import type { Bounds } from "../api";
import type { Position } from "../map/inside";
import { NONE } from "./board";

/** The corners of a lasso or a line so far. */
export const corners = signal<readonly Position[]>([]);
/** Where the next corner would be. */
export const loosened = signal<Position | null>(null);
/** Blocks chosen to do something with. */
export const chosen = signal<ReadonlySet<number>>(new Set());
/** The grid that is to go up in the target. */
export const merging = signal(NONE);
/** The block under the pointer or the crosshair. */
export const pointed = signal(NONE);

/** Where the keyboard works; null while it does not. */
export const cross = signal<Position | null>(null);

export function clearSketch(): void {
  corners.value = [];
  loosened.value = null;
  merging.value = NONE;
  if (chosen.value.size > 0) chosen.value = new Set();
}

export function toggleChosen(blocks: readonly number[]): void {
  const next = new Set(chosen.value);
  const drop = blocks.length === 1 && next.has(blocks[0]!);
  for (const block of blocks)
    if (drop) next.delete(block);
    else next.add(block);
  chosen.value = next;
}

/** What is sketched, as the map draws it. */
export function sketchFeatures(points: readonly Position[], loose: Position | null, closed: boolean): GeoJSON.FeatureCollection {
  const line = [...points, ...(loose ? [loose] : [])].map(([lon, lat]) => [lon, lat]);
  const features: GeoJSON.Feature[] = [];
  const add = (geometry: GeoJSON.Geometry) => features.push({ type: "Feature", properties: {}, geometry });
  if (closed && line.length > 2) add({ type: "Polygon", coordinates: [[...line, line[0]!]] });
  else if (line.length > 1) add({ type: "LineString", coordinates: line });
  if (points.length < MANY) for (const point of points) add({ type: "Point", coordinates: [...point] });
  return { type: "FeatureCollection", features };
}

/** A line that was drawn too short to cut: each end that lies inside goes straight on, out of the box of what is cut. */
export function cuttingLine(line: readonly Position[], isInside: (end: Position) => boolean, box: Bounds): Position[] {
  const [west, south, east, north] = box;
  const reach = east - west + (north - south);
  const out = (end: Position, before: Position): Position[] => {
    const length = Math.hypot(end[0] - before[0], end[1] - before[1]);
    if (!isInside(end) || length === 0) return [];
    return [[end[0] + ((end[0] - before[0]) * reach) / length, end[1] + ((end[1] - before[1]) * reach) / length]];
  };
  const [first, second] = line;
  const [last, beforeLast] = [line.at(-1), line.at(-2)];
  if (!first || !second || !last || !beforeLast) return [...line];
  return [...out(first, second), ...line, ...out(last, beforeLast)];
}

/** A line drawn with so many points is drawn freehand, and has no corners to show. */
const MANY = 12;

/** Whether the panel lies open over the map, on a phone. */
export const panelOpen = signal(false);

/** Small plane geometry of features: their bounds, and a point to stand a popup on. */

import type { Bounds } from "../api";

/** West, south, east, north of a geometry; null for an empty one. */
export function boundsOf(geometry: GeoJSON.Geometry): Bounds | null {
  const bounds: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of positions(geometry)) {
    bounds[0] = Math.min(bounds[0], lon);
    bounds[1] = Math.min(bounds[1], lat);
    bounds[2] = Math.max(bounds[2], lon);
    bounds[3] = Math.max(bounds[3], lat);
  }
  return bounds[0] <= bounds[2] ? bounds : null;
}

export function middleOf([west, south, east, north]: Bounds): [lon: number, lat: number] {
  return [(west + east) / 2, (south + north) / 2];
}

function* positions(geometry: GeoJSON.Geometry): Generator<[number, number]> {
  if (geometry.type === "GeometryCollection") {
    for (const part of geometry.geometries) yield* positions(part);
    return;
  }
  yield* flat(geometry.coordinates);
}

function* flat(coordinates: unknown): Generator<[number, number]> {
  if (!Array.isArray(coordinates)) return;
  if (typeof coordinates[0] === "number") {
    yield [coordinates[0], Number(coordinates[1])];
    return;
  }
  for (const part of coordinates) yield* flat(part);
}

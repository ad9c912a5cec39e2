/** From what the map finds under a point to what the popup shows. */

import type { CatalogLayer } from "../api";
import type { Hit } from "../state/pick";
import { layerIdOf } from "./compose";

export interface Rendered {
  id?: string | number | undefined;
  layer: { metadata?: unknown };
  properties: Record<string, unknown>;
  geometry?: GeoJSON.Geometry;
}

/**
 * The features that have something to tell, each once though area, outline and label all were hit: points first, the
 * nearest before the others, for they are what one aims at; then in the order of the legend, so that the street below
 * an area comes last.
 */
export function hitsOf(features: Rendered[], catalog: CatalogLayer[], at: [lon: number, lat: number]): Hit[] {
  const telling = new Set(catalog.filter((layer) => layer.popup.length > 0).map((layer) => layer.id));
  const order = new Map(catalog.map(({ id, geometry }, index) => [id, geometry === "point" ? -1 : index]));
  const found = new Map<string, { hit: Hit; place: number; distance: number }>();
  for (const { id, layer, properties, geometry } of features) {
    const name = layerIdOf(layer);
    if (name === null || !telling.has(name)) continue;
    const known = id === undefined ? null : String(id);
    const key = `${name} ${known ?? JSON.stringify(properties)}`;
    if (found.has(key)) continue;
    const distance = geometry?.type === "Point" ? distanceTo(geometry.coordinates, at) : 0;
    found.set(key, { hit: { layer: name, id: known, properties }, place: order.get(name) ?? 0, distance });
  }
  return [...found.values()].sort((a, b) => a.place - b.place || a.distance - b.distance).map(({ hit }) => hit);
}

/** In degrees of latitude; good enough to compare neighbours. */
function distanceTo([lon = 0, lat = 0]: number[], [atLon, atLat]: [number, number]): number {
  return Math.hypot((lon - atLon) * Math.cos((atLat * Math.PI) / 180), lat - atLat);
}

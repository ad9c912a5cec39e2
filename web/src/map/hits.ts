/** From what the map finds under a point to what the popup shows. */

import type { CatalogLayer } from "../api";
import type { Hit } from "../state/pick";
import { layerIdOf } from "./compose";

export interface Rendered {
  id?: string | number | undefined;
  layer: { metadata?: unknown };
  properties: Record<string, unknown>;
}

/**
 * The features that have something to tell, each once though area, outline and label all were hit: points first, for
 * they are what one aims at, then in the order of the legend, so that the street below an area comes last.
 */
export function hitsOf(features: Rendered[], catalog: CatalogLayer[]): Hit[] {
  const telling = new Set(catalog.filter((layer) => layer.popup.length > 0).map((layer) => layer.id));
  const found = new Map<string, Hit>();
  for (const { id, layer, properties } of features) {
    const name = layerIdOf(layer);
    if (name === null || !telling.has(name)) continue;
    const known = id === undefined ? null : String(id);
    const key = `${name} ${known ?? JSON.stringify(properties)}`;
    if (!found.has(key)) found.set(key, { layer: name, id: known, properties });
  }
  const order = new Map(catalog.map(({ id, geometry }, index) => [id, geometry === "point" ? -1 : index]));
  return [...found.values()].sort((a, b) => (order.get(a.layer) ?? 0) - (order.get(b.layer) ?? 0));
}

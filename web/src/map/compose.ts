/** The server's style with the reader's choices laid over it: which layers, which days, which run, what is selected. */

import type { FilterSpecification, LayerSpecification, SourceSpecification, StyleSpecification } from "maplibre-gl";
import type { CatalogLayer } from "../api";
import { datetime, type Period } from "../state/time";

export interface Choices {
  visible: ReadonlySet<string>;
  period: Period | null;
  runs: Record<string, number>;
  selected: GeoJSON.Geometry | null;
  /** Features of a layer that a form has picked, by code. */
  picked?: { layer: string; codes: readonly string[] } | null;
  theme: "light" | "dark";
}

export const SELECTION = "wangge-selection";

/** The catalog that a style carries. */
export function catalogOf(style: StyleSpecification): CatalogLayer[] {
  const metadata = style.metadata as Record<string, unknown> | undefined;
  return (metadata?.["wangge:catalog"] as CatalogLayer[] | undefined) ?? [];
}

/** The layer of the catalog to which a layer of the style belongs; null for the background and our own. */
export function layerIdOf(layer: { metadata?: unknown }): string | null {
  const metadata = layer.metadata as Record<string, unknown> | undefined;
  const id = metadata?.["wangge:layer"];
  return typeof id === "string" ? id : null;
}

/** Which layers a page shows by itself: what the server thinks usual, unless a workspace wants fewer. */
export type Usual = (layer: CatalogLayer) => boolean;

export const usualLayer: Usual = (layer) => layer.visible;

/**
 * The layers shown: those chosen, as far as they exist, else the usual ones. Of the results, the workspace's own where it
 * has any say.
 */
export function visibleLayers(
  catalog: CatalogLayer[],
  chosen: string[] | null,
  own: string[] | null = null,
  usual: Usual = usualLayer,
): Set<string> {
  const shown = catalog.filter((layer) => {
    if (own && layer.group === "analysis") return own.includes(layer.id);
    return chosen ? chosen.includes(layer.id) : usual(layer);
  });
  return new Set(shown.map((layer) => layer.id));
}

export function compose(style: StyleSpecification, choices: Choices): StyleSpecification {
  const catalog = new Map(catalogOf(style).map((layer) => [layer.id, layer]));
  const owner = new Map<string, string>();
  for (const layer of style.layers) {
    const id = layerIdOf(layer);
    if (id && "source" in layer) owner.set(layer.source, id);
  }
  const sources: Record<string, SourceSpecification> = {};
  for (const [name, source] of Object.entries(style.sources)) {
    const layer = catalog.get(owner.get(name) ?? "");
    sources[name] = layer && source.type === "vector" ? filtered(source, filterOf(layer, choices)) : source;
  }
  sources[SELECTION] = {
    type: "geojson",
    data: { type: "Feature", properties: {}, geometry: choices.selected ?? { type: "GeometryCollection", geometries: [] } },
  };
  const shown = choices.picked ? new Set([...choices.visible, choices.picked.layer]) : choices.visible;
  const layers = style.layers.map((layer) => withVisibility(layer, shown));
  const marks = choices.picked ? pickedLayers(style, choices.picked, choices.theme) : [];
  return { ...style, sources, layers: [...layers, ...marks, ...selectionLayers(choices.theme)] };
}

/** The query parameters that narrow a layer's tiles and items to what the reader chose. */
export function filterOf(layer: CatalogLayer, { period, runs }: Pick<Choices, "period" | "runs">): Record<string, string> {
  const parameters: Record<string, string> = {};
  const days = layer.time ? datetime(period) : null;
  if (days) parameters.datetime = days;
  const run = layer.service === null ? undefined : runs[layer.service];
  if (run !== undefined) parameters.run_id = String(run);
  return parameters;
}

function filtered(source: SourceSpecification & { type: "vector" }, parameters: Record<string, string>): SourceSpecification {
  // A tile address holds {z}/{y}/{x}, which URL would escape; so the query is put on by hand.
  const query = new URLSearchParams(parameters).toString();
  if (query === "" || !source.tiles) return source;
  return { ...source, tiles: source.tiles.map((tile) => `${tile}${tile.includes("?") ? "&" : "?"}${query}`) };
}

function withVisibility(layer: LayerSpecification, visible: ReadonlySet<string>): LayerSpecification {
  const id = layerIdOf(layer);
  if (id === null) return layer;
  return { ...layer, layout: { ...layer.layout, visibility: visible.has(id) ? "visible" : "none" } } as LayerSpecification;
}

export const PICKED = "wangge-picked";

/** The areas of a layer as something to click on, and those picked marked over everything. */
function pickedLayers(
  style: StyleSpecification,
  { layer: id, codes }: NonNullable<Choices["picked"]>,
  theme: Choices["theme"],
): LayerSpecification[] {
  const area = style.layers.find((layer) => layerIdOf(layer) === id && (layer.type === "fill" || layer.type === "line"));
  if (!area || !("source" in area)) return [];
  const of = { source: area.source, ...(area["source-layer"] && { "source-layer": area["source-layer"] }), metadata: area.metadata };
  const color = theme === "light" ? "#0b5c8a" : "#7fd4ff";
  const halo = theme === "light" ? "#ffffff" : "#10161b";
  const isPicked: FilterSpecification = ["in", ["get", "code"], ["literal", [...codes]]];
  return [
    { id: PICKED, type: "fill", ...of, paint: { "fill-color": color, "fill-opacity": ["case", isPicked as never, 0.3, 0] } },
    { id: `${PICKED}-halo`, type: "line", ...of, filter: isPicked, paint: { "line-color": halo, "line-width": 6 } },
    { id: `${PICKED}-line`, type: "line", ...of, filter: isPicked, paint: { "line-color": color, "line-width": 3 } },
  ];
}

function selectionLayers(theme: "light" | "dark"): LayerSpecification[] {
  const color = theme === "light" ? "#111827" : "#ffffff";
  const halo = theme === "light" ? "#ffffff" : "#111827";
  const kind = (...types: string[]): FilterSpecification => ["in", ["geometry-type"], ["literal", types]] as FilterSpecification;
  const areas = kind("Polygon", "MultiPolygon", "LineString", "MultiLineString");
  return [
    { id: `${SELECTION}-halo`, type: "line", source: SELECTION, filter: areas, paint: { "line-color": halo, "line-width": 6, "line-opacity": 0.9 } },
    { id: `${SELECTION}-line`, type: "line", source: SELECTION, filter: areas, paint: { "line-color": color, "line-width": 2.5 } },
    {
      id: `${SELECTION}-point`,
      type: "circle",
      source: SELECTION,
      filter: kind("Point", "MultiPoint"),
      paint: { "circle-radius": 11, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": color, "circle-stroke-width": 2.5 },
    },
  ];
}

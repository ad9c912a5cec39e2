/** How the board is drawn: its sources and layers, laid into the city's own style between ground and labels. */

import type { ExpressionSpecification, GeoJSONSourceSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import { NONE } from "./board";
import type { Tint } from "./choices";
import type { Opened } from "./opened";
import { GRIDS, INK, LOADS, OPACITY, type Tone } from "./palette";

export const BLOCKS = "edit-blocks";
export const BORDERS = "edit-borders";
export const LABELS = "edit-labels";
export const SKETCH = "edit-sketch";
export const PATTERNS = { over: "edit-over", under: "edit-under", locked: "edit-locked" } as const;

/** From here on the map has room for the borders of blocks, and for numbers. */
const NEAR_ZOOM = 13;
const LABEL_ZOOM = 14;
const ROOM_ZOOM = 16;

/** Features are numbered from one: a map takes 0 for none. */
export const featureOf = (place: number) => place + 1;

export interface Look {
  tone: Tone;
  tint: Tint;
  traced: boolean;
}

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

/** The geometry of the board, made once for each board: drawing it otherwise is a matter of states. */
export function sourcesOf({ shapes, borders }: Pick<Opened, "shapes" | "borders">): Record<string, GeoJSONSourceSpecification> {
  const feature = (place: number, geometry: GeoJSON.Geometry): GeoJSON.Feature => ({
    type: "Feature",
    id: featureOf(place),
    properties: {},
    geometry,
  });
  const collection = (features: GeoJSON.Feature[]): GeoJSON.FeatureCollection => ({ type: "FeatureCollection", features });
  const blocks = shapes.flatMap((shape, block) => (shape ? [feature(block, shape)] : []));
  const lines = borders.map(({ line }, border) => feature(border, { type: "LineString", coordinates: line }));
  const options = { type: "geojson", tolerance: 0.2, buffer: 32 } as const;
  return {
    [BLOCKS]: { ...options, data: collection(blocks) },
    [BORDERS]: { ...options, data: collection(lines) },
    [LABELS]: { type: "geojson", data: EMPTY },
    [SKETCH]: { type: "geojson", data: EMPTY },
  };
}

/** Lays the board into a style: fills below the streets, borders above them, labels above all. */
export function withBoard(
  style: StyleSpecification,
  sources: Record<string, GeoJSONSourceSpecification>,
  look: Look,
): StyleSpecification {
  const lines = style.layers.findIndex(({ type }) => type === "line");
  const points = style.layers.findIndex(({ type }) => type === "circle" || type === "symbol");
  const cut = (at: number) => (at < 0 ? style.layers.length : at);
  const [first, second] = [cut(lines), Math.max(cut(lines), cut(points))];
  // The city's own labels keep back until there is room beside the numbers of the grids.
  const later = style.layers
    .slice(second)
    .map((layer) => (layer.type === "symbol" ? { ...layer, minzoom: Math.max(layer.minzoom ?? 0, ROOM_ZOOM) } : layer));
  return {
    ...style,
    sources: { ...style.sources, ...sources },
    layers: [
      ...style.layers.slice(0, first),
      ...fills(look),
      ...style.layers.slice(first, second),
      ...borderLines(look),
      ...later,
      ...labels(look),
      ...sketches(look),
    ],
  };
}

const state = (name: string, usual: number): ExpressionSpecification => ["coalesce", ["feature-state", name], usual];
const when = (name: string, then: number, otherwise: number): ExpressionSpecification => [
  "case",
  ["==", state(name, 0), 1],
  then,
  otherwise,
];

function fills({ tone, tint }: Look): LayerSpecification[] {
  const colours = tint === "load" ? LOADS[tone] : GRIDS[tone];
  const cases = colours.flatMap((colour, at) => [at, colour]) as [number, string, ...(number | string)[]];
  const colour = [
    "match",
    state(tint === "load" ? "load" : "colour", NONE),
    ...cases,
    INK[tone].loose,
  ] as ExpressionSpecification;
  const { moved, faint } = OPACITY[tone];
  const kept = tint === "moved" ? faint : OPACITY[tone].kept;
  const pattern = (id: keyof typeof PATTERNS, shown: ExpressionSpecification): LayerSpecification => ({
    id: PATTERNS[id],
    type: "fill",
    source: BLOCKS,
    paint: { "fill-pattern": PATTERNS[id], "fill-opacity": shown },
  });
  return [
    {
      id: BLOCKS,
      type: "fill",
      source: BLOCKS,
      paint: { "fill-color": colour, "fill-opacity": when("moved", moved, kept), "fill-antialias": false },
    },
    pattern("under", ["case", ["==", state("out", 0), -1], 0.5, 0]),
    pattern("over", ["case", ["==", state("out", 0), 1], 0.6, 0]),
    pattern("locked", when("locked", 0.75, 0)),
    {
      id: "edit-chosen",
      type: "fill",
      source: BLOCKS,
      paint: {
        "fill-color": INK[tone].target,
        "fill-opacity": ["case", ["==", state("chosen", 0), 1], 0.55, ["==", state("pointed", 0), 1], 0.25, 0],
      },
    },
  ];
}

function borderLines({ tone, traced }: Look): LayerSpecification[] {
  const ink = INK[tone];
  const round = { "line-cap": "round", "line-join": "round" } as const;
  const wide = (thin: number, thick: number): ExpressionSpecification => [
    "interpolate",
    ["linear"],
    ["zoom"],
    10,
    thin,
    16,
    thick,
  ];
  return [
    {
      id: "edit-block-borders",
      type: "line",
      source: BORDERS,
      minzoom: NEAR_ZOOM,
      paint: { "line-color": ink.block, "line-width": 0.8, "line-opacity": when("dividing", 0, 0.75) },
    },
    {
      id: "edit-grid-halo",
      type: "line",
      source: BORDERS,
      layout: round,
      paint: { "line-color": ink.halo, "line-width": wide(1.6, 4.4), "line-opacity": when("dividing", 0.55, 0) },
    },
    {
      id: "edit-grid-borders",
      type: "line",
      source: BORDERS,
      layout: round,
      paint: { "line-color": ink.border, "line-width": wide(0.6, 2.2), "line-opacity": when("dividing", 1, 0) },
    },
    {
      id: "edit-traced",
      type: "line",
      source: BORDERS,
      layout: { visibility: traced ? "visible" : "none" },
      paint: {
        "line-color": ink.traced,
        "line-width": wide(1, 2.4),
        "line-dasharray": [2, 1.6],
        "line-opacity": when("gone", 1, 0),
      },
    },
    {
      id: "edit-target-halo",
      type: "line",
      source: BORDERS,
      layout: round,
      paint: { "line-color": ink.halo, "line-width": wide(5, 8), "line-opacity": when("target", 0.9, 0) },
    },
    {
      id: "edit-target",
      type: "line",
      source: BORDERS,
      layout: round,
      paint: { "line-color": ink.target, "line-width": wide(2.5, 4.5), "line-opacity": when("target", 1, 0) },
    },
  ];
}

function labels({ tone }: Look): LayerSpecification[] {
  const ink = INK[tone];
  const load: ExpressionSpecification = ["match", ["get", "load"], "over", LOADS[tone][4]!, "under", LOADS[tone][0]!, ink.text];
  return [
    {
      id: LABELS,
      type: "symbol",
      source: LABELS,
      minzoom: LABEL_ZOOM,
      layout: {
        "text-field": [
          "format",
          ["get", "name"],
          { "font-scale": 0.85 },
          "\n",
          {},
          ["get", "text"],
          { "font-scale": 1.05, "text-color": load },
        ],
        "text-font": ["Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "sans-serif"],
        "text-size": ["interpolate", ["linear"], ["zoom"], LABEL_ZOOM, 11, 17, 14],
        "text-padding": 2,
        "symbol-sort-key": ["get", "order"],
      },
      paint: { "text-color": ink.text, "text-halo-color": ink.halo, "text-halo-width": 1.6 },
    },
  ];
}

function sketches({ tone }: Look): LayerSpecification[] {
  const { target, halo, traced } = INK[tone];
  const ifBad = (then: string, otherwise: string): ExpressionSpecification => [
    "case",
    ["==", ["get", "bad"], true],
    then,
    otherwise,
  ];
  return [
    {
      id: "edit-sketch-area",
      type: "fill",
      source: SKETCH,
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": ifBad(traced, target), "fill-opacity": 0.14 },
    },
    {
      id: "edit-sketch-halo",
      type: "line",
      source: SKETCH,
      paint: { "line-color": halo, "line-width": 5, "line-opacity": 0.85 },
    },
    {
      id: "edit-sketch-line",
      type: "line",
      source: SKETCH,
      paint: { "line-color": ifBad(traced, target), "line-width": 2.5, "line-dasharray": [2, 1.2] },
    },
    {
      id: "edit-sketch-corners",
      type: "circle",
      source: SKETCH,
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": ["case", ["==", ["get", "meant"], true], 8, 4.5],
        "circle-color": ["case", ["==", ["get", "meant"], true], ifBad(traced, target), halo],
        "circle-stroke-color": ["case", ["==", ["get", "meant"], true], halo, target],
        "circle-stroke-width": 2,
      },
    },
  ];
}

/** One tile of a pattern, seamless: strokes one way for too much, dots for too little, a lattice for what is locked. */
export function patternImage(id: keyof typeof PATTERNS, tone: Tone): { width: number; height: number; data: Uint8Array } {
  const side = 16;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(INK[tone].hatch.slice(at, at + 2), 16)) as [number, number, number];
  const data = new Uint8Array(side * side * 4);
  const stroke = (across: number, width: number) => {
    const distance = Math.min(across % side, side - (across % side)) / Math.SQRT2;
    return Math.max(0, Math.min(1, width / 2 + 0.5 - distance));
  };
  const cover = {
    over: (x: number, y: number) => stroke(x + y, 1.6),
    under: (x: number, y: number) => Math.max(0, Math.min(1, 2.1 - Math.hypot(x - side / 2 + 0.5, y - side / 2 + 0.5))),
    locked: (x: number, y: number) => Math.max(stroke(x + y, 1.4), stroke(x + side - y, 1.4)),
  }[id];
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) data.set([red, green, blue, Math.round(255 * cover(x, y))], (y * side + x) * 4);
  }
  return { width: side, height: side, data };
}

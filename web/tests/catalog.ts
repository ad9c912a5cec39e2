/** A small catalog and style of the server's shape, for the tests of what the page makes of them. */

import type { StyleSpecification } from "maplibre-gl";
import type { CatalogLayer } from "../src/api";

const row = (zh: string, en: string, color: string) => ({ label: { zh, en }, color, outline: null, shape: "fill" as const });

export const CATALOG: CatalogLayer[] = [
  {
    id: "hotspots",
    title: { zh: "热点", en: "Hotspots" },
    group: "analysis",
    geometry: "polygon",
    visible: true,
    minzoom: 8,
    time: false,
    service: "hotspots",
    legend: [row("热", "Hot", "#b2182b"), row("冷", "Cold", "#2166ac")],
    popup: [{ field: "z", title: { zh: "z 值", en: "z-score" }, format: "real" }],
    note: { zh: "说明", en: "A note" },
  },
  {
    id: "incidents",
    title: { zh: "事件", en: "Incidents" },
    group: "events",
    geometry: "point",
    visible: false,
    minzoom: 10,
    time: true,
    service: null,
    legend: [row("侵财", "Theft", "#4477aa")],
    popup: [
      { field: "occurred_at", title: { zh: "发生时间", en: "Occurred at" }, format: "instant" },
      {
        field: "category",
        title: { zh: "类别", en: "Category" },
        format: "code",
        codes: { theft: { zh: "盗窃", en: "Theft" } },
      },
    ],
    note: null,
  },
  {
    id: "water_areas",
    title: { zh: "水域", en: "Water" },
    group: "base",
    geometry: "polygon",
    visible: true,
    minzoom: 8,
    time: false,
    service: null,
    legend: [row("水域", "Water", "#aaccee")],
    popup: [],
    note: null,
  },
];

const source = (id: string, query = "") => ({
  type: "vector" as const,
  tiles: [`http://127.0.0.1:8000/collections/${id}/tiles/WebMercatorQuad/{z}/{y}/{x}${query}`],
});

const layer = (id: string, of: string, type: "fill" | "circle") => ({
  id,
  type,
  source: of,
  "source-layer": of,
  metadata: { "wangge:layer": of },
});

export const STYLE: StyleSpecification = {
  version: 8,
  metadata: { "wangge:catalog": CATALOG, "wangge:images": { "wangge-hatch": { size: 4, line: 1, color: "#102030" } } },
  sources: { hotspots: source("hotspots", "?v=3"), incidents: source("incidents"), water_areas: source("water_areas") },
  layers: [
    { id: "background", type: "background" },
    layer("water_areas", "water_areas", "fill"),
    layer("hotspots", "hotspots", "fill"),
    layer("hotspots_hatch", "hotspots", "fill"),
    layer("incidents", "incidents", "circle"),
  ],
};

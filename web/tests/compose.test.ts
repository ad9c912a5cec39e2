import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { describe, expect, it } from "vitest";
import { compose, filterOf, layerIdOf, PICKED, SELECTION, visibleLayers, type Choices } from "../src/map/compose";
import { CATALOG, STYLE } from "./catalog";

const USUAL: Choices = { visible: new Set(["hotspots", "water_areas"]), period: null, runs: {}, selected: null, theme: "light" };

const tilesOf = (choices: Choices, source: string) => (compose(STYLE, choices).sources[source] as { tiles: string[] }).tiles[0];
const visibility = (choices: Choices) =>
  Object.fromEntries(compose(STYLE, choices).layers.map((layer) => [layer.id, layer.layout?.visibility]));

describe("the style that is drawn", () => {
  it("is a valid style", () => {
    const selected: GeoJSON.Point = { type: "Point", coordinates: [120, 31] };
    expect(validateStyleMin(compose(STYLE, { ...USUAL, selected }) as never)).toEqual([]);
  });

  it("marks what a form has picked of a layer, and shows the layer as long as it asks", () => {
    const drawn = compose(STYLE, { ...USUAL, visible: new Set(), picked: { layer: "hotspots", codes: ["a", "b"] } });
    expect(validateStyleMin(drawn as never)).toEqual([]);
    const marks = drawn.layers.filter(({ id }) => id.startsWith(PICKED));
    expect(marks).toHaveLength(3);
    expect(marks.every((layer) => layerIdOf(layer) === "hotspots" && "source" in layer)).toBe(true);
    expect(JSON.stringify(marks)).toContain('["literal",["a","b"]]');
    expect(drawn.layers.find(({ id }) => id === "hotspots")?.layout?.visibility).toBe("visible");
    expect(compose(STYLE, { ...USUAL, picked: { layer: "unknown", codes: [] } }).layers.some(({ id }) => id.startsWith(PICKED))).toBe(false);
  });

  it("shows all parts of the chosen layers and only those; the background stays", () => {
    expect(visibility({ ...USUAL, visible: new Set(["incidents"]) })).toMatchObject({
      background: undefined,
      water_areas: "none",
      hotspots: "none",
      hotspots_hatch: "none",
      incidents: "visible",
    });
  });

  it("narrows only layers that have a time to the chosen days", () => {
    const period = { from: "2025-01-01", to: "2025-01-07" };
    expect(tilesOf({ ...USUAL, period }, "incidents")).toMatch(/\{x\}\?datetime=2025-01-01%2F2025-01-07$/);
    expect(tilesOf({ ...USUAL, period }, "hotspots")).toMatch(/\{x\}\?v=3$/);
    expect(tilesOf(USUAL, "incidents")).toMatch(/\{x\}$/);
  });

  it("asks for the chosen run of a service", () => {
    expect(tilesOf({ ...USUAL, runs: { hotspots: 7, other: 8 } }, "hotspots")).toMatch(/\?v=3&run_id=7$/);
    expect(filterOf(CATALOG[1]!, { period: null, runs: { hotspots: 7 } })).toEqual({});
  });

  it("leaves the server's style as it was", () => {
    const before = structuredClone(STYLE);
    compose(STYLE, { ...USUAL, visible: new Set(), runs: { hotspots: 7 } });
    expect(STYLE).toEqual(before);
  });

  it("draws the selection above everything", () => {
    expect(compose(STYLE, USUAL).layers.slice(-3).every((layer) => layer.id.startsWith(SELECTION))).toBe(true);
  });
});

describe("the layers shown", () => {
  it("are the server's own choice until the reader chooses", () => {
    expect(visibleLayers(CATALOG, null)).toEqual(new Set(["hotspots", "water_areas"]));
    expect(visibleLayers(CATALOG, [])).toEqual(new Set());
    expect(visibleLayers(CATALOG, ["incidents", "gone"])).toEqual(new Set(["incidents"]));
  });

  it("are the workspace's own results where it has a say, whatever else was chosen", () => {
    expect(visibleLayers(CATALOG, null, [])).toEqual(new Set(["water_areas"]));
    expect(visibleLayers(CATALOG, ["incidents"], ["hotspots"])).toEqual(new Set(["hotspots", "incidents"]));
    expect(visibleLayers(CATALOG, null, ["hotspots"], ({ group }) => group === "events")).toEqual(new Set(["hotspots", "incidents"]));
  });
});

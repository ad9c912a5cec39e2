import { describe, expect, it } from "vitest";
import { layerTree, toggled } from "../src/map/legend";
import { CATALOG } from "./catalog";

const tree = (visible: string[], zoom = 12) => layerTree(CATALOG, new Set(visible), zoom, "en");
const entry = (id: string, visible: string[], zoom = 12) =>
  tree(visible, zoom).flatMap(({ layers }) => layers).find((layer) => layer.id === id)!;

describe("the layer tree", () => {
  it("has the groups that hold a layer, what was computed first and the base map last", () => {
    expect(tree([]).map(({ id }) => id)).toEqual(["analysis", "events", "base"]);
  });

  it("keeps the server's colours and words", () => {
    expect(entry("hotspots", ["hotspots"])).toMatchObject({
      title: "Hotspots",
      note: "A note",
      visible: true,
      swatches: [
        { label: "Hot", color: "#b2182b" },
        { label: "Cold", color: "#2166ac" },
      ],
    });
  });

  it("puts the swatch of a layer with one class beside its title", () => {
    expect(entry("incidents", [])).toMatchObject({ single: { color: "#4477aa" }, swatches: [] });
    expect(entry("hotspots", [])).toMatchObject({ single: null });
  });

  it("says when a shown layer needs a nearer zoom", () => {
    expect(entry("incidents", ["incidents"], 9.9).tooFar).toBe(true);
    expect(entry("incidents", ["incidents"], 10).tooFar).toBe(false);
    expect(entry("incidents", [], 9).tooFar).toBe(false);
  });
});

describe("a checkbox", () => {
  it("adds and takes one layer, in the catalog's order", () => {
    expect(toggled(CATALOG, new Set(["water_areas"]), "incidents")).toEqual(["incidents", "water_areas"]);
    expect(toggled(CATALOG, new Set(["hotspots", "water_areas"]), "water_areas")).toEqual(["hotspots"]);
  });

  it("turned back gives the usual layers again, which need no words in the address", () => {
    expect(toggled(CATALOG, new Set(["hotspots"]), "water_areas")).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { boundsOf, middleOf } from "../src/map/geometry";
import { hatchImage, hatchRecipe } from "../src/map/hatch";
import { hitsOf, type Rendered } from "../src/map/hits";
import { formatValue, titleOf, valuesOf } from "../src/format";
import { CATALOG, STYLE } from "./catalog";

describe("what lies under a click", () => {
  const rendered = (layer: string | null, id: number | undefined, properties = {}): Rendered => ({
    id,
    layer: { metadata: layer && { "wangge:layer": layer } },
    properties,
  });

  it("is named once, though fill and outline were both hit, points before areas", () => {
    const found = hitsOf([rendered("hotspots", 1), rendered("hotspots", 1), rendered("incidents", 1), rendered("incidents", 2)], CATALOG, [0, 0]);
    expect(found.map(({ layer, id }) => `${layer} ${id}`)).toEqual(["incidents 1", "incidents 2", "hotspots 1"]);
  });

  it("comes nearest first", () => {
    const at = (id: number, lon: number): Rendered => ({
      ...rendered("incidents", id),
      geometry: { type: "Point", coordinates: [lon, 31] },
    });
    const found = hitsOf([at(1, 120.002), at(2, 119.999), at(3, 120)], CATALOG, [120, 31]);
    expect(found.map(({ id }) => id)).toEqual(["3", "2", "1"]);
  });

  it("leaves out what has nothing to tell", () => {
    expect(hitsOf([rendered("water_areas", 4), rendered(null, 5), rendered("gone", 6)], CATALOG, [0, 0])).toEqual([]);
  });

  it("keeps apart points that stand for several and so have no id", () => {
    const found = hitsOf([rendered("incidents", undefined, { n: 3 }), rendered("incidents", undefined, { n: 5 })], CATALOG, [0, 0]);
    expect(found.map(({ id, properties }) => [id, properties.n])).toEqual([
      [null, 3],
      [null, 5],
    ]);
  });
});

describe("values in words", () => {
  const reader = { language: "en", timeZone: "Asia/Shanghai" } as const;
  const [at, category] = CATALOG[1]!.popup;

  it("tell instants by the city's clock, and codes by their words", () => {
    expect(formatValue("2025-06-30T16:05:00Z", at!, reader)).toMatch(/1 Jul 2025.*00:05/);
    expect(formatValue("theft", category!, { ...reader, language: "zh" })).toBe("盗窃");
    expect(formatValue("unheard", category!, reader)).toBe("unheard");
    expect(formatValue(null, category!, reader)).toBe("—");
  });

  it.each([
    ["int", 12345.4, "12,345"],
    ["real", 0.123456, "0.1235"],
    ["pct", 0.125, "12.5%"],
    ["date", "2025-06-30", "30 Jun 2025"],
    ["int", "no number", "no number"],
  ] as const)("%s %s", (format, value, text) => {
    expect(formatValue(value, { field: "x", title: { zh: "", en: "" }, format }, reader)).toBe(text);
  });

  it("name a feature by what it is called, else by its kind, its first value, its number", () => {
    const named = { name_zh: "玄妙观", name_en: "" };
    expect(titleOf({ id: 3, properties: named }, CATALOG[1]!, reader)).toBe("玄妙观");
    expect(titleOf({ id: 3, properties: { occurred_at: "2025-06-30T16:05:00Z", category: "theft" } }, CATALOG[1]!, reader)).toBe("Theft");
    expect(titleOf({ id: 3, properties: { occurred_at: "2025-06-30T16:05:00Z" } }, CATALOG[1]!, reader)).toMatch(/2025/);
    expect(titleOf({ id: 3, properties: { code: "s300:1:2", z: 2.5 } }, CATALOG[0]!, reader)).toBe("2.5");
    expect(titleOf({ id: 3, properties: { code: "320508001" } }, CATALOG[2]!, reader)).toBe("320508001");
    expect(titleOf({ id: 3, properties: {} }, CATALOG[1]!, reader)).toBe("No. 3");
  });
});

describe("the rows of a popup", () => {
  it("leave out what is empty and what the title says already", () => {
    const properties = { occurred_at: null, category: "theft" };
    const reader = { language: "en", timeZone: "UTC" } as const;
    expect(valuesOf(properties, CATALOG[1]!, "Something", reader)).toEqual([{ name: "Category", text: "Theft", number: false }]);
    expect(valuesOf(properties, CATALOG[1]!, "Theft", reader)).toEqual([]);
  });
});

describe("bounds", () => {
  it("hold every position of every kind of geometry", () => {
    const hole = { type: "MultiPolygon", coordinates: [[[[1, 1], [3, 1], [3, 4], [1, 1]]], [[[-5, 0], [0, 0], [0, 2], [-5, 0]]]] } as GeoJSON.Geometry;
    expect(boundsOf(hole)).toEqual([-5, 0, 3, 4]);
    expect(boundsOf({ type: "GeometryCollection", geometries: [hole, { type: "Point", coordinates: [9, 9] }] })).toEqual([-5, 0, 9, 9]);
    expect(boundsOf({ type: "MultiPoint", coordinates: [] })).toBeNull();
    expect(middleOf([0, 0, 4, 2])).toEqual([2, 1]);
  });
});

describe("the hatch", () => {
  it("is drawn as the style says and meets itself at every edge", () => {
    const { width, height, data } = hatchImage(hatchRecipe(STYLE));
    expect([width, height]).toEqual([8, 8]);
    expect([...data.slice(0, 3)]).toEqual([0x10, 0x20, 0x30]);
    const cover = (x: number, y: number) => data[((y % height) * width + (x % width)) * 4 + 3];
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) expect(cover(x, y)).toBe(cover(x + 1, y + height - 1));
    expect(new Set([...data].filter((_, i) => i % 4 === 3)).size).toBeGreaterThan(1);
  });
});

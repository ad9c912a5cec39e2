import { describe, expect, it } from "vitest";
import { EMPTY, readHash, writeHash, type PageState } from "../src/state/url";

const FULL: PageState = {
  view: { zoom: 13.25, lat: 31.3, lon: 120.62 },
  layers: ["hotspots", "grids", "key_units"],
  period: { from: "2025-01-01", to: "2025-03-31" },
  language: "en",
  theme: "dark",
  runs: { hotspots: 12 },
  feature: { layer: "key_units", id: "7" },
};

describe("the address", () => {
  it("gives back the whole state it was written from", () => {
    expect(readHash(writeHash(FULL))).toEqual(FULL);
  });

  it.each([
    ["nothing chosen", EMPTY],
    ["no layer at all", { ...EMPTY, layers: [] }],
    ["several runs", { ...EMPTY, runs: { hotspots: 3, coverage: 9007199254740991 } }],
    ["an id that needs escaping", { ...EMPTY, feature: { layer: "grids", id: "a&b=c/网格#" } }],
    ["a southern, western view", { ...EMPTY, view: { zoom: 0, lat: -33.45, lon: -70.66 } }],
  ] as [string, PageState][])("round trip: %s", (_, state) => {
    expect(readHash(writeHash(state))).toEqual(state);
  });

  it("writes nothing for a state without choices", () => {
    expect(writeHash(EMPTY)).toBe("");
    expect(readHash("")).toEqual(EMPTY);
  });

  it.each([
    "#map=99/0/0",
    "#map=12/91/0",
    "#map=12//0",
    "#map=a/b/c",
    "#time=2025-02-30/2025-03-01",
    "#time=2025-03-02/2025-03-01",
    "#time=2025-03-02",
    "#lang=fr&theme=pink",
    "#run=hotspots:-1,hotspots:x,:3,Hot Spots:3",
    "#feature=grids",
    "#feature=grids:%E0%A4%A",
    "#feature=<img>:1",
    "#&&=&unknown=1&map",
  ])("ignores what it does not understand: %s", (hash) => {
    expect(readHash(hash)).toEqual(EMPTY);
  });

  it("keeps the known part of a half-understood address", () => {
    expect(readHash("#map=12/31/120&layers=grids,%00,Bad&time=never")).toEqual({
      ...EMPTY,
      view: { zoom: 12, lat: 31, lon: 120 },
      layers: ["grids"],
    });
  });
});

import { describe, expect, it } from "vitest";
import { named, numberRows } from "../src/panels/numbers";

const WORDS = { hot_places_count: { zh: "热点", en: "Hotspots" }, exact: { zh: "精确", en: "Exact" }, hot_99: { zh: "热点（99%）", en: "Hot, 99 %" } };
const reader = { language: "zh", timeZone: "Asia/Shanghai" } as const;
const texts = (values: Record<string, unknown>) => numberRows(values, WORDS, reader).rows.map(({ label, text }) => [label, text]);

describe("the numbers of a result", () => {
  it("have the server's words, and their own names where it has none", () => {
    expect(named("hot_places_count", WORDS, "en")).toBe("Hotspots");
    expect(named("places_count", WORDS, "en")).toBe("Places count");
    expect(texts({ hot_places_count: 1234, inference: "exact", reach: null })).toEqual([
      ["热点", "1,234"],
      ["Inference", "精确"],
      ["Reach", "—"],
    ]);
  });

  it("are shares, instants, lists and truths by their kind", () => {
    expect(texts({ hot_share: 0.125, since: "2025-06-30T16:00:00Z", codes: ["exact", "other"], on: false })).toEqual([
      ["Hot share", "12.5%"],
      ["Since", "2025年7月1日 00:00"],
      ["Codes", "精确、other"],
      ["On", "否"],
    ]);
  });

  it("that belong together stand apart under their name", () => {
    const { rows, parts } = numberRows({ n: 1, by_significance: { hot_99: 3 } }, WORDS, reader);
    expect(rows.map(({ name }) => name)).toEqual(["n"]);
    expect(parts).toEqual([{ name: "by_significance", label: "By significance", values: { hot_99: 3 } }]);
  });

  it("of rows of one kind are a table: one language, no empty column, and where a row is for the map alone", () => {
    const closures = [
      { lat: 31.31, lon: 120.57, post: null, minutes: 0.69, name_en: "Dushu Avenue", name_zh: "独墅大道" },
      { name_zh: "北街", name_en: "North Street", minutes: 2, post: null },
    ];
    const { rows, tables } = numberRows({ closures }, WORDS, reader);
    expect(rows).toEqual([]);
    expect(tables).toEqual([
      {
        name: "closures",
        label: "Closures",
        columns: [
          { name: "name_zh", label: "Name" },
          { name: "minutes", label: "Minutes" },
        ],
        rows: [
          { texts: ["独墅大道", "0.69"], at: [120.57, 31.31] },
          { texts: ["北街", "2"], at: null },
        ],
      },
    ]);
  });
});

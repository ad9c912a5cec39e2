import { describe, expect, it } from "vitest";
import type { Feature } from "../src/api";
import { busiestHours, byWeek, chosen, fewerDays, localClock, MOST, type Incident, type Wanted } from "../src/hotspots/incidents";
import { ANY_TIME } from "../src/hotspots/clock";
import { legendOf, rowOf } from "../src/hotspots/legend";
import { notable } from "../src/hotspots/listed";
import { rankText } from "../src/hotspots/subject";
import { barsOf, columnsOf, curvesOf, matrixOf, partsOf, seriesOf } from "../src/hotspots/tables";
import { distanceM, isInside, widened } from "../src/map/inside";
import { metresPerPixel, scaleBar } from "../src/map/scale";
import { CATALOG } from "./catalog";

const square = (x: number, y: number, side = 1): GeoJSON.Position[] => [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]];
const polygon = (...rings: GeoJSON.Position[][]): GeoJSON.Polygon => ({ type: "Polygon", coordinates: rings });

describe("a point and an area", () => {
  it("are told apart inside, outside, in a hole and in any part", () => {
    const holed = polygon(square(0, 0, 3), square(1, 1));
    expect(isInside([0.5, 0.5], holed)).toBe(true);
    expect(isInside([1.5, 1.5], holed)).toBe(false);
    expect(isInside([3.5, 1], holed)).toBe(false);
    const parts: GeoJSON.MultiPolygon = { type: "MultiPolygon", coordinates: [[square(0, 0)], [square(5, 5)]] };
    expect([isInside([5.5, 5.5], parts), isInside([3, 3], parts)]).toEqual([true, false]);
    expect(isInside([0.5, 0.5], { type: "GeometryCollection", geometries: [holed] })).toBe(true);
    expect(isInside([0, 0], { type: "Point", coordinates: [0, 0] })).toBe(false);
  });

  it("holds every point of a lattice in exactly one cell, those on borders too", () => {
    const cells = [0, 1, 2].flatMap((x) => [0, 1, 2].map((y) => polygon(square(x, y))));
    for (let x = 0.0; x < 3; x += 0.25) {
      for (let y = 0.0; y < 3; y += 0.25) expect(cells.filter((cell) => isInside([x, y], cell))).toHaveLength(1);
    }
  });

  it("does not depend on the direction or the first corner of a ring", () => {
    const ring = square(0, 0).slice(0, 4);
    for (let turn = 0; turn < 4; turn += 1) {
      const turned = [...ring.slice(turn), ...ring.slice(0, turn)];
      for (const corners of [turned, turned.toReversed()]) {
        const closed = polygon([...corners, corners[0]!]);
        expect([isInside([0.3, 0.6], closed), isInside([1.3, 0.6], closed)]).toEqual([true, false]);
      }
    }
  });
});

describe("a distance on the ground", () => {
  it("is 0 inside an area and metres outside it", () => {
    expect(distanceM([0.5, 0.5], polygon(square(0, 0)))).toBe(0);
    expect(distanceM([120.001, 31], { type: "Point", coordinates: [120, 31] })).toBeCloseTo(111.32 * Math.cos((31 * Math.PI) / 180), 1);
    expect(distanceM([0, 0.001], { type: "LineString", coordinates: [[-1, 0], [1, 0]] })).toBeCloseTo(111.32, 1);
    expect(distanceM([2, 0], { type: "LineString", coordinates: [[-1, 0], [1, 0]] })).toBeCloseTo(111_320, -2);
    expect(distanceM([0, 0], { type: "MultiPoint", coordinates: [] })).toBe(Infinity);
  });

  it("widens a box by as many metres on every side", () => {
    const [west, south, east, north] = widened([120, 31, 120, 31], 1000);
    expect(distanceM([west, 31], { type: "Point", coordinates: [120, 31] })).toBeCloseTo(1000, 0);
    expect(distanceM([120, north], { type: "Point", coordinates: [120, 31] })).toBeCloseTo(1000, 0);
    expect([west + east, south + north].map((sum) => sum / 2)).toEqual([expect.closeTo(120), expect.closeTo(31)]);
  });

  it("has a bar of a round length", () => {
    expect(metresPerPixel(0, 0)).toBeCloseTo(78_271.5, 1);
    for (const zoom of [9, 12.3, 14, 16.7]) {
      const { metres, px, text } = scaleBar(zoom, 31, 120);
      expect(px).toBeLessThanOrEqual(120);
      expect(px).toBeGreaterThan(120 / 2.5 - 1);
      expect([1, 2, 5]).toContain(metres / 10 ** Math.floor(Math.log10(metres)));
      expect(text).toBe(metres >= 1000 ? `${metres / 1000} km` : `${metres} m`);
    }
  });
});

const ZONE = "Asia/Shanghai";
const incident = (id: number, at: string, more: Record<string, unknown> = {}, place: GeoJSON.Position = [0.5, 0.5]): Feature => ({
  type: "Feature",
  id,
  geometry: { type: "Point", coordinates: place },
  properties: { occurred_at: at, category: "theft", origin: "public_report", address: "", ...more },
});
const WANTED: Wanted = {
  period: { from: "2025-06-01", to: "2025-06-30" },
  categories: null,
  clock: ANY_TIME,
  origins: ["public_report", "import"],
  timeZone: ZONE,
};
const ids = (features: Feature[], wanted: Partial<Wanted> = {}) =>
  chosen(features, polygon(square(0, 0)), { ...WANTED, ...wanted }).map(({ id }) => id);

describe("the incidents of a place", () => {
  it("lie in it, and come the latest first", () => {
    const found = [incident(1, "2025-06-01T00:00:00Z"), incident(2, "2025-06-03T00:00:00Z"), incident(3, "2025-06-02T00:00:00Z", {}, [1.5, 0.5])];
    expect(ids([...found, { ...incident(4, "2025-06-05T00:00:00Z"), geometry: null }])).toEqual(["2", "1"]);
  });

  it("are of the chosen kinds and origins; one without an origin counts as imported", () => {
    const kinds = [incident(1, "2025-06-01T00:00:00Z", { category: "noise" }), incident(2, "2025-06-01T00:00:00Z")];
    expect(ids(kinds, { categories: ["noise"] })).toEqual(["1"]);
    const origins = [incident(1, "2025-06-01T00:00:00Z", { origin: "patrol" }), incident(2, "2025-06-01T00:00:00Z", { origin: null })];
    expect(ids(origins)).toEqual(["2"]);
    expect(ids(origins, { origins: ["patrol"] })).toEqual(["1"]);
  });

  it("are of the chosen days and hours by the city's clock", () => {
    // Sunday 23:30 in UTC is Monday 7:30 in Suzhou.
    const one = [incident(1, "2025-06-01T23:30:00Z")];
    expect(localClock(ZONE)("2025-06-01T23:30:00Z")).toEqual({ day: 0, hour: 7 });
    expect(ids(one, { clock: { days: [0], hours: [7] } })).toEqual(["1"]);
    expect(ids(one, { clock: { days: [6], hours: null } })).toEqual([]);
  });

  it("of a street are those beside it", () => {
    const street: GeoJSON.LineString = { type: "LineString", coordinates: [[0, 0], [1, 0]] };
    const found = [incident(1, "2025-06-01T00:00:00Z", {}, [0.5, 0.0002]), incident(2, "2025-06-01T00:00:00Z", {}, [0.5, 0.001])];
    expect(chosen(found, street, WANTED).map(({ id }) => id)).toEqual(["1"]);
  });

  it("are fetched of fewer days where there are too many, the last days of all", () => {
    expect(fewerDays(WANTED.period, MOST)).toBeNull();
    expect(fewerDays(WANTED.period, 2 * MOST)).toEqual({ from: "2025-06-18", to: "2025-06-30" });
    expect(fewerDays(WANTED.period, Infinity)).toEqual({ from: "2025-06-16", to: "2025-06-30" });
    expect(fewerDays({ from: "2025-06-30", to: "2025-06-30" }, Infinity)).toBeNull();
  });
});

describe("incidents by time", () => {
  const at = (at: string): Incident => ({ id: at, at, category: "theft", address: "" });

  it("are counted in weeks that end with the period", () => {
    const weeks = byWeek([at("2025-06-30T10:00:00Z"), at("2025-06-23T16:00:00Z"), at("2025-06-23T15:00:00Z")], WANTED.period, ZONE);
    expect(weeks).toHaveLength(5);
    expect(weeks.at(-1)).toEqual({ from: "2025-06-24", count: 2 });
    expect(weeks.at(-2)).toEqual({ from: "2025-06-17", count: 1 });
    expect(weeks.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });

  it("have a busiest span of hours, over midnight too", () => {
    const night = ["2025-06-01T15:10:00Z", "2025-06-01T16:10:00Z", "2025-06-01T17:10:00Z", "2025-06-01T04:00:00Z"].map(at);
    expect(busiestHours(night, ZONE, 3)).toEqual({ from: 23, count: 3 });
    expect(busiestHours([], ZONE, 3)).toBeNull();
  });
});

describe("what a list shows by itself", () => {
  it("is what the layer's own classes call hot", () => {
    const codes = { hot_99: { zh: "热", en: "Hot" }, cold_99: { zh: "冷", en: "Cold" }, not_significant: { zh: "不", en: "No" } };
    const layer = { ...CATALOG[0]!, popup: [{ field: "significance", title: { zh: "", en: "" }, format: "code" as const, codes }] };
    expect(notable(layer)).toEqual({ significance: "hot_99" });
    const chains = { ...layer, popup: [{ ...layer.popup[0]!, codes: { open: codes.hot_99, closed: codes.cold_99 } }] };
    expect(notable(chains)).toEqual({ significance: "open" });
    expect(notable(CATALOG[1]!)).toBeNull();
  });

  it("tells a rank with its uncertainty", () => {
    expect(rankText({ rank_low: 1, rank_high: 4 }, "en")).toBe("1–4");
    expect(rankText({ rank_low: 3, rank_high: 3 }, "en")).toBe("3");
    expect(rankText({ rank_low: 3, rank_high: null }, "en")).toBeNull();
  });
});

describe("the legend of an answer", () => {
  const row = (zh: string, en: string) => ({ label: { zh, en }, color: "#000000", outline: null, shape: "fill" as const });
  const codes = { hot_99: { zh: "热点", en: "Hot" }, high: { zh: "高值", en: "High" }, cold_99: { zh: "冷点", en: "Cold" } };
  const layer = {
    ...CATALOG[0]!,
    legend: [row("热点／高值", "Hot / High"), row("冷点", "Cold"), row("样本过少", "Few incidents")],
    popup: [{ field: "significance", title: { zh: "", en: "" }, format: "code" as const, codes }],
  };
  const labels = (summary: Record<string, unknown>) => legendOf(layer, summary, "en").map(({ label }) => label);

  it("has only the findings that the answer counts, and the marks that are no finding", () => {
    expect(labels({ n: 3, by_significance: { hot_99: 3, cold_99: 0 } })).toEqual(["Hot", "Few incidents"]);
    expect(labels({ by_significance: { hot_99: 1, high: 2, cold_99: 1 } })).toEqual(["Hot / High", "Cold", "Few incidents"]);
  });

  it("is whole where the answer counts no findings", () => {
    expect(labels({ n: 3, by_shift: { night: 3 }, list: [1] })).toEqual(["Hot / High", "Cold", "Few incidents"]);
  });

  it("has a row for a finding that shares it with another", () => {
    expect(rowOf(layer.legend, "高值", "zh")).toBe(layer.legend[0]);
    expect(rowOf(layer.legend, "没有", "zh")).toBeNull();
  });
});

describe("the numbers of any service", () => {
  const bands = ["0-100 m", "100-200 m"].flatMap((distance_band) =>
    ["0-7", "8-14", "15-21"].map((days_band, at) => ({ p: at / 10, ratio: at + 1, days_band, distance_band, significant: at === 0, distance_to_m: 100 })),
  );
  const curve = [0.01, 0.02, 0.05, 0.1].map((area_share) => ({ area_share, hit_rate: 3 * area_share, baseline_hit_rate: 2 * area_share, pai: 3 }));

  it("part into single ones and tables; a clock is neither", () => {
    const { singles, tables } = partsOf({ n: 3, by: { a: 1 }, list: [1, 2], table: bands, empty: [], clock: [[1], [2]] });
    expect(Object.keys(singles)).toEqual(["n", "by", "list", "empty"]);
    expect(tables).toEqual([{ name: "table", rows: bands }]);
  });

  it("that are pairs of two bands make a table of the one by the other", () => {
    const matrix = matrixOf(bands)!;
    expect(matrix).toMatchObject({ down: "distance_band", across: "days_band", value: "ratio", beside: "p" });
    expect(matrix.columns).toEqual(["0-7", "8-14", "15-21"]);
    expect(matrix.rows.map(({ label }) => label)).toEqual(["0-100 m", "100-200 m"]);
    expect(matrix.rows[1]!.cells[2]).toEqual({ value: 3, beside: 0.2, strong: false });
    expect(matrixOf(bands.slice(1))).toBeNull();
    expect(matrixOf(curve)).toBeNull();
  });

  it("that rise with a share of the area make curves", () => {
    const { x, lines } = curvesOf(curve)!;
    expect(x).toBe("area_share");
    expect(lines.map(({ name }) => name)).toEqual(["hit_rate", "baseline_hit_rate"]);
    expect(lines[0]!.points[2]).toEqual([0.05, 0.15000000000000002]);
    expect(curvesOf(curve.toReversed())).toBeNull();
    expect(curvesOf(bands)).toBeNull();
  });

  it("that are counted by day make bars in the order of time", () => {
    const weeks = [5, 10, 0, 2].map((incidents_count, at) => ({ incidents_count, week_from_on: `2025-01-0${at + 1}` }));
    expect(seriesOf(weeks)).toEqual(weeks.map(({ incidents_count: count, week_from_on: from }) => ({ from, count })));
    expect(barsOf(weeks, "incidents_count")).toEqual([0.5, 1, 0, 0.2]);
    expect([seriesOf(curve), barsOf(weeks, "week_from_on"), barsOf([{ incidents_count: 0 }], "incidents_count")]).toEqual([null, null, null]);
  });

  it("have every column that some row has", () => {
    expect(columnsOf([{ a: 1 }, { b: 2, a: 3 }])).toEqual(["a", "b"]);
  });
});

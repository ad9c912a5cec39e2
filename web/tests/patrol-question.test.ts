import { beforeEach, expect, test } from "vitest";
import type { Post } from "../src/patrol/posts";
import { proposedUnits } from "../src/patrol/posts";
import {
  ask,
  changeTerms,
  changeUnit,
  freeCode,
  freeLabel,
  inputsOf,
  NO_TERMS,
  question,
  readQuestion,
  removeStop,
  USUAL,
  writeQuestion,
  type PatrolQuestion,
} from "../src/patrol/question";
import { hashParts, joinParts } from "../src/state/url";

const ASKED: PatrolQuestion = {
  units: [
    { label: "东:1,甲", kinds: ["police", "grid_staff"], at: [120.5, 31.25], start: "20:30", minutes: 240 },
    { label: "2", kinds: ["guards"], at: [120.75, 31.5], start: null, minutes: null },
  ],
  unitsCount: 4,
  on: "2026-11-26",
  start: "22:15",
  minutes: 300,
  mode: "walk",
  dwell: 15,
  checkpoints: "may",
  stops: [
    { code: "H-s300:33:22", at: [120.6, 31.3], weight: 389.5, must: false },
    { code: "S1", at: [120.61, 31.31], weight: 0, must: true, terms: { dwell: 20, visits: 2, from: "22:30", to: "01:00", kinds: ["police", "guards"] } },
  ],
  hotspots: 30,
  orders: [
    { unit: "东:1,甲", stops: ["S1", "H-s300:33:22"] },
    { unit: "2", stops: [] },
  ],
  seed: 7,
  better: true,
  list: "dose",
};

beforeEach(() => {
  question.value = USUAL;
});

test("a question stands in the address and comes back from it", () => {
  expect(readQuestion(hashParts(joinParts(writeQuestion(ASKED))))).toEqual(ASKED);
  expect(writeQuestion(USUAL)).toEqual([]);
  expect(readQuestion(hashParts(""))).toEqual(USUAL);
});

test("an address that nobody wrote is a usual question", () => {
  const odd = "#n=0&units=a:police:500:1,%E0%A4:x&on=2026-13-01&start=24:00&long=5&by=fly&stay=0&checkpoints=all&stops=S1:1:2&most=x&seed=-1&list=none";
  expect(readQuestion(hashParts(odd))).toEqual(USUAL);
  const twice = "#units=a:police:120:31::,a:guards:120:31::&stops=S:120:31:1:0,S:120:31:1:0";
  expect(readQuestion(hashParts(twice))).toMatchObject({ units: null, stops: null });
});

test("the service is asked for what the question says", () => {
  expect(inputsOf(ASKED, { from: "2026-01-01", to: "2026-01-31" }, "Asia/Shanghai")).toEqual({
    travel_mode: "walk",
    depart_hour: 22,
    shift_start: "22:15",
    shift_min: 300,
    shift_on: "2026-11-26",
    dwell_min: 15,
    checkpoints_use: "may",
    seed: 7,
    units: [
      { label: "东:1,甲", kinds: ["police", "grid_staff"], lon: 120.5, lat: 31.25, shift_start: "20:30", shift_min: 240 },
      { label: "2", kinds: ["guards"], lon: 120.75, lat: 31.5 },
    ],
    stops: [
      { code: "H-s300:33:22", lon: 120.6, lat: 31.3, weight: 389.5, must_visit: false, dwell_min: 15 },
      { code: "S1", lon: 120.61, lat: 31.31, weight: 0, must_visit: true, dwell_min: 20, visits_count: 2, window_from: "22:30", window_to: "01:00", kinds: ["police", "guards"] },
    ],
    fixed: [
      { unit: "东:1,甲", stops: ["S1", "H-s300:33:22"] },
      { unit: "2", stops: [] },
    ],
  });
});

test("the proposal is of the incidents in the period of the page", () => {
  const inputs = inputsOf(USUAL, { from: "2026-01-01", to: "2026-01-31" }, "Asia/Shanghai");
  expect(inputs).toMatchObject({ units_count: 4, hotspots_count: 20, occurred_from: "2025-12-31T16:00:00.000Z", occurred_before: "2026-01-31T16:00:00.000Z" });
  expect(inputsOf(USUAL, null, "Asia/Shanghai")).not.toHaveProperty("occurred_from");
});

test("another question has no better answer yet", () => {
  ask({ better: true });
  expect(question.value.better).toBe(true);
  ask({ dwell: 10 });
  expect(question.value.better).toBe(false);
});

test("orders go with their units and stops", () => {
  question.value = ASKED;
  changeUnit(ASKED.units!, 1, { label: "西" });
  expect(question.value.orders[1]).toEqual({ unit: "西", stops: [] });
  removeStop(ASKED.stops!, "S1");
  expect(question.value.stops!.map(({ code }) => code)).toEqual(["H-s300:33:22"]);
  expect(question.value.orders[0]!.stops).toEqual(["H-s300:33:22"]);
  ask({ units: question.value.units!.slice(1) });
  expect(question.value.orders.map(({ unit }) => unit)).toEqual(["西"]);
  ask({ start: "19:00" });
  expect(question.value.orders).toHaveLength(1);
  ask({ stops: null });
  expect(question.value.orders).toEqual([]);
});

test("a stop that asks for nothing of its own any more is a stop like any other", () => {
  question.value = ASKED;
  changeTerms(ASKED.stops!, "S1", { visits: 3 });
  expect(question.value.stops![1]!.terms).toMatchObject({ dwell: 20, visits: 3 });
  changeTerms(question.value.stops!, "S1", NO_TERMS);
  expect(question.value.stops![1]).toEqual({ code: "S1", at: [120.61, 31.31], weight: 0, must: true });
});

test("new units and stops are called as no other is", () => {
  expect(freeLabel([{ label: "1" }, { label: "3" }])).toBe("4");
  expect(freeLabel([{ label: "a" }])).toBe("2");
  expect(freeCode([{ code: "S1" }, { code: "S3" }])).toBe("S2");
});

const post = (kind: string, lon: number, lat: number): Post => ({
  feature: { type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties: { kind } },
  kind,
  at: [lon, lat],
});

test("units start from posts of the police that are far apart", () => {
  const all = [post("grid_station", 0, 0), post("police_post", 0, 0.1), post("police_post", 0.1, 0), post("police_post", 5, 0), post("police_post", -5, 0)];
  const units = proposedUnits(all, 3)!;
  expect(units.map(({ label }) => label)).toEqual(["1", "2", "3"]);
  expect(units.slice(1).map(({ at }) => at[0]).sort()).toEqual([-5, 5]);
  expect(units[0]!.at[0]).toBeLessThan(1);
  // More units than posts start where others do.
  expect(proposedUnits(all, 6)).toHaveLength(6);
  expect(proposedUnits([post("grid_station", 1, 1)], 1)![0]!.at).toEqual([1, 1]);
  expect(proposedUnits([], 2)).toBeNull();
});

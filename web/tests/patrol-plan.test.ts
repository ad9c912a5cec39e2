import { expect, test } from "vitest";
import type { Feature } from "../src/api";
import { boundsOfRoute, inkOn, isStop, moved, ordersOf, routesOf, stopsOf, without, withStop } from "../src/patrol/plan";
import { shortCode } from "../src/patrol/said";
import { nextStop, readTicks, routeKey, writeTicks } from "../src/patrol/ticks";

const row = (code: string, unit: string, kind: string, stop: string | null, lon = 120, weight: number | null = 5): Feature => ({
  type: "Feature",
  id: code,
  geometry: { type: "Point", coordinates: [lon, 31] },
  properties: { code, unit_label: unit, unit_kinds: "police+guards", sequence: Number(code.split("-")[1]), stop_kind: kind, stop_code: stop, weight, lon, lat: 31, kept: unit === "B" },
});

const ROWS = [
  row("10-00", "J", "start", "P-1"),
  row("10-01", "J", "end", "P-1"),
  row("2-02", "B", "break", null),
  row("2-01", "B", "hotspot", "H-1", 120.1, 9),
  row("2-00", "B", "start", "P-1"),
  row("2-03", "B", "checkpoint", "C-1", 120.2, 7),
  row("2-04", "B", "picked", "S1", 120.3, 11),
  row("2-05", "B", "end", "P-1"),
];

test("the rows of a run are routes in the order of units and halts", () => {
  const routes = routesOf(ROWS);
  expect(routes.map(({ unit, kept, kinds }) => [unit, kept, kinds.length])).toEqual([
    ["B", true, 2],
    ["J", false, 2],
  ]);
  const [first] = routes;
  expect(first!.halts.map(({ kind, number }) => [kind, number])).toEqual([
    ["start", null],
    ["hotspot", 1],
    ["break", null],
    ["checkpoint", 2],
    ["picked", 3],
    ["end", null],
  ]);
  // The post where a unit starts is none of its stops.
  expect(first!.halts[0]!.code).toBeNull();
  expect(first!.halts.filter(isStop)).toHaveLength(3);
  expect(boundsOfRoute(first!)).toEqual([120, 31, 120.3, 31]);
});

test("the orders of all units are those of the answer", () => {
  expect(ordersOf(routesOf(ROWS))).toEqual([
    { unit: "B", stops: ["H-1", "C-1", "S1"] },
    { unit: "J", stops: [] },
  ]);
});

const ORDERS = [
  { unit: "A", stops: ["a", "b", "c"] },
  { unit: "B", stops: ["d"] },
];
const stops = (orders: { stops: readonly string[] }[]) => orders.map((order) => order.stops.join(""));

test.each([
  ["up", { unit: "A", at: 1 }, { unit: "A", at: 0 }, ["bac", "d"]],
  ["down", { unit: "A", at: 0 }, { unit: "A", at: 2 }, ["bac", "d"]],
  ["to the end", { unit: "A", at: 0 }, { unit: "A", at: 3 }, ["bca", "d"]],
  ["nowhere", { unit: "A", at: 1 }, { unit: "A", at: 1 }, ["abc", "d"]],
  ["nowhere from above", { unit: "A", at: 1 }, { unit: "A", at: 2 }, ["abc", "d"]],
  ["before a stop of another unit", { unit: "A", at: 2 }, { unit: "B", at: 0 }, ["ab", "cd"]],
  ["after the last of another unit", { unit: "A", at: 0 }, { unit: "B", at: 1 }, ["bc", "da"]],
  ["from nowhere", { unit: "A", at: 9 }, { unit: "B", at: 0 }, ["abc", "d"]],
])("a stop is moved %s", (_, from, to, expected) => {
  expect(stops(moved(ORDERS, from, to))).toEqual(expected);
});

test("a stop is taken out, and given", () => {
  expect(stops(without(ORDERS, { unit: "A", at: 1 }))).toEqual(["ac", "d"]);
  expect(stops(withStop(ORDERS, "B", "x"))).toEqual(["abc", "dx"]);
});

test("the stops of an answer can be asked for, those without a visit too, checkpoints not", () => {
  const lost = { name: null, weight: 20, lon: 121, lat: 32, visits_missing_count: 1, reason: "no_time_left" };
  const asked = stopsOf(routesOf(ROWS), [
    { ...lost, stop_code: "H-9", stop_kind: "hotspot" },
    { ...lost, stop_code: "C-9", stop_kind: "checkpoint" },
  ]);
  expect(asked.map(({ code, weight }) => [code, weight])).toEqual([
    ["H-9", 20],
    ["S1", 11],
    ["H-1", 9],
  ]);
  expect(asked[0]!.at).toEqual([121, 32]);
});

test("numbers are read on any colour of the palette", () => {
  expect(inkOn("#004488")).toBe("#ffffff");
  expect(inkOn("#ddcc77")).toBe("#000000");
});

test("a code of the lattice is told by its column and row", () => {
  expect(shortCode("H-s300:33:22")).toBe("33:22");
  expect(shortCode("H-320508001001001")).toBe("320508001001001");
  expect(shortCode("S1")).toBe("S1");
});

test("ticks are kept by route, and what is no memory is none", () => {
  const [one, other] = [routeKey(3, "1"), routeKey(3, "2")];
  const kept = writeTicks(writeTicks(null, one, new Set([4, 2])), other, new Set([1]));
  expect([...readTicks(kept, one)]).toEqual([2, 4]);
  expect([...readTicks(kept, other)]).toEqual([1]);
  expect([...readTicks(writeTicks(kept, one, new Set()), one)]).toEqual([]);
  for (const odd of [null, "", "{", "{}", '[["3 1"]]', '[["3 1",["x"]]]', "[1]"]) expect(readTicks(odd, one).size).toBe(0);
});

test("only so many routes are remembered", () => {
  let kept: string | null = null;
  for (let run = 1; run <= 60; run += 1) kept = writeTicks(kept, routeKey(run, "1"), new Set([1]));
  expect(readTicks(kept, routeKey(1, "1")).size).toBe(0);
  expect(readTicks(kept, routeKey(60, "1")).size).toBe(1);
  expect((JSON.parse(kept!) as unknown[]).length).toBe(40);
});

test("the next stop is the first that is not done", () => {
  const [{ halts } = { halts: [] }] = routesOf(ROWS);
  expect(nextStop(halts, new Set())?.code).toBe("H-1");
  expect(nextStop(halts, new Set([1]))?.code).toBe("C-1");
  expect(nextStop(halts, new Set([1, 3, 4]))).toBeNull();
});

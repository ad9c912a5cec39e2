/** What is asked of a shift: who goes when, where to, in which orders that are kept. */

import { signal } from "@preact/signals";
import { endOf, startOf } from "../hotspots/inputs";
import { pageState, runs, takePageState } from "../state/store";
import type { Keeper } from "../state/sync";
import { isDay, type Period } from "../state/time";
import { readParts, writeParts, type Part, type Parts } from "../state/url";

export const MODES = ["drive", "cycle", "walk"] as const;
export type Mode = (typeof MODES)[number];
export const CHECKPOINT_USES = ["must", "may", "none"] as const;
export type CheckpointUse = (typeof CHECKPOINT_USES)[number];
export const LISTS = ["routes", "unserved", "dose", "walked"] as const;
/** What the answer lists: timetables, stops without a visit, minutes at each hotspot, what past patrols walked. */
export type List = (typeof LISTS)[number];

export type Place = readonly [lon: number, lat: number];

export interface AskedUnit {
  label: string;
  /** Codes of kinds; several walk together as one unit. */
  kinds: readonly string[];
  /** Where it starts and ends. */
  at: Place;
  /** When its shift begins, HH:MM; null is when that of all begins. */
  start: string | null;
  /** Minutes of its shift; null is as long as that of all. */
  minutes: number | null;
}

/** What a stop asks for that the others do not. */
export interface StopTerms {
  /** Minutes of a halt; null is as long as at every stop. */
  dwell: number | null;
  visits: number;
  /** A halt begins between these times of day, HH:MM; null is open. */
  from: string | null;
  to: string | null;
  /** Kinds that are needed here together; none is a unit of any kind. */
  kinds: readonly string[];
}

export interface AskedStop {
  code: string;
  at: Place;
  weight: number;
  must: boolean;
  /** Absent where it asks for nothing of its own. */
  terms?: StopTerms;
}

/** Stops of a unit in just this order. */
export interface KeptOrder {
  unit: string;
  stops: readonly string[];
}

export interface PatrolQuestion {
  /** Null is as many as `unitsCount`, spread over the posts by the service. */
  units: readonly AskedUnit[] | null;
  unitsCount: number;
  /** Day on which the shift begins; null is any day. */
  on: string | null;
  start: string;
  minutes: number;
  mode: Mode;
  dwell: number;
  checkpoints: CheckpointUse;
  /** Null is the hottest places, at most `hotspots` of them. */
  stops: readonly AskedStop[] | null;
  hotspots: number;
  orders: readonly KeptOrder[];
  seed: number;
  /** Whether a longer search is wanted beside the answer at once. */
  better: boolean;
  list: List;
}

export const USUAL: PatrolQuestion = {
  units: null,
  unitsCount: 4,
  on: null,
  start: "18:00",
  minutes: 360,
  mode: "drive",
  dwell: 12,
  checkpoints: "must",
  stops: null,
  hotspots: 20,
  orders: [],
  seed: 0,
  better: false,
  list: "routes",
};

export const MOST_UNITS = 30;
export const MOST_STOPS = 200;
export const MINUTES = { least: 15, most: 1440 } as const;
export const DWELL = { least: 1, most: 240 } as const;
export const MOST_VISITS = 12;
const MOST_SEED = 9999;

export const NO_TERMS: StopTerms = { dwell: null, visits: 1, from: null, to: null, kinds: [] };

export const question = signal<PatrolQuestion>(USUAL);

/** A changed question has no better answer yet: that is asked for anew. */
export function ask(change: Partial<PatrolQuestion>): void {
  question.value = { ...question.value, ...tidied({ better: false, ...change }) };
}

/** Shows another list; the question stays what it was. */
export function show(list: List): void {
  question.value = { ...question.value, list };
}

/** Orders name units and stops: of those that are gone they are rid. */
function tidied(change: Partial<PatrolQuestion>): Partial<PatrolQuestion> {
  if (change.orders) return change;
  const { orders } = question.value;
  if (orders.length === 0) return change;
  const { units, stops } = change;
  if (units === null || stops === null || "unitsCount" in change || "hotspots" in change || "seed" in change) return { ...change, orders: [] };
  const labels = units && new Set(units.map(({ label }) => label));
  return { ...change, orders: labels ? orders.filter(({ unit }) => labels.has(unit)) : orders };
}

/** Changes one of the units; its order goes along when it is called otherwise. */
export function changeUnit(units: readonly AskedUnit[], at: number, change: Partial<AskedUnit>): void {
  const before = units[at];
  if (!before) return;
  const next = units.map((unit, i) => (i === at ? { ...unit, ...change } : unit));
  const orders = question.value.orders.map((order) => (order.unit === before.label ? { ...order, unit: next[at]?.label ?? order.unit } : order));
  ask({ units: next, orders });
}

/** A label that no unit has yet. */
export function freeLabel(units: readonly { label: string }[]): string {
  const taken = new Set(units.map(({ label }) => label));
  for (let number = units.length + 1; ; number += 1) {
    const label = String(number);
    if (!taken.has(label)) return label;
  }
}

/** Takes a stop away; from the orders too, each time it is in them. */
export function removeStop(stops: readonly AskedStop[], code: string): void {
  const orders = question.value.orders.map((order) => ({ ...order, stops: order.stops.filter((stop) => stop !== code) }));
  ask({ stops: stops.filter((stop) => stop.code !== code), orders });
}

/** Changes what one stop asks for; a stop that asks for nothing of its own any more has no terms. */
export function changeTerms(stops: readonly AskedStop[], code: string, change: Partial<StopTerms>): void {
  const next = stops.map((stop) => {
    if (stop.code !== code) return stop;
    const { terms = NO_TERMS, ...rest } = stop;
    const changed = { ...terms, ...change };
    return hasTerms(changed) ? { ...rest, terms: changed } : rest;
  });
  ask({ stops: next });
}

function hasTerms({ dwell, visits, from, to, kinds }: StopTerms): boolean {
  return dwell !== null || visits !== 1 || from !== null || to !== null || kinds.length > 0;
}

/** About a decimetre: no finer than anybody can point. */
export function rounded([lon, lat]: Place): Place {
  const round = (degrees: number) => Math.round(degrees * 1e6) / 1e6;
  return [round(lon), round(lat)];
}

/** A code that no stop has yet. */
export function freeCode(stops: readonly { code: string }[]): string {
  const taken = new Set(stops.map(({ code }) => code));
  for (let number = 1; ; number += 1) {
    const code = `S${number}`;
    if (!taken.has(code)) return code;
  }
}

/** The parameters of the service. */
export function inputsOf(asked: PatrolQuestion, days: Period | null, timeZone: string): Record<string, unknown> {
  const { units, unitsCount, on, start, minutes, mode, dwell, checkpoints, stops, hotspots, orders, seed } = asked;
  const inputs: Record<string, unknown> = {
    travel_mode: mode,
    depart_hour: Number(start.slice(0, 2)),
    shift_start: start,
    shift_min: minutes,
    dwell_min: dwell,
    checkpoints_use: checkpoints,
    seed,
  };
  if (on) inputs.shift_on = on;
  if (units) inputs.units = units.map(unitInput);
  else inputs.units_count = unitsCount;
  if (stops) {
    inputs.stops = stops.map((stop) => stopInput(stop, dwell));
  } else {
    inputs.hotspots_count = hotspots;
    if (days) Object.assign(inputs, { occurred_from: startOf(days, timeZone), occurred_before: endOf(days, timeZone) });
  }
  if (orders.length > 0) inputs.fixed = orders.map(({ unit, stops: codes }) => ({ unit, stops: codes }));
  return inputs;
}

function unitInput({ label, kinds, at: [lon, lat], start, minutes }: AskedUnit): Record<string, unknown> {
  return { label, kinds, lon, lat, ...(start && { shift_start: start }), ...(minutes !== null && { shift_min: minutes }) };
}

function stopInput({ code, at: [lon, lat], weight, must, terms = NO_TERMS }: AskedStop, usualDwell: number): Record<string, unknown> {
  const { dwell, visits, from, to, kinds } = terms;
  return {
    ...{ code, lon, lat, weight, must_visit: must, dwell_min: dwell ?? usualDwell },
    ...(visits !== 1 && { visits_count: visits }),
    ...(from && { window_from: from }),
    ...(to && { window_to: to }),
    ...(kinds.length > 0 && { kinds }),
  };
}

function stopCells({ code, at, weight, must, terms }: AskedStop): (string | number)[] {
  const own = terms ? [terms.dwell ?? "", terms.visits, terms.from ?? "", terms.to ?? "", terms.kinds.join("+")] : [];
  return [code, ...at, weight, must ? 1 : 0, ...own];
}

const lists = (rows: readonly (readonly (string | number)[])[]) =>
  rows.map((row) => row.map((cell) => encodeURIComponent(String(cell))).join(":")).join(",");

export function writeQuestion(asked: PatrolQuestion): Part[] {
  const parts: Part[] = [];
  const put = (name: string, value: string | number, usual: string | number) => {
    if (value !== usual) parts.push([name, encodeURIComponent(String(value))]);
  };
  put("n", asked.unitsCount, USUAL.unitsCount);
  if (asked.units) parts.push(["units", lists(asked.units.map(({ label, kinds, at, start, minutes }) => [label, kinds.join("+"), ...at, start ?? "", minutes ?? ""]))]);
  if (asked.on) parts.push(["on", asked.on]);
  put("start", asked.start, USUAL.start);
  put("long", asked.minutes, USUAL.minutes);
  put("by", asked.mode, USUAL.mode);
  put("stay", asked.dwell, USUAL.dwell);
  put("checkpoints", asked.checkpoints, USUAL.checkpoints);
  put("most", asked.hotspots, USUAL.hotspots);
  if (asked.stops) parts.push(["stops", lists(asked.stops.map(stopCells))]);
  if (asked.orders.length > 0) parts.push(["order", lists(asked.orders.map(({ unit, stops }) => [unit, ...stops]))]);
  put("seed", asked.seed, USUAL.seed);
  if (asked.better) parts.push(["better", "1"]);
  put("list", asked.list, USUAL.list);
  return parts;
}

export function readQuestion(parts: Parts): PatrolQuestion {
  const text = (name: string) => decoded(parts.get(name) ?? "") ?? "";
  const of = <T extends string>(known: readonly T[], name: string, usual: T) => known.find((one) => one === text(name)) ?? usual;
  const number = (name: string, least: number, most: number, usual: number) => within(text(name), least, most) ?? usual;
  const on = text("on");
  const units = rowsOf(parts.get("units")).flatMap(unitOf);
  const stops = rowsOf(parts.get("stops")).flatMap(stopOf);
  const labels = new Set(units.map(({ label }) => label));
  const codes = new Set(stops.map(({ code }) => code));
  return {
    units: units.length > 0 && units.length <= MOST_UNITS && labels.size === units.length ? units : null,
    unitsCount: Math.round(number("n", 1, MOST_UNITS, USUAL.unitsCount)),
    on: isDay(on) ? on : null,
    start: isClock(text("start")) ? text("start") : USUAL.start,
    minutes: number("long", MINUTES.least, MINUTES.most, USUAL.minutes),
    mode: of(MODES, "by", USUAL.mode),
    dwell: number("stay", DWELL.least, DWELL.most, USUAL.dwell),
    checkpoints: of(CHECKPOINT_USES, "checkpoints", USUAL.checkpoints),
    stops: stops.length > 0 && stops.length <= MOST_STOPS && codes.size === stops.length ? stops : null,
    hotspots: Math.round(number("most", 1, MOST_STOPS, USUAL.hotspots)),
    orders: rowsOf(parts.get("order")).flatMap(([unit, ...stops]) => (unit ? [{ unit, stops: stops.filter(Boolean) }] : [])),
    seed: Math.round(number("seed", 0, MOST_SEED, USUAL.seed)),
    better: parts.get("better") === "1",
    list: of(LISTS, "list", USUAL.list),
  };
}

export function isClock(text: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text);
}

/** Another night at much the same profit. */
export function nextSeed(): void {
  ask({ seed: (question.value.seed + 1) % (MOST_SEED + 1) });
}

function unitOf([label = "", kinds = "", lon = "", lat = "", start = "", minutes = ""]: string[]): AskedUnit[] {
  const at = placeOf(lon, lat);
  const codes = kindsOf(kinds);
  if (!label || codes.length === 0 || !at) return [];
  return [{ label, kinds: codes, at, start: isClock(start) ? start : null, minutes: within(minutes, MINUTES.least, MINUTES.most) }];
}

function stopOf([code = "", lon = "", lat = "", weight = "", must = "", ...own]: string[]): AskedStop[] {
  const at = placeOf(lon, lat);
  const worth = within(weight, 0, 1e9);
  if (!code || !at || worth === null) return [];
  const terms = termsOf(own);
  return [{ code, at, weight: worth, must: must === "1", ...(hasTerms(terms) && { terms }) }];
}

function termsOf([dwell = "", visits = "", from = "", to = "", kinds = ""]: string[]): StopTerms {
  return {
    dwell: within(dwell, DWELL.least, DWELL.most),
    visits: Math.round(within(visits, 1, MOST_VISITS) ?? 1),
    from: isClock(from) ? from : null,
    to: isClock(to) ? to : null,
    kinds: kindsOf(kinds),
  };
}

function kindsOf(joined: string): string[] {
  return joined.split("+").filter((code) => /^[a-z_]+$/.test(code));
}

function placeOf(lon: string, lat: string): Place | null {
  const [x, y] = [within(lon, -180, 180), within(lat, -90, 90)];
  return x === null || y === null ? null : [x, y];
}

function within(text: string, least: number, most: number): number | null {
  const number = text.trim() === "" ? NaN : Number(text);
  return number >= least && number <= most ? number : null;
}

function rowsOf(text: string | undefined): string[][] {
  const rows = (text ?? "").split(",").filter(Boolean);
  return rows.map((row) => row.split(":").map((cell) => decoded(cell) ?? ""));
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export const KEEPER: Keeper = {
  write: () => [...writeParts({ ...pageState(), runs: {} }), ...writeQuestion(question.value)],
  read: (parts) => {
    takePageState({ ...readParts(parts), runs: runs.peek() });
    question.value = readQuestion(parts);
  },
};

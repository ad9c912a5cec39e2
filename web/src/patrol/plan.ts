/** The rows of a run as routes: units with their halts in order, and orders with one stop moved. */

import type { Bounds, Feature } from "../api";
import { boundsOf } from "../map/geometry";
import type { AskedStop, KeptOrder, Place } from "./question";

export type HaltKind = "start" | "hotspot" | "checkpoint" | "picked" | "break" | "end";

export interface Halt {
  feature: Feature;
  unit: string;
  sequence: number;
  kind: HaltKind;
  /** Of the stop; null for start, break and end. */
  code: string | null;
  /** Which of the unit's stops it is, from 1; null where it is none. */
  number: number | null;
  name: { zh: string | null; en: string | null };
  arrive: string | null;
  leave: string | null;
  waitMin: number;
  dwellMin: number;
  legM: number;
  legMin: number;
  weight: number;
  must: boolean;
  at: Place;
}

export interface Route {
  unit: string;
  kinds: string[];
  /** Whether its order was given. */
  kept: boolean;
  halts: Halt[];
}

/** Colours repeat after so many units, as the layer's do. */
export const COLOURS = 6;

export function isStop({ kind }: Pick<Halt, "kind">): boolean {
  return kind === "hotspot" || kind === "checkpoint" || kind === "picked";
}

/** The routes that the rows of a run are, in the order of the units. */
export function routesOf(features: readonly Feature[]): Route[] {
  const routes = new Map<string, Route & { place: number }>();
  for (const feature of features) {
    const { properties: row } = feature;
    const unit = String(row.unit_label);
    const [place = 0] = String(row.code).split("-").map(Number);
    const route = routes.get(unit) ?? { unit, kinds: String(row.unit_kinds ?? row.unit_kind).split("+"), kept: row.kept === true, halts: [], place };
    routes.set(unit, route);
    route.halts.push(haltOf(feature));
  }
  const sorted = [...routes.values()].sort((a, b) => a.place - b.place);
  return sorted.map(({ unit, kinds, kept, halts }) => ({ unit, kinds, kept, halts: numbered(halts) }));
}

function haltOf(feature: Feature): Halt {
  const { properties: row } = feature;
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : null);
  const number = (value: unknown) => (typeof value === "number" ? value : 0);
  const kind = String(row.stop_kind) as HaltKind;
  return {
    feature,
    unit: String(row.unit_label),
    sequence: number(row.sequence),
    kind,
    code: isStop({ kind }) ? text(row.stop_code) : null,
    number: null,
    name: { zh: text(row.name_zh), en: text(row.name_en) },
    arrive: text(row.arrive_clock),
    leave: text(row.leave_clock),
    waitMin: number(row.wait_min),
    dwellMin: number(row.dwell_min),
    legM: number(row.leg_m),
    legMin: number(row.leg_min),
    weight: number(row.weight),
    must: row.must_visit === true,
    at: [number(row.lon), number(row.lat)],
  };
}

function numbered(halts: Halt[]): Halt[] {
  let stops = 0;
  return [...halts].sort((a, b) => a.sequence - b.sequence).map((halt) => ({ ...halt, number: isStop(halt) ? (stops += 1) : null }));
}

/** The order of every unit as it is. */
export function ordersOf(routes: readonly Route[]): KeptOrder[] {
  return routes.map(({ unit, halts }) => ({ unit, stops: halts.flatMap(({ code }) => (code === null ? [] : [code])) }));
}

/** A stop of a unit: which of its stops, from 0. */
export interface Spot {
  unit: string;
  at: number;
}

/**
 * The orders with one stop moved before another one of a unit, or to its end. Counted in the orders as they are: a stop
 * that moves down its own list goes before the one that was there.
 */
export function moved(orders: readonly KeptOrder[], from: Spot, to: Spot): KeptOrder[] {
  const code = orders.find(({ unit }) => unit === from.unit)?.stops[from.at];
  if (code === undefined) return [...orders];
  return orders.map((order) => {
    const stops = [...order.stops];
    if (order.unit === to.unit) stops.splice(to.at, 0, code);
    if (order.unit === from.unit) stops.splice(from.unit === to.unit && to.at <= from.at ? from.at + 1 : from.at, 1);
    return { ...order, stops };
  });
}

/** The orders with a stop taken out of one of them. */
export function without(orders: readonly KeptOrder[], spot: Spot): KeptOrder[] {
  return orders.map((order) => (order.unit === spot.unit ? { ...order, stops: order.stops.filter((_, at) => at !== spot.at) } : order));
}

/** The orders with a stop that is in none put at the end of one. */
export function withStop(orders: readonly KeptOrder[], unit: string, code: string): KeptOrder[] {
  return orders.map((order) => (order.unit === unit ? { ...order, stops: [...order.stops, code] } : order));
}

/** Whether both say the same. */
export function sameOrders(a: readonly KeptOrder[], b: readonly KeptOrder[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A stop that is visited less often than asked for. */
export interface Unserved {
  stop_code: string;
  name: string | null;
  stop_kind: string;
  weight: number;
  lon: number;
  lat: number;
  visits_missing_count: number;
  reason: string;
}

/** The stops of an answer as one would ask for them, the heaviest first; checkpoints are the city's and not asked for. */
export function stopsOf(routes: readonly Route[], unserved: readonly Unserved[]): AskedStop[] {
  const stops = new Map<string, AskedStop>();
  for (const halt of routes.flatMap(({ halts }) => halts)) {
    if (halt.code !== null && halt.kind !== "checkpoint") stops.set(halt.code, { code: halt.code, at: halt.at, weight: halt.weight, must: halt.must });
  }
  for (const { stop_code: code, stop_kind: kind, lon, lat, weight } of unserved) {
    if (kind !== "checkpoint" && !stops.has(code)) stops.set(code, { code, at: [lon, lat], weight, must: false });
  }
  return [...stops.values()].sort((a, b) => b.weight - a.weight);
}

/** Black or white, whichever is read better on a colour `#rrggbb`. */
export function inkOn(colour: string): "#000000" | "#ffffff" {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000";
}

/** West, south, east, north of all that a unit goes; null where that is nothing. */
export function boundsOfRoute({ halts }: Route): Bounds | null {
  const boxes = halts.flatMap(({ feature: { geometry } }) => (geometry ? (boundsOf(geometry) ?? []) : []));
  if (boxes.length === 0) return null;
  const every = (at: number) => boxes.filter((_, i) => i % 4 === at);
  return [Math.min(...every(0)), Math.min(...every(1)), Math.max(...every(2)), Math.max(...every(3))];
}

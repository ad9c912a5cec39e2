/** What the officer asks: by which method, of which incidents, compared with what. All of it stands in the address. */

import { signal } from "@preact/signals";
import { pageState, runs, takePageState } from "../state/store";
import type { Keeper } from "../state/sync";
import { isName, readParts, readPeriod, writeParts, type Part, type Parts } from "../state/url";
import { ANY_TIME, DAYS, HOURS, readRuns, writeRuns, type Clock } from "./clock";
import { writeCompare, type Compare } from "./compare";

export const SIDES = ["a", "b", "difference"] as const;
/** Which of two compared periods is shown, or what changed between them. */
export type Side = (typeof SIDES)[number];

export interface Question {
  /** A service. */
  method: string;
  /** Null is all of them. */
  categories: string[] | null;
  clock: Clock;
  compare: Compare | null;
  side: Side;
  /** Parameters of the method that differ from its own, as text. */
  settings: Record<string, string>;
  /** List also the places that are nothing out of the ordinary. */
  everything: boolean;
}

export const FIRST_METHOD = "hotspots";

export const USUAL: Question = {
  method: FIRST_METHOD,
  categories: null,
  clock: ANY_TIME,
  compare: null,
  side: "difference",
  settings: {},
  everything: false,
};

export const question = signal<Question>(USUAL);

export function ask(change: Partial<Question>): void {
  question.value = { ...question.value, ...change };
}

/** Another method, with its own parameters as they usually are. */
export function askBy(method: string): void {
  if (method !== question.value.method) ask({ method, settings: {} });
}

const oneUp = (numbers: number[]) => numbers.map((one) => one + 1);

/** The parts of the address; days count from 1 there, Monday first, as in every parameter of the server. */
export function writeQuestion({ method, categories, clock, compare, side, settings, everything }: Question): Part[] {
  const parts: Part[] = [];
  if (method !== USUAL.method) parts.push(["method", method]);
  if (categories) parts.push(["kinds", categories.map(encodeURIComponent).join(",")]);
  if (clock.days) parts.push(["days", writeRuns(oneUp(clock.days))]);
  if (clock.hours) parts.push(["hours", writeRuns(clock.hours)]);
  if (compare) parts.push(["with", writeCompare(compare)]);
  if (side !== USUAL.side) parts.push(["show", side]);
  const set = Object.entries(settings);
  if (set.length > 0) parts.push(["set", set.map(([name, text]) => `${name}:${encodeURIComponent(text)}`).join(",")]);
  if (everything) parts.push(["list", "all"]);
  return parts;
}

export function readQuestion(parts: Parts): Question {
  const method = parts.get("method");
  const days = readRuns(parts.get("days"), DAYS + 1)?.filter((day) => day > 0) ?? [];
  return {
    method: method && isName(method) ? method : USUAL.method,
    categories: readKinds(parts.get("kinds")),
    clock: { days: days.length > 0 && days.length < DAYS ? days.map((day) => day - 1) : null, hours: readRuns(parts.get("hours"), HOURS) },
    compare: readCompare(parts.get("with")),
    side: SIDES.find((side) => side === parts.get("show")) ?? USUAL.side,
    settings: readSettings(parts.get("set")),
    everything: parts.get("list") === "all",
  };
}

function readKinds(text: string | undefined): string[] | null {
  const kinds = (text ?? "").split(",").map(decoded).filter((kind) => kind !== null && kind !== "");
  return kinds.length > 0 ? (kinds as string[]) : null;
}

function readCompare(text: string | undefined): Compare | null {
  return text === "previous" || text === "year" ? text : readPeriod(text);
}

function readSettings(text: string | undefined): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const part of (text ?? "").split(",")) {
    const [, name, value] = /^([^:]+):(.*)$/.exec(part) ?? [];
    const known = value === undefined ? null : decoded(value);
    if (name && isName(name) && known !== null) settings[name] = known;
  }
  return settings;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** The page's part of the address and the question's; which run answers it follows from the question. */
export const KEEPER: Keeper = {
  write: () => [...writeParts({ ...pageState(), runs: {} }), ...writeQuestion(question.value)],
  read: (parts) => {
    takePageState({ ...readParts(parts), runs: runs.peek() });
    question.value = readQuestion(parts);
  },
};

/** What the planner has chosen to see and to work with; all of it stands in the address. */

import { signal } from "@preact/signals";
import { PAGE, type Keeper } from "../state/sync";
import type { Part, Parts } from "../state/url";
import { SORTS, type Sort } from "./balance";

export const TOOLS = ["pan", "brush", "block", "lasso", "erase", "select", "merge", "split", "corner"] as const;
export type Tool = (typeof TOOLS)[number];
export const TABS = ["balance", "warnings", "moved", "proposal", "review"] as const;
export type Tab = (typeof TABS)[number];
/** Blocks are coloured by how far their grid is from its target, to tell grids apart, or to see what moves. */
export const TINTS = ["load", "grid", "moved"] as const;
export type Tint = (typeof TINTS)[number];
/** Which grids the map shows: the plan's, those in force, or those in force at the left of a divider and the plan's beyond. */
export const VIEWS = ["plan", "swipe", "current"] as const;
export type View = (typeof VIEWS)[number];

export interface Choices {
  tool: Tool;
  /** Code of the grid that is painted with; null before one is picked. */
  target: string | null;
  /** Radius of the brush, in pixels of the page. */
  radius: number;
  tab: Tab;
  tint: Tint;
  shown: View;
  /** Where the divider stands, in hundredths of the map's width from the left. */
  divider: number;
  /** Today's borders over the draft. */
  traced: boolean;
  sort: Sort;
  falling: boolean;
  onlyOut: boolean;
}

export const RADIUS = { least: 4, most: 60, step: 4 } as const;

export const USUAL: Choices = {
  tool: "pan",
  target: null,
  radius: 12,
  tab: "balance",
  tint: "load",
  shown: "plan",
  divider: 50,
  traced: false,
  sort: "deviation",
  falling: true,
  onlyOut: false,
};

export const choices = signal<Choices>(USUAL);

export function choose(change: Partial<Choices>): void {
  choices.value = { ...choices.value, ...change };
}

export function writeChoices(now: Choices): Part[] {
  const parts: Part[] = [];
  if (now.tool !== USUAL.tool) parts.push(["tool", now.tool]);
  if (now.target !== null) parts.push(["grid", encodeURIComponent(now.target)]);
  if (now.radius !== USUAL.radius) parts.push(["brush", String(now.radius)]);
  if (now.tab !== USUAL.tab) parts.push(["tab", now.tab]);
  if (now.tint !== USUAL.tint) parts.push(["tint", now.tint]);
  if (now.shown !== USUAL.shown) parts.push(["show", now.shown]);
  if (now.divider !== USUAL.divider) parts.push(["divider", String(now.divider)]);
  if (now.traced) parts.push(["trace", "current"]);
  if (now.sort !== USUAL.sort || now.falling !== USUAL.falling) parts.push(["sort", `${now.falling ? "-" : ""}${now.sort}`]);
  if (now.onlyOut) parts.push(["list", "out"]);
  return parts;
}

export function readChoices(parts: Parts): Choices {
  const one = <T extends string>(name: string, of: readonly T[], usual: T) =>
    of.find((known) => known === parts.get(name)) ?? usual;
  const radius = Number(parts.get("brush"));
  const divider = Number(parts.get("divider") ?? NaN);
  const sort = parts.get("sort");
  const known = SORTS.find((column) => column === sort?.replace(/^-/, ""));
  return {
    tool: one("tool", TOOLS, USUAL.tool),
    target: decoded(parts.get("grid")),
    radius: radius >= RADIUS.least && radius <= RADIUS.most ? Math.round(radius) : USUAL.radius,
    tab: one("tab", TABS, USUAL.tab),
    tint: one("tint", TINTS, USUAL.tint),
    shown: one("show", VIEWS, USUAL.shown),
    divider: divider >= 0 && divider <= 100 ? Math.round(divider) : USUAL.divider,
    traced: parts.get("trace") === "current",
    sort: known ?? USUAL.sort,
    falling: known ? sort!.startsWith("-") : USUAL.falling,
    onlyOut: parts.get("list") === "out",
  };
}

function decoded(text: string | undefined): string | null {
  try {
    return text ? decodeURIComponent(text) : null;
  } catch {
    return null;
  }
}

/** The page's part of the address and the editor's. What is chosen in passing is no step back: back leaves the plan. */
export const KEEPER: Keeper = {
  write: () => [...PAGE.write(), ...writeChoices(choices.value)],
  read: (parts) => {
    PAGE.read(parts);
    choices.value = readChoices(parts);
  },
  passing: ["tool", "grid", "brush", "tab", "tint", "show", "divider", "trace", "sort", "list", "feature"],
};

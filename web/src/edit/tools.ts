/** What each tool does where the pointer or the crosshair works; mouse, pen, finger and keyboard all come through here. */

import { computed } from "@preact/signals";
import { announce, language, t } from "../state/store";
import type { Position } from "../map/inside";
import { homeOf, NONE } from "./board";
import { choices, choose, type Tool } from "./choices";
import { held, letGo } from "./corner";
import { gridName } from "./names";
import { previewed } from "./proposal";
import { beginStroke, cancelStroke, endStroke, isEditable, isPlanners, opened, paint, strokeOf } from "./session";
import { chosen, clearSketch, corners, loosened, merging, toggleChosen } from "./sketch";

/** Tools that paint while they are drawn over the map. */
export const STROKES: ReadonlySet<Tool> = new Set(["brush", "block", "erase"]);
/** Tools that draw a line or an area. */
export const SKETCHES: ReadonlySet<Tool> = new Set(["lasso", "select", "split"]);

/** Whether a place, by how far from the left of the map it lies, shows the grids in force: nothing is drawn on those. */
export function isOnCurrent(x: number, width: number): boolean {
  const { shown, divider } = choices.peek();
  return shown === "swipe" && x < (width * divider) / 100;
}

/** The tool that works: where nothing may be edited there is but looking. */
export const toolInHand = computed<Tool>(() => (isPlanners.value ? choices.value.tool : "pan"));

export function pickTool(tool: Tool): void {
  cancelStroke();
  clearSketch();
  letGo();
  if (tool !== "pan") showDraft();
  choose({ tool });
}

/** What is painted must be seen: neither the plan in force nor an alternative lies over it. */
function showDraft(): void {
  previewed.value = null;
  if (choices.peek().shown === "current") choose({ shown: "plan" });
}

/** The grid that is painted with; `NONE` before one is picked. */
export function target(): number {
  return opened.value?.gridAt.get(choices.value.target ?? "") ?? NONE;
}

export function aimAt(grid: number): void {
  const info = opened.peek()?.board.grids[grid];
  if (!info) return;
  choose({ target: info.code });
  announce(t("targetIs", gridName(info, language.value)));
}

/** The next grid by code, or the one before. */
export function aimNext(step: 1 | -1): void {
  const grids = opened.peek()?.board.grids;
  if (!grids || grids.length === 0) return;
  const order = [...grids.keys()].sort((a, b) => (grids[a]!.code < grids[b]!.code ? -1 : 1));
  const at = order.indexOf(target());
  aimAt(order[at < 0 ? 0 : (at + step + order.length) % order.length]!);
}

/** Aims at the grid of the block at a point. */
export function pickAt(point: Position): void {
  const now = opened.peek();
  const block = now?.spots.at(point) ?? NONE;
  if (now && block !== NONE && now.draft.grid[block] !== NONE) aimAt(now.draft.grid[block]!);
  else announce(t("nothingHere"));
}

/** Whether the tool can work at all; says why not. */
export function isReady(tool: Tool): boolean {
  if (tool === "pan") return true;
  if (!isEditable.peek()) {
    announce(t(isPlanners.peek() ? "savingNow" : "readOnly"));
    return false;
  }
  if ((tool === "brush" || tool === "block" || tool === "lasso" || tool === "merge") && target() === NONE) {
    announce(t("needsTarget"));
    return false;
  }
  return true;
}

// Strokes

export function strokeBegins(): void {
  showDraft();
  metLock = false;
  beginStroke();
}

/** Whether the stroke came upon something locked. */
let metLock = false;

/** Paints what the tool covers at a point. */
export function dab(tool: Tool, point: Position, radiusM: number): void {
  const now = opened.peek();
  if (!now) return;
  const one = now.spots.at(point);
  const blocks = tool === "block" ? (one === NONE ? [] : [one]) : now.spots.within(point, radiusM);
  const to = tool === "erase" ? (block: number) => homeOf(now.board, now.draft.grid, block) : target;
  metLock ||= blocks.some((block) => now.draft.grid[block] !== to(block) && now.draft.isLocked(block, to(block)));
  paint(blocks, to);
}

export function strokeEnds(tool: Tool): void {
  // Over what was so already, or over what is locked: the one who painted is told which.
  if (!endStroke(tool)) announce(t(metLock ? "isLocked" : "nothingChanged"));
}

// Sketches

/** Closes what was sketched: a lasso paints or chooses, a line stays to be split along. */
export function closeSketch(tool: Tool): void {
  const now = opened.peek();
  const ring = corners.peek();
  loosened.value = null;
  if (tool === "split" || !now) return;
  corners.value = [];
  if (ring.length < 3) return;
  const blocks = now.spots.inside(ring);
  if (blocks.length === 0) announce(t("lassoEmpty"));
  else if (tool === "select") {
    toggleChosen(blocks);
    announce(t("chosenBlocks", chosen.peek().size));
  } else if (!strokeOf(blocks, target(), "lasso")) announce(t("nothingChanged"));
}

export function addCorner(point: Position): void {
  corners.value = [...corners.value, point];
}

// Single clicks

/** What a click, or Enter at the crosshair, does with a tool that takes one place at a time. */
export function clickAt(tool: Tool, point: Position): void {
  const now = opened.peek();
  const block = now?.spots.at(point) ?? NONE;
  if (!now || block === NONE) {
    announce(t("nothingHere"));
    return;
  }
  if (tool === "pan") pickAt(point);
  if (tool === "select") {
    toggleChosen([block]);
    announce(t("chosenBlocks", chosen.peek().size));
  }
  if (tool === "merge") {
    const grid = now.draft.grid[block]!;
    merging.value = grid === target() ? NONE : grid;
  }
}

/** What Escape gives up: the stroke, then the sketch, then the tool. */
export function giveUp(): void {
  if (held.peek()) {
    letGo();
    return;
  }
  const sketched = corners.peek().length > 0 || chosen.peek().size > 0 || merging.peek() !== NONE;
  if (opened.peek()?.draft.isPainting) cancelStroke();
  else if (sketched) clearSketch();
  else choose({ tool: "pan" });
}

/** The keyboard on the map: a crosshair that steps from block to block, Enter to work there, letters for the tools. */

import type { Map as MapLibre } from "maplibre-gl";
import { announce, language, t } from "../state/store";
import { metresPerPixel } from "../map/scale";
import { NONE } from "./board";
import { choices, choose, RADIUS, type Tool, type View } from "./choices";
import { carry, held, layDown, near, nearestNode, nextNode, takeUp } from "./corner";
import { describeBlock } from "./describe";
import { opened } from "./session";
import { corners, cross, loosened, pointed } from "./sketch";
import { redo, undo } from "./steps";
import {
  addCorner,
  aimNext,
  clickAt,
  closeSketch,
  dab,
  giveUp,
  isOnCurrent,
  isReady,
  pickAt,
  pickTool,
  SKETCHES,
  strokeBegins,
  strokeEnds,
  STROKES,
  toolInHand,
} from "./tools";

export const TOOL_KEYS: Record<Tool, string> = {
  pan: "v",
  brush: "b",
  block: "k",
  lasso: "l",
  erase: "e",
  select: "s",
  merge: "m",
  split: "x",
  corner: "n",
};

const ARROWS: Record<string, readonly [right: number, up: number]> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};
/** A step of the crosshair where it draws a line, plain and with Shift. */
const STEP_PX = 24;
const SMALL_STEP_PX = 4;
/** The crosshair keeps this far from the edge of the map. */
const EDGE_PX = 80;

/** Undo and redo, wherever the focus is but in a field of text. */
export function followUndoKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping(event.target)) return;
    // With Shift the key is "Z", without it "z".
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    void (key === "y" || event.shiftKey ? redo() : undo());
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("textarea, input:not([type=checkbox], [type=radio], [type=range])");
}

export function followKeys(map: MapLibre): () => void {
  const canvas = map.getCanvas();
  // Arrows move the crosshair, and the map only with it.
  map.keyboard.disable();

  const moveTo = (at: readonly [number, number]) => {
    cross.value = at;
    const now = opened.peek();
    pointed.value = now?.spots.at(at) ?? NONE;
    const { x, y } = map.project([at[0], at[1]]);
    const { clientWidth: width, clientHeight: height } = canvas;
    if (x < EDGE_PX || y < EDGE_PX || x > width - EDGE_PX || y > height - EDGE_PX) map.panTo([at[0], at[1]]);
  };

  const start = () => cross.peek() ?? map.getCenter().toArray();

  const step = (right: number, up: number, small: boolean) => {
    const tool = toolInHand.peek();
    const now = opened.peek();
    const at = start();
    if (!now) return;
    if ((SKETCHES.has(tool) && tool !== "select") || small || held.peek()) {
      const px = small ? SMALL_STEP_PX : STEP_PX;
      const { x, y } = map.project([at[0], at[1]]);
      moveTo(map.unproject([x + right * px, y - up * px]).toArray());
      if (corners.peek().length > 0) loosened.value = cross.peek();
      if (cross.peek()) carry(cross.peek()!);
      return;
    }
    const here = now.spots.at(at);
    if (tool === "corner") {
      // The first step goes to a corner, whichever is nearest; from there on they go from corner to corner.
      const node = near.peek() ? nextNode(at, right, up) : nearestNode(at);
      if (node) moveTo(node.at);
      else announce(t("noCornerHere"));
      near.value = node;
      if (node) announce(t("cornerAt", node.blocks.length));
      return;
    }
    const next = here === NONE ? NONE : now.spots.towards(here, right, up);
    if (here !== NONE && next === NONE) {
      announce(t("edgeOfCity"));
      return;
    }
    // Outside the city the crosshair goes back into it.
    moveTo(now.spots.middle(next === NONE ? now.spots.nearest(at) : next));
    announce(describeBlock(now, pointed.peek(), language.peek()));
  };

  const work = (event: KeyboardEvent) => {
    const tool = toolInHand.peek();
    const { radius } = choices.peek();
    const at = start();
    moveTo(at);
    if (event.altKey) pickAt(at);
    else if (tool !== "pan" && isOnCurrent(map.project([at[0], at[1]]).x, canvas.clientWidth)) announce(t("onCurrent"));
    else if (!isReady(tool)) return;
    else if (STROKES.has(tool)) {
      strokeBegins();
      dab(tool, at, radius * metresPerPixel(map.getZoom(), at[1]));
      strokeEnds(tool);
    } else if (tool === "lasso" || tool === "split") {
      if (event.shiftKey && tool === "lasso") closeSketch(tool);
      else addCorner(at);
    } else if (tool === "corner") {
      if (held.peek()) void layDown();
      else takeUp();
    } else clickAt(tool, at);
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    const tool = (Object.keys(TOOL_KEYS) as Tool[]).find((one) => TOOL_KEYS[one] === event.key.toLowerCase());
    if (arrow) step(...arrow, event.shiftKey);
    else if (event.key === "Enter") work(event);
    else if (event.key === "Escape") giveUp();
    else if (event.key === "[") aimNext(-1);
    else if (event.key === "]") aimNext(1);
    else if (event.key === ",") resize(-RADIUS.step);
    else if (event.key === ".") resize(RADIUS.step);
    else if (event.key === "+" || event.key === "=") map.zoomIn();
    else if (event.key === "-") map.zoomOut();
    else if (event.key.toLowerCase() === "c") toggleView("current");
    else if (event.key.toLowerCase() === "w") toggleView("swipe");
    else if (tool && !event.altKey) pickTool(tool);
    else return;
    event.preventDefault();
  };

  const onFocus = () => {
    // A click focuses the map, too; it needs no crosshair.
    if (canvas.matches(":focus-visible")) moveTo(start());
  };
  const onBlur = () => (cross.value = null);
  canvas.addEventListener("keydown", onKey);
  canvas.addEventListener("focus", onFocus);
  canvas.addEventListener("blur", onBlur);
  return () => {
    canvas.removeEventListener("keydown", onKey);
    canvas.removeEventListener("focus", onFocus);
    canvas.removeEventListener("blur", onBlur);
  };
}

function toggleView(view: View): void {
  choose({ shown: choices.peek().shown === view ? "plan" : view });
}

function resize(by: number): void {
  choose({ radius: Math.max(RADIUS.least, Math.min(RADIUS.most, choices.peek().radius + by)) });
}

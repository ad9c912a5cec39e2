/** The tool that moves a corner: it is taken up, all blocks that have it follow, and it is laid down as one edit. */

import { computed, signal } from "@preact/signals";
import type { Position } from "../map/inside";
import { announce, t } from "../state/store";
import { NONE } from "./board";
import { crosses, Nodes, withNode, type Node } from "./nodes";
import { opened } from "./session";
import { pointed } from "./sketch";
import { act } from "./steps";

/** The corners of the board that is open; found when first asked for. */
const nodes = computed(() => opened.value && new Nodes(opened.value));

/** The corner under the pointer or the crosshair, if there is one near enough. */
export const near = signal<Node | null>(null);
/** The corner that is held, and where it is now. */
export const held = signal<{ node: Node; to: Position } | null>(null);

/** The corners about a place: those of the block there and of its neighbours. */
function about(place: Position): Node[] {
  const now = opened.peek();
  const block = now?.spots.at(place) ?? NONE;
  if (!now || block === NONE) return [];
  const { first, neighbour } = now.board;
  return nodes.peek()?.around([block, ...neighbour.subarray(first[block]!, first[block + 1]!)]) ?? [];
}

/** Looks for a corner near a place; `reach` tells how many pixels off it is. */
export function lookFor(place: Position, reach: (node: Position) => number, most: number): void {
  const node = nearestNode(place);
  near.value = node && reach(node.at) <= most ? node : null;
}

export function nearestNode(place: Position): Node | null {
  return Nodes.nearest(about(place), place);
}

/** The next corner in a direction. */
export function nextNode(place: Position, right: number, up: number): Node | null {
  return Nodes.towards(about(place), place, right, up);
}

export function takeUp(): boolean {
  const node = near.peek();
  if (!node) {
    announce(t("noCornerHere"));
    return false;
  }
  held.value = { node, to: node.at };
  announce(t("cornerHeld", node.blocks.length));
  return true;
}

export function carry(to: Position): void {
  if (held.peek()) held.value = { node: held.peek()!.node, to };
}

/** Lays the corner down where it is; the server has the last word on whether it may lie there. */
export async function layDown(): Promise<void> {
  const now = held.peek();
  if (!now) return;
  const { node, to } = now;
  if (node.at[0] === to[0] && node.at[1] === to[1]) {
    held.value = null;
    return;
  }
  if (isCrossed.peek()) {
    held.value = null;
    announce(t("cornerCrosses"));
    return;
  }
  const isDone = await act("move_node", { at: node.at, to });
  held.value = null;
  near.value = null;
  if (isDone) announce(t("cornerMoved", node.blocks.length));
}

export function letGo(): void {
  held.value = null;
}

const followers = computed(() => {
  const [now, holding] = [opened.value, held.value];
  if (!now || !holding) return [];
  return holding.node.blocks.map((block) => withNode(now.shapes[block] ?? null, holding.node.at, holding.to));
});

/** Whether a block would cross itself. */
export const isCrossed = computed(() => followers.value.some((shape) => held.value && crosses(shape, held.value.to)));

/** What the map draws for the tool: the blocks that follow, the corners to choose from, the one that is meant. */
export function cornerFeatures(): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = [];
  const add = (geometry: GeoJSON.Geometry, properties = {}) => features.push({ type: "Feature", properties, geometry });
  const holding = held.value;
  for (const shape of followers.value) if (shape) add(shape, { bad: isCrossed.value });
  const block = pointed.value;
  if (!holding && block !== NONE)
    for (const { at } of nodes.value?.around([block]) ?? []) add({ type: "Point", coordinates: [...at] });
  const meant = holding?.to ?? near.value?.at;
  if (meant) add({ type: "Point", coordinates: [...meant] }, { meant: true, bad: isCrossed.value });
  return { type: "FeatureCollection", features };
}

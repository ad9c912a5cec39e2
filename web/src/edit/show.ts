/** Moves the map to blocks and grids, and marks them. */

import type { Bounds } from "../api";
import { handle } from "../map/handle";
import { boxOf } from "./board";
import { opened } from "./session";
import { pointed } from "./sketch";

/** No nearer than this, so that the surroundings are seen as well. */
const NEAREST_ZOOM = 16;

export function showBounds(bounds: Bounds | null): void {
  if (bounds) handle.value?.fit(bounds, NEAREST_ZOOM);
}

export function showBlocks(blocks: Iterable<number>): void {
  const now = opened.peek();
  if (!now) return;
  const all = [...blocks];
  showBounds(boxOf(now.board, all));
  if (all.length === 1) pointed.value = all[0]!;
}

export function showGrid(grid: number): void {
  const now = opened.peek();
  if (now) showBlocks(now.draft.blocksOf(grid));
}

/** Which grid a detached piece had best go to: the one it shares the longest way with. */

import { NONE } from "./board";
import type { Draft } from "./draft";

export function nearestNeighbour({ board, grid, lockedGrids }: Draft, piece: readonly number[]): number {
  const shared = new Map<number, number>();
  const inside = new Set(piece);
  const own = grid[piece[0] ?? -1] ?? NONE;
  for (const block of piece) {
    for (let dart = board.first[block]!; dart < board.first[block + 1]!; dart += 1) {
      const other = board.neighbour[dart]!;
      const to = grid[other]!;
      if (inside.has(other) || board.closed[dart] === 1 || to === own || to === NONE || lockedGrids[to] === 1) continue;
      shared.set(to, (shared.get(to) ?? 0) + board.sharedM[dart]!);
    }
  }
  return [...shared].reduce((best, one) => (one[1] > best[1] ? one : best), [NONE, 0])[0];
}

/** The balance of the grids: what each holds, how far it is from what it should, and in which order they are listed. */

import { MEASURES, NONE, type Band, type Board, type GridInfo, type Measure } from "./board";
import type { Draft, Sums } from "./draft";

export type Load = "under" | "in" | "over";

/** Where a grid stands to the band; a dedicated grid has a single place to look after, and no band. */
export function loadOf(load: number, kind: GridInfo["kind"], { low, high }: Band): Load {
  if (kind === "dedicated") return "in";
  return load < low ? "under" : load > high ? "over" : "in";
}

/** How far from the target, as a share of it. */
export function deviation(load: number, { target }: Band): number {
  return target > 0 ? load / target - 1 : 0;
}

export const SORTS = ["code", ...MEASURES, "positions", "deviation"] as const;
export type Sort = (typeof SORTS)[number];

/** By what a grid is ranked, and which of two comes first: of equals the one with the smaller code. */
function ranking(board: Board, sums: Sums, sort: Sort, falling: boolean) {
  const sign = falling ? -1 : 1;
  const byCode = (a: number, b: number) => {
    const [one, other] = [board.grids[a]!.code, board.grids[b]!.code];
    return one < other ? -1 : one > other ? 1 : 0;
  };
  const compare = (a: number, b: number, keys: Float64Array) =>
    sort === "code" ? sign * byCode(a, b) : sign * (keys[a]! - keys[b]!) || byCode(a, b);
  return { key: keyOf(board, sums, sort), compare };
}

function keyOf(board: Board, sums: Sums, sort: Sort): (grid: number) => number {
  if (sort === "code") return () => 0;
  if (sort === "deviation")
    return (grid) => (board.grids[grid]!.kind === "dedicated" ? 0 : Math.abs(deviation(sums.load[grid]!, board.band)));
  if (sort === "positions") return (grid) => board.grids[grid]!.positions_count ?? 0;
  return (grid) => sums[sort satisfies Measure][grid]!;
}

/** The order of the table from stroke to stroke: the rows that a stroke changed find their places anew, no others. */
export class Order {
  private rows: number[] = [];
  private made: { sums: Sums; sort: Sort; falling: boolean; onlyOut: boolean } | null = null;
  /** By which each grid stands where it does; `NaN` for one that is not listed. */
  private keys = new Float64Array();

  of(board: Board, sums: Sums, sort: Sort, falling: boolean, onlyOut: boolean): readonly number[] {
    const now = { sums, sort, falling, onlyOut };
    const before = this.made;
    const isSame = before?.sums === sums && before.sort === sort && before.falling === falling && before.onlyOut === onlyOut;
    const rank = ranking(board, sums, sort, falling);
    const key = (grid: number) => (onlyOut && loadOf(sums.load[grid]!, board.grids[grid]!.kind, board.band) === "in" ? NaN : rank.key(grid));
    if (!isSame) {
      this.made = now;
      this.keys = Float64Array.from(board.grids.keys(), key);
      this.rows = [...board.grids.keys()].filter((grid) => !Number.isNaN(this.keys[grid]));
      this.rows.sort((a, b) => rank.compare(a, b, this.keys));
      return this.rows;
    }
    const stale = new Set<number>();
    const fresh = new Map<number, number>();
    for (let grid = 0; grid < this.keys.length; grid += 1) {
      const next = key(grid);
      if (Object.is(next, this.keys[grid]!)) continue;
      stale.add(grid);
      fresh.set(grid, next);
    }
    if (stale.size === 0) return this.rows;
    this.rows = this.rows.filter((grid) => !stale.has(grid));
    for (const [grid, next] of fresh) {
      this.keys[grid] = next;
      if (!Number.isNaN(next)) this.insert(grid, (one) => rank.compare(one, grid, this.keys) < 0);
    }
    return this.rows;
  }

  private insert(grid: number, isBefore: (one: number) => boolean): void {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(this.rows[middle]!)) low = middle + 1;
      else high = middle;
    }
    this.rows.splice(low, 0, grid);
  }
}

export interface Move {
  block: number;
  from: number;
  to: number;
  households: number;
}

/** The blocks that are not in the grid they are in today, those with most households first. */
export function moves({ board, grid, moved }: Pick<Draft, "board" | "grid" | "moved">): Move[] {
  const found = Array.from(moved, (block) => {
    return { block, from: board.base[block]!, to: grid[block]!, households: board.measure.households[block]! };
  });
  return found.sort((a, b) => b.households - a.households || a.block - b.block);
}

/** The largest block of a grid, where its label stands; `NONE` for an empty one. */
export function largestBlock(draft: Draft, grid: number): number {
  let best = NONE;
  for (const block of draft.blocksOf(grid)) {
    if (best === NONE || draft.board.measure.areaM2[block]! > draft.board.measure.areaM2[best]!) best = block;
  }
  return best;
}

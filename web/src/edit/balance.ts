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

export interface Row {
  grid: number;
  load: Load;
  deviation: number;
}

export function rowOf(draft: Pick<Draft, "board" | "sums">, grid: number): Row {
  const { band, grids } = draft.board;
  const load = draft.sums.load[grid]!;
  return { grid, load: loadOf(load, grids[grid]!.kind, band), deviation: deviation(load, band) };
}

/** The grids in the order of the table; of equals, by code. */
export function sorted(board: Board, sums: Sums, sort: Sort, falling: boolean, onlyOut: boolean): number[] {
  const rows = board.grids.map((_, grid) => rowOf({ board, sums }, grid));
  const kept = onlyOut ? rows.filter(({ load }) => load !== "in") : rows;
  const sign = falling ? -1 : 1;
  const byCode = (a: Row, b: Row) => board.grids[a.grid]!.code.localeCompare(board.grids[b.grid]!.code, "en");
  const key = keyOf(board, sums, sort);
  kept.sort((a, b) => (key ? sign * (key(a) - key(b)) || byCode(a, b) : sign * byCode(a, b)));
  return kept.map(({ grid }) => grid);
}

function keyOf(board: Board, sums: Sums, sort: Sort): ((row: Row) => number) | null {
  if (sort === "code") return null;
  if (sort === "deviation") return (row) => (board.grids[row.grid]!.kind === "dedicated" ? 0 : Math.abs(row.deviation));
  if (sort === "positions") return ({ grid }) => board.grids[grid]!.positions_count ?? 0;
  return ({ grid }) => sums[sort satisfies Measure][grid]!;
}

/** How many grids there are with blocks, and how many of them are out of the band on either side. */
export function outOfBand(board: Board, sums: Sums): { grids: number; under: number; over: number } {
  const found = { grids: 0, under: 0, over: 0 };
  for (let grid = 0; grid < board.grids.length; grid += 1) {
    if (sums.blocks[grid] === 0) continue;
    found.grids += 1;
    const { load } = rowOf({ board, sums }, grid);
    if (load !== "in") found[load] += 1;
  }
  return found;
}

export interface Move {
  block: number;
  from: number;
  to: number;
  households: number;
}

/** The blocks that are not in the grid they are in today, those with most households first. */
export function moves(board: Board, grid: ArrayLike<number>): Move[] {
  const found: Move[] = [];
  for (let block = 0; block < board.size; block += 1) {
    const [from, to] = [board.base[block]!, grid[block]!];
    if (from !== to) found.push({ block, from, to, households: board.measure.households[block]! });
  }
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

/** Which of eight colours each grid has: never that of a grid it touches, as far as eight can do. */

import { NONE, type Board } from "./board";
import type { Draft } from "./draft";

export const COLOURS = 8;

type Neighbours = ReadonlyMap<number, ReadonlySet<number>>;

/** The grids that touch, in any of some assignments. */
export function touching(board: Board, ...assignments: ArrayLike<number>[]): Neighbours {
  const beside = new Map<number, Set<number>>();
  const meet = (a: number, b: number) => {
    if (a === b || a === NONE || b === NONE) return;
    if (!beside.has(a)) beside.set(a, new Set());
    beside.get(a)!.add(b);
  };
  for (let block = 0; block < board.size; block += 1) {
    for (let dart = board.first[block]!; dart < board.first[block + 1]!; dart += 1) {
      for (const grid of assignments) meet(grid[block]!, grid[board.neighbour[dart]!]!);
    }
  }
  return beside;
}

/**
 * A colour for each grid, those with most neighbours first; of the free colours the one used least, so that all eight
 * are seen about as often. Grids whose colours are `known` keep them.
 */
export function colouring(count: number, beside: Neighbours, known: ReadonlyMap<number, number> = new Map()): Uint8Array {
  const colour = new Uint8Array(count).fill(COLOURS);
  const used = new Array<number>(COLOURS).fill(0);
  const give = (grid: number, chosen: number) => {
    colour[grid] = chosen;
    used[chosen]! += 1;
  };
  for (const [grid, chosen] of known) give(grid, chosen);
  const rest = Array.from({ length: count }, (_, grid) => grid).filter((grid) => !known.has(grid));
  rest.sort((a, b) => (beside.get(b)?.size ?? 0) - (beside.get(a)?.size ?? 0) || a - b);
  for (const grid of rest) give(grid, freeColour(colour, beside.get(grid) ?? [], used));
  // Known ones may have come to touch since they were coloured.
  for (const grid of known.keys()) {
    const others = beside.get(grid) ?? [];
    if ([...others].some((other) => colour[other] === colour[grid])) colour[grid] = freeColour(colour, others, used);
  }
  return colour;
}

/** Gives a grid another colour where, since a stroke, it touches one of the same; whether it did. */
export function recolour(draft: Draft, grid: number, colour: Uint8Array): boolean {
  const beside = besideOf(draft, grid);
  const clash = [...beside].some((other) => colour[other] === colour[grid]);
  if (!clash) return false;
  const chosen = freeColour(colour, beside, new Array<number>(COLOURS).fill(0));
  const changed = chosen !== colour[grid];
  colour[grid] = chosen;
  return changed;
}

function besideOf(draft: Draft, grid: number): Set<number> {
  const { first, neighbour } = draft.board;
  const beside = new Set<number>();
  for (const block of draft.blocksOf(grid)) {
    for (let dart = first[block]!; dart < first[block + 1]!; dart += 1) {
      const other = draft.grid[neighbour[dart]!]!;
      if (other !== grid && other !== NONE) beside.add(other);
    }
  }
  return beside;
}

/** The colour that the fewest of the neighbours have, then the one used least. */
function freeColour(colour: Uint8Array, beside: Iterable<number>, used: readonly number[]): number {
  const taken = new Array<number>(COLOURS + 1).fill(0);
  for (const other of beside) taken[colour[other]!]! += 1;
  let best = 0;
  for (let one = 1; one < COLOURS; one += 1) {
    if (taken[one]! < taken[best]! || (taken[one] === taken[best] && used[one]! < used[best]!)) best = one;
  }
  return best;
}

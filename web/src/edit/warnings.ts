/** What is wrong with the plan as it stands, told at once and without the server: the place of each, to look at. */

import { loadOf } from "./balance";
import { NONE, type Board } from "./board";
import type { Draft } from "./draft";

export const KINDS = ["loose", "split", "straddles", "over", "under", "empty"] as const;
export type Kind = (typeof KINDS)[number];

export interface Warning {
  kind: Kind;
  /** `NONE` for blocks without a grid. */
  grid: number;
  /** Where to look: the smaller piece, the part in the other community, all of the grid. */
  blocks: readonly number[];
  /** Load, pieces, communities or blocks, as the kind has it. */
  count: number;
}

/** What is wrong with one grid, or with the blocks that are in none. */
export function warningsOf(draft: Draft, grid: number): Warning[] {
  const blocks = [...draft.blocksOf(grid)];
  if (grid === NONE) return blocks.length > 0 ? [{ kind: "loose", grid, blocks, count: blocks.length }] : [];
  if (blocks.length === 0) return [{ kind: "empty", grid, blocks: baseBlocks(draft.board, grid), count: 0 }];
  const found: Warning[] = [];
  const pieces = draft.piecesOf(grid);
  if (pieces.length > 1) found.push({ kind: "split", grid, blocks: pieces.at(-1)!, count: pieces.length });
  const communities = byCommunity(draft.board, blocks);
  if (communities.length > 1) found.push({ kind: "straddles", grid, blocks: communities.at(-1)!, count: communities.length });
  const { kind } = draft.board.grids[grid]!;
  const sum = draft.sums.load[grid]!;
  const load = loadOf(sum, kind, draft.board.band);
  if (load !== "in") found.push({ kind: load, grid, blocks, count: Math.round(sum) });
  return found;
}

/** The warnings of a whole plan, kept up grid by grid: what a stroke costs does not depend on how many others there are. */
export class Warnings {
  /** Of each kind by grid, in order. */
  private readonly of = new Map<Kind, Warning[]>(KINDS.map((kind) => [kind, []]));
  private readonly kindsOf = new Map<number, readonly Kind[]>();

  constructor(private readonly draft: Draft) {
    this.refresh([NONE, ...draft.board.grids.keys()]);
  }

  refresh(grids: Iterable<number>): void {
    for (const grid of grids) {
      for (const kind of this.kindsOf.get(grid) ?? []) {
        const list = this.of.get(kind)!;
        list.splice(placeFor(list, grid), 1);
      }
      const found = warningsOf(this.draft, grid);
      for (const warning of found) {
        const list = this.of.get(warning.kind)!;
        list.splice(placeFor(list, grid), 0, warning);
      }
      if (found.length > 0) this.kindsOf.set(grid, found.map(({ kind }) => kind));
      else this.kindsOf.delete(grid);
    }
  }

  /** All of a kind, by grid. */
  ofKind(kind: Kind): readonly Warning[] {
    return this.of.get(kind)!;
  }

  /** How many there are of some kinds, of all if none is named. */
  count(kinds: readonly Kind[] = KINDS): number {
    return kinds.reduce((sum, kind) => sum + this.ofKind(kind).length, 0);
  }

  /** The gravest kinds first, within a kind by grid. */
  list(): Warning[] {
    return KINDS.flatMap((kind) => this.ofKind(kind));
  }
}

/** Where a grid stands in a list by grid, or would stand. */
function placeFor(list: readonly Warning[], grid: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.grid < grid) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The blocks of each community, the largest part first; blocks of none belong anywhere. */
function byCommunity({ community, measure }: Board, blocks: readonly number[]): number[][] {
  const parts = new Map<string, number[]>();
  for (const block of blocks) {
    const code = community[block];
    if (code) parts.set(code, [...(parts.get(code) ?? []), block]);
  }
  const area = (part: number[]) => part.reduce((sum, block) => sum + measure.areaM2[block]!, 0);
  return [...parts.values()].sort((a, b) => area(b) - area(a));
}

/** Where a grid lies today: an empty one has no other place. */
function baseBlocks({ base, size }: Board, grid: number): number[] {
  const found: number[] = [];
  for (let block = 0; block < size; block += 1) if (base[block] === grid) found.push(block);
  return found;
}

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

/** The warnings of a whole plan, kept up grid by grid. */
export class Warnings {
  private readonly of = new Map<number, readonly Warning[]>();

  constructor(private readonly draft: Draft) {
    this.refresh([NONE, ...draft.board.grids.keys()]);
  }

  refresh(grids: Iterable<number>): void {
    for (const grid of grids) {
      const found = warningsOf(this.draft, grid);
      if (found.length > 0) this.of.set(grid, found);
      else this.of.delete(grid);
    }
  }

  /** The gravest kinds first, within a kind by grid. */
  list(): Warning[] {
    return [...this.of.values()].flat().sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.grid - b.grid);
  }
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

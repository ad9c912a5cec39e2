/** A plan opened for work: its board, the draft on it, and what finding, drawing and judging its blocks needs. */

import { readBoard, type Board, type BoardAnswer } from "./board";
import { bordersByBlock, bordersOf, type Border } from "./borders";
import { colouring, touching } from "./colours";
import { Draft } from "./draft";
import { Spots } from "./spots";
import { Warnings } from "./warnings";

export interface Opened {
  board: Board;
  draft: Draft;
  warnings: Warnings;
  /** Of each block, as the plan has it; null where it has none. */
  shapes: readonly (GeoJSON.Geometry | null)[];
  borders: readonly Border[];
  bordersAlong: readonly (readonly number[])[];
  spots: Spots;
  /** Of each grid, those that ended included, one of eight. */
  colour: Uint8Array;
  /** Code -> place in the board. */
  gridAt: ReadonlyMap<string, number>;
  blockAt: ReadonlyMap<string, number>;
}

export interface Shapes {
  /** The city's own, by feature. */
  city: ReadonlyMap<number, GeoJSON.Geometry>;
  /** Those the plan cut or moved, by code. */
  plan: ReadonlyMap<string, GeoJSON.Geometry>;
}

/** `before` is what was open until now: its grids keep their colours, so that a reload does not change the map. */
export function openBoard(answer: BoardAnswer, { city, plan }: Shapes, before: Opened | null = null): Opened {
  const board = readBoard(answer);
  const draft = new Draft(board);
  const shapes = board.code.map((code, block) => plan.get(code) ?? city.get(board.id[block] ?? -1) ?? null);
  const borders = bordersOf(shapes);
  const known = new Map(
    [...board.grids, ...board.ended].flatMap(({ code }, grid): [number, number][] => {
      const at = before?.gridAt.get(code);
      return before && at !== undefined ? [[grid, before.colour[at]!]] : [];
    }),
  );
  const opened = {
    board,
    draft,
    warnings: new Warnings(draft),
    shapes,
    borders,
    bordersAlong: bordersByBlock(borders, board.size),
    spots: new Spots(board, shapes),
    colour: colouring(board.grids.length + board.ended.length, touching(board, board.grid, board.base), known),
    gridAt: new Map(board.grids.map(({ code }, grid) => [code, grid])),
    blockAt: new Map(board.code.map((code, block) => [code, block])),
  };
  lock(opened, board.locks);
  return opened;
}

/** Lets the draft know what is locked. */
export function lock(
  { draft, gridAt, blockAt }: Pick<Opened, "draft" | "gridAt" | "blockAt">,
  locks: { blocks: string[]; grids: string[] },
): void {
  draft.lockedBlocks.fill(0);
  draft.lockedGrids.fill(0);
  for (const code of locks.blocks) if (blockAt.has(code)) draft.lockedBlocks[blockAt.get(code)!] = 1;
  for (const code of locks.grids) if (gridAt.has(code)) draft.lockedGrids[gridAt.get(code)!] = 1;
}

/**
 * The plan under the planner's hand: which block is in which grid, and all that follows from it, kept up with every
 * move. It knows no map and no page. A stroke costs what its own blocks and grids cost, however many grids there are.
 */

import { MEASURES, NONE, type Board, type Measure } from "./board";

/** Blocks that went from one grid to another in one go. */
export interface Stroke {
  blocks: readonly number[];
  from: readonly number[];
  to: readonly number[];
}

/** Of each grid, and in the last place of the blocks that are in none. */
export type Sums = Record<Measure, Float64Array> & { blocks: Int32Array; perimeterM: Float64Array };

export interface Account {
  sums: Sums;
  /** Length of all borders between two grids. */
  cutM: number;
}

/** All sums anew from an assignment; what the draft keeps up by itself must equal it. */
export function recount(board: Board, grid: ArrayLike<number>): Account {
  const places = board.grids.length + 1;
  const sums = {
    ...(Object.fromEntries(MEASURES.map((name) => [name, new Float64Array(places)])) as Record<Measure, Float64Array>),
    blocks: new Int32Array(places),
    perimeterM: new Float64Array(places),
  };
  let cutM = 0;
  for (let block = 0; block < board.size; block += 1) {
    const here = placeOf(board, grid[block]!);
    sums.blocks[here]! += 1;
    for (const name of MEASURES) sums[name][here]! += board.measure[name][block]!;
    sums.perimeterM[here]! += board.perimeterM[block]!;
    for (let dart = board.first[block]!; dart < board.first[block + 1]!; dart += 1) {
      const other = board.neighbour[dart]!;
      // Seen from both sides: an inner border is taken from the perimeter twice, one between grids counts once.
      if (placeOf(board, grid[other]!) === here) sums.perimeterM[here]! -= board.sharedM[dart]!;
      else if (block < other) cutM += board.sharedM[dart]!;
    }
  }
  return { sums, cutM };
}

function placeOf(board: Board, grid: number): number {
  return grid === NONE ? board.grids.length : grid;
}

export class Draft {
  readonly grid: Int32Array;
  readonly sums: Sums;
  cutM: number;
  /** The blocks that are not in the grid they are in today, and the households there. */
  readonly moved = new Set<number>();
  changedHouseholds = 0;
  /** 1 for what no stroke may touch. */
  lockedBlocks: Uint8Array;
  lockedGrids: Uint8Array;

  /** The blocks of a grid as a list with two ends, so that one more or less costs nothing. */
  private readonly head: Int32Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly seen: Int32Array;
  private stamp = 0;
  private open: Map<number, number> | null = null;
  private done: Stroke[] = [];
  private undone: Stroke[] = [];
  private dirtyBlocks = new Set<number>();
  private dirtyGrids = new Set<number>();

  constructor(readonly board: Board) {
    const { size, grids } = board;
    this.grid = board.grid.slice();
    ({ sums: this.sums, cutM: this.cutM } = recount(board, this.grid));
    this.lockedBlocks = new Uint8Array(size);
    this.lockedGrids = new Uint8Array(grids.length);
    this.head = new Int32Array(grids.length + 1).fill(NONE);
    this.next = new Int32Array(size).fill(NONE);
    this.previous = new Int32Array(size).fill(NONE);
    this.seen = new Int32Array(size);
    for (let block = size - 1; block >= 0; block -= 1) {
      this.link(block, this.grid[block]!);
      this.countChanged(block, 1);
    }
  }

  /** Begins a stroke. */
  begin(): void {
    this.open = new Map();
  }

  /** Puts a block into a grid; false where it is there already, or something is locked. */
  paint(block: number, to: number): boolean {
    const from = this.grid[block]!;
    if (!this.open || from === to || this.isLocked(block, to)) return false;
    // Within a stroke a block remembers where it was before it.
    if (!this.open.has(block)) this.open.set(block, from);
    this.set(block, to);
    return true;
  }

  /** Ends the stroke and returns it; null where nothing came of it. */
  end(): Stroke | null {
    const moved = [...(this.open ?? [])].filter(([block, from]) => this.grid[block] !== from);
    this.open = null;
    if (moved.length === 0) return null;
    const stroke = {
      blocks: moved.map(([block]) => block),
      from: moved.map(([, from]) => from),
      to: moved.map(([block]) => this.grid[block]!),
    };
    this.done.push(stroke);
    this.undone = [];
    return stroke;
  }

  /** Takes an open stroke back as if it had not begun. */
  cancel(): void {
    for (const [block, from] of this.open ?? []) this.set(block, from);
    this.open = null;
  }

  get isPainting(): boolean {
    return this.open !== null;
  }

  /** Takes the last stroke back and returns it; null where there is none. */
  undo(): Stroke | null {
    const stroke = this.done.pop() ?? null;
    stroke?.blocks.forEach((block, at) => this.set(block, stroke.from[at]!));
    if (stroke) this.undone.push(stroke);
    return stroke;
  }

  redo(): Stroke | null {
    const stroke = this.undone.pop() ?? null;
    stroke?.blocks.forEach((block, at) => this.set(block, stroke.to[at]!));
    if (stroke) this.done.push(stroke);
    return stroke;
  }

  isLocked(block: number, to: number): boolean {
    const from = this.grid[block]!;
    return (
      this.lockedBlocks[block] === 1 ||
      (from !== NONE && this.lockedGrids[from] === 1) ||
      (to !== NONE && this.lockedGrids[to] === 1)
    );
  }

  /** The blocks of a grid; of none for `NONE`. */
  *blocksOf(grid: number): Generator<number> {
    for (let block = this.head[placeOf(this.board, grid)]!; block !== NONE; block = this.next[block]!) yield block;
  }

  /** The pieces in which a grid hangs together, the largest first: none for an empty one, one for a whole one. */
  piecesOf(grid: number): number[][] {
    const { first, neighbour, closed } = this.board;
    this.stamp += 1;
    const pieces: number[][] = [];
    for (const start of this.blocksOf(grid)) {
      if (this.seen[start] === this.stamp) continue;
      const piece = [start];
      this.seen[start] = this.stamp;
      for (let at = 0; at < piece.length; at += 1) {
        const block = piece[at]!;
        for (let dart = first[block]!; dart < first[block + 1]!; dart += 1) {
          const other = neighbour[dart]!;
          if (closed[dart] === 1 || this.grid[other] !== grid || this.seen[other] === this.stamp) continue;
          this.seen[other] = this.stamp;
          piece.push(other);
        }
      }
      pieces.push(piece);
    }
    return pieces.sort((a, b) => b.length - a.length);
  }

  /** Which blocks and grids have changed since this was last asked. */
  takeDirty(): { blocks: ReadonlySet<number>; grids: ReadonlySet<number> } {
    const dirty = { blocks: this.dirtyBlocks, grids: this.dirtyGrids };
    this.dirtyBlocks = new Set();
    this.dirtyGrids = new Set();
    return dirty;
  }

  /** The one place where a block changes its grid. */
  private set(block: number, to: number): void {
    const { board, grid, sums } = this;
    const from = grid[block]!;
    if (from === to) return;
    const [a, b] = [placeOf(board, from), placeOf(board, to)];
    let sharedA = 0;
    let sharedB = 0;
    for (let dart = board.first[block]!; dart < board.first[block + 1]!; dart += 1) {
      const beside = grid[board.neighbour[dart]!]!;
      if (beside === from) sharedA += board.sharedM[dart]!;
      else if (beside === to) sharedB += board.sharedM[dart]!;
    }
    sums.blocks[a]! -= 1;
    sums.blocks[b]! += 1;
    for (const name of MEASURES) {
      const value = board.measure[name][block]!;
      sums[name][a]! -= value;
      sums[name][b]! += value;
    }
    sums.perimeterM[a]! += 2 * sharedA - board.perimeterM[block]!;
    sums.perimeterM[b]! += board.perimeterM[block]! - 2 * sharedB;
    this.cutM += sharedA - sharedB;
    this.countChanged(block, -1);
    this.unlink(block, from);
    grid[block] = to;
    this.link(block, to);
    this.countChanged(block, 1);
    this.dirtyBlocks.add(block);
    this.dirtyGrids.add(from).add(to);
  }

  private countChanged(block: number, step: 1 | -1): void {
    if (this.grid[block] === this.board.base[block]) return;
    if (step > 0) this.moved.add(block);
    else this.moved.delete(block);
    this.changedHouseholds += step * this.board.measure.households[block]!;
  }

  private link(block: number, grid: number): void {
    const place = placeOf(this.board, grid);
    const second = this.head[place]!;
    this.head[place] = block;
    this.next[block] = second;
    this.previous[block] = NONE;
    if (second !== NONE) this.previous[second] = block;
  }

  private unlink(block: number, grid: number): void {
    const [before, after] = [this.previous[block]!, this.next[block]!];
    if (before === NONE) this.head[placeOf(this.board, grid)] = after;
    else this.next[before] = after;
    if (after !== NONE) this.previous[after] = before;
  }
}

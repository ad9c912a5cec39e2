import { describe, expect, it } from "vitest";
import { MEASURES, NONE } from "../src/edit/board";
import { Draft, recount, type Stroke } from "../src/edit/draft";
import { dice, lattice } from "./edit-city";

const CITY = { columns: 12, rows: 9, wide: 3 };

/** Random strokes; blocks may leave their grids altogether. */
function scribble(draft: Draft, strokes: number, seed: number): Stroke[] {
  const roll = dice(seed);
  const pick = (n: number) => Math.floor(roll() * n);
  const made: Stroke[] = [];
  for (let stroke = 0; stroke < strokes; stroke += 1) {
    draft.begin();
    const to = pick(draft.board.grids.length + 1) - 1;
    for (let dab = 0; dab < 6; dab += 1) draft.paint(pick(draft.board.size), to);
    const done = draft.end();
    if (done) made.push(done);
  }
  return made;
}

function expectRecounted(draft: Draft): void {
  const { sums, cutM } = recount(draft.board, draft.grid);
  for (const name of [...MEASURES, "blocks", "perimeterM"] as const) {
    expect([...draft.sums[name]], name).toEqual([...sums[name]]);
  }
  expect(draft.cutM).toBe(cutM);
}

const total = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);

describe.each([1, 2, 3, 4, 5])("random strokes, seed %i", (seed) => {
  it("keep every total", () => {
    const board = lattice(CITY);
    const draft = new Draft(board);
    const before = MEASURES.map((name) => total(draft.sums[name]));
    for (const step of [() => scribble(draft, 30, seed), () => draft.undo(), () => draft.redo()]) {
      step();
      expect(MEASURES.map((name) => total(draft.sums[name]))).toEqual(before);
      expect(total(draft.sums.blocks)).toBe(board.size);
    }
  });

  it("leave sums, perimeters and cut as a full count has them", () => {
    const draft = new Draft(lattice(CITY));
    scribble(draft, 40, seed);
    expectRecounted(draft);
    draft.undo();
    draft.undo();
    draft.redo();
    expectRecounted(draft);
  });

  it("are all undone and redone to the very same plan", () => {
    const board = lattice(CITY);
    const draft = new Draft(board);
    const { length } = scribble(draft, 25, seed);
    const painted = draft.grid.slice();
    expect(draft.moved.size).toBeGreaterThan(0);
    while (draft.undo());
    expect(draft.moved.size).toBe(0);
    expect(draft.changedHouseholds).toBe(0);
    expect(draft.grid).toEqual(board.grid);
    expectRecounted(draft);
    let redone = 0;
    while (draft.redo()) redone += 1;
    expect(redone).toBe(length);
    expect(draft.grid).toEqual(painted);
    expectRecounted(draft);
  });

  it("hold every block in the list of its grid, and count what changed", () => {
    const board = lattice(CITY);
    const draft = new Draft(board);
    scribble(draft, 25, seed);
    const listed = [NONE, ...board.grids.keys()].flatMap((grid) => [...draft.blocksOf(grid)].map((block) => [block, grid]));
    expect(listed.sort((a, b) => a[0]! - b[0]!)).toEqual([...draft.grid].map((grid, block) => [block, grid]));
    const changed = [...draft.grid.keys()].filter((block) => draft.grid[block] !== board.base[block]);
    expect(draft.moved.size).toBe(changed.length);
    expect(draft.changedHouseholds).toBe(total(changed.map((block) => board.measure.households[block]!)));
  });
});

describe("a stroke", () => {
  it("remembers where its blocks were before it, and forgets those that came back", () => {
    const draft = new Draft(lattice(CITY));
    draft.begin();
    expect(draft.paint(0, 1)).toBe(true);
    expect(draft.paint(0, 1)).toBe(false);
    draft.paint(0, 2);
    draft.paint(1, 1);
    draft.paint(1, 0);
    expect(draft.end()).toEqual({ blocks: [0], from: [0], to: [2] });
  });

  it("that changes nothing is none", () => {
    const draft = new Draft(lattice(CITY));
    draft.begin();
    draft.paint(0, 1);
    draft.paint(0, 0);
    expect(draft.end()).toBeNull();
    expect(draft.undo()).toBeNull();
  });

  it("can be given up", () => {
    const board = lattice(CITY);
    const draft = new Draft(board);
    draft.begin();
    draft.paint(0, 2);
    draft.cancel();
    expect(draft.grid).toEqual(board.grid);
    expect(draft.undo()).toBeNull();
    expectRecounted(draft);
  });

  it("clears what could be redone", () => {
    const draft = new Draft(lattice(CITY));
    scribble(draft, 3, 7);
    draft.undo();
    scribble(draft, 1, 8);
    expect(draft.redo()).toBeNull();
  });

  it("leaves alone what is locked, but is undone all the same", () => {
    const draft = new Draft(lattice(CITY));
    draft.begin();
    draft.paint(0, 1);
    draft.end();
    draft.lockedBlocks[1] = 1;
    draft.lockedGrids[2] = 1;
    draft.lockedBlocks[0] = 1;
    draft.begin();
    expect(draft.paint(1, 1)).toBe(false);
    expect(draft.paint(2, 2)).toBe(false);
    expect(draft.paint(7, 0)).toBe(false);
    expect(draft.end()).toBeNull();
    draft.undo();
    expect(draft.moved.size).toBe(0);
  });

  it("tells which blocks and grids it touched, once", () => {
    const draft = new Draft(lattice(CITY));
    draft.begin();
    draft.paint(0, 1);
    draft.end();
    const { blocks, grids } = draft.takeDirty();
    expect([[...blocks], [...grids].sort()]).toEqual([[0], [0, 1]]);
    expect(draft.takeDirty().blocks.size).toBe(0);
  });
});

describe("a grid hangs together", () => {
  it("or falls into pieces, the largest first", () => {
    const draft = new Draft(lattice({ columns: 3, rows: 3, wide: 3 }));
    expect(draft.piecesOf(0).map((piece) => piece.length)).toEqual([9]);
    draft.begin();
    for (const block of [1, 4, 7]) draft.paint(block, NONE);
    draft.end();
    expect(draft.piecesOf(0).map((piece) => piece.length)).toEqual([3, 3]);
    expect(draft.piecesOf(NONE)).toEqual([[1, 4, 7].map(() => expect.any(Number))]);
  });

  it("not across a barrier", () => {
    const between = (a: number, b: number) => Math.floor(a / 3) !== Math.floor(b / 3);
    const draft = new Draft(lattice({ columns: 3, rows: 2, wide: 3, barrier: between }));
    expect(draft.piecesOf(0).map((piece) => piece.length)).toEqual([3, 3]);
  });
});

describe("a large city", () => {
  it("of 15,000 grids is painted block by block as one of four is: the blocks looked at are those of the grids touched", () => {
    // The members of two grids are all that a stroke and its check of hanging together may walk.
    const looked = (columns: number) => {
      const draft = new Draft(lattice({ columns, rows: 4, wide: 2 }));
      let seen = 0;
      const walk = draft.blocksOf.bind(draft);
      draft.blocksOf = function* (grid: number) {
        for (const block of walk(grid)) {
          seen += 1;
          yield block;
        }
      };
      draft.begin();
      draft.paint(1, 1);
      draft.end();
      for (const grid of draft.takeDirty().grids) draft.piecesOf(grid);
      return seen;
    };
    expect(looked(30_000)).toBe(looked(8));
  });
});

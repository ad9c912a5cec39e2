import { describe, expect, it } from "vitest";
import { deviation, loadOf, moves, largestBlock, Order, SORTS } from "../src/edit/balance";
import { baseGrid, boxOf, homeOf, NONE, readBoard } from "../src/edit/board";
import { Draft } from "../src/edit/draft";
import { Warnings, warningsOf } from "../src/edit/warnings";
import { dice, lattice, latticeAnswer, SIDE } from "./edit-city";

const BAND = { target: 100, low: 50, high: 150 };

describe("the balance", () => {
  it("judges a grid by its households, ends included, and a dedicated one not at all", () => {
    expect([49, 50, 150, 151].map((count) => loadOf(count, "comprehensive", BAND))).toEqual(["under", "in", "in", "over"]);
    expect(loadOf(0, "dedicated", BAND)).toBe("in");
    expect(deviation(125, BAND)).toBe(0.25);
    expect(deviation(125, { target: 0, low: 0, high: 0 })).toBe(0);
  });

  it("is by load, which may be more than households", () => {
    const answer = latticeAnswer({ columns: 4, rows: 2, households: () => 20 });
    const loaded = readBoard({
      ...answer,
      weights: { households: 1, rentals: 2 },
      blocks: { ...answer.blocks, load: answer.blocks.load.map((load) => 2 * load) },
    });
    expect([readBoard(answer).countsHouseholds, loaded.countsHouseholds]).toEqual([true, false]);
    expect(new Warnings(new Draft(loaded)).count(["over"])).toBe(2);
    expect(warningsOf(new Draft(loaded), 0)).toMatchObject([{ kind: "over", count: 160 }]);
  });

  it("is sorted by any column, of equals by code, and shows only what is out when asked", () => {
    const board = lattice({
      columns: 8,
      rows: 2,
      wide: 2,
      households: (block) => [10, 30, 60, 30][Math.floor((block % 8) / 2)]!,
    });
    const { sums } = new Draft(board);
    const sorted: Order["of"] = (...given) => new Order().of(...given);
    expect(sorted(board, sums, "households", true, false)).toEqual([2, 1, 3, 0]);
    expect(sorted(board, sums, "code", false, false)).toEqual([0, 1, 2, 3]);
    expect(sorted(board, sums, "code", true, false)).toEqual([3, 2, 1, 0]);
    expect(sorted(board, sums, "deviation", true, true)).toEqual([2, 0]);
    expect(sorted(board, sums, "positions", false, false)).toEqual([0, 1, 2, 3]);
  });

  it("keeps its order from stroke to stroke as if it were sorted anew", () => {
    const board = lattice({ columns: 40, rows: 4, wide: 2 });
    const draft = new Draft(board);
    const roll = dice(7);
    for (const sort of SORTS) {
      for (const onlyOut of [false, true]) {
        const kept = new Order();
        for (let stroke = 0; stroke < 12; stroke += 1) {
          draft.begin();
          for (let dab = 0; dab < 4; dab += 1) draft.paint(Math.floor(roll() * board.size), Math.floor(roll() * board.grids.length));
          draft.end();
          expect(kept.of(board, draft.sums, sort, true, onlyOut)).toEqual(new Order().of(board, draft.sums, sort, true, onlyOut));
        }
        expect(kept.of(board, draft.sums, sort, false, onlyOut)).toEqual(new Order().of(board, draft.sums, sort, false, onlyOut));
      }
    }
  });

  it("lists what moved, most households first", () => {
    const board = lattice({ columns: 4, rows: 1, households: (block) => block });
    const draft = new Draft(board);
    draft.begin();
    draft.paint(0, 1);
    draft.paint(1, 1);
    draft.paint(3, NONE);
    draft.end();
    expect(moves(draft)).toEqual([
      { block: 3, from: 1, to: NONE, households: 3 },
      { block: 1, from: 0, to: 1, households: 1 },
      { block: 0, from: 0, to: 1, households: 0 },
    ]);
    expect(largestBlock(draft, 0)).toBe(NONE);
    expect([0, 1, 2]).toContain(largestBlock(draft, 1));
  });
});

describe("a grid of today that the plan has ended", () => {
  const answer = latticeAnswer({ columns: 4, rows: 1 });
  const [, second] = answer.grids;
  const board = readBoard({
    ...answer,
    grids: answer.grids.slice(0, 1),
    ended: [second!],
    blocks: { ...answer.blocks, grid: [0, 0, 0, NONE] },
  });
  const draft = new Draft(board);

  it("still says where its blocks come from", () => {
    expect(moves(draft).map(({ block, from }) => [block, baseGrid(board, from)?.code])).toEqual([
      [3, second!.code],
      [2, second!.code],
    ]);
    expect(baseGrid(board, NONE)).toBeUndefined();
  });

  it("is nothing that a block can be put back into", () => {
    expect([0, 2, 3].map((block) => homeOf(board, draft.grid, block))).toEqual([0, 0, NONE]);
  });
});

describe("the warnings", () => {
  const city = { columns: 6, rows: 3, wide: 3, households: () => 10 };
  const paint = (draft: Draft, blocks: number[], to: number) => {
    draft.begin();
    for (const block of blocks) draft.paint(block, to);
    draft.end();
  };

  it("find nothing in a plan that is right", () => {
    expect(new Warnings(new Draft(lattice(city))).list()).toEqual([]);
  });

  it("show the smaller piece of a grid that fell apart", () => {
    const draft = new Draft(lattice(city));
    paint(draft, [1, 2, 7, 13, 14], 1);
    expect(warningsOf(draft, 0)).toContainEqual({ kind: "split", grid: 0, blocks: [8], count: 2 });
  });

  it("tell loads on either side, empty grids with their old place, and blocks without a grid", () => {
    const draft = new Draft(lattice({ ...city, households: () => 20 }));
    expect(new Warnings(draft).list().map(({ kind, count }) => [kind, count])).toEqual([
      ["over", 180],
      ["over", 180],
    ]);
    paint(draft, [...draft.blocksOf(0)], NONE);
    paint(draft, [3, 4, 5, 9, 10, 11, 15], 0);
    const warnings = new Warnings(draft).list();
    expect(warnings.map(({ kind, grid }) => [kind, grid])).toEqual([
      ["loose", NONE],
      ["under", 1],
    ]);
    expect(warnings[0]).toMatchObject({ grid: NONE, count: 9 });
    paint(draft, [...draft.blocksOf(1)], 0);
    const [empty] = warningsOf(draft, 1);
    expect(empty).toMatchObject({ kind: "empty", count: 0 });
    expect([...empty!.blocks].sort((a, b) => a - b)).toEqual([3, 4, 5, 9, 10, 11, 15, 16, 17]);
  });

  it("show the smaller part of a grid that straddles communities", () => {
    const board = lattice({ ...city, community: (column, row) => (column === 0 && row === 0 ? "d" : row === 2 ? null : "c") });
    expect(warningsOf(new Draft(board), 0)).toContainEqual({ kind: "straddles", grid: 0, blocks: [0], count: 2 });
  });

  it("are kept up for the grids that a stroke touched as if all were looked at anew", () => {
    const draft = new Draft(lattice(city));
    const kept = new Warnings(draft);
    draft.takeDirty();
    for (const [blocks, to] of [
      [[2, 8], 1],
      [[3], NONE],
      [[16, 4], 0],
      [[2], NONE],
    ] as const) {
      paint(draft, [...blocks], to);
      kept.refresh(draft.takeDirty().grids);
      const plain = (warnings: Warnings) =>
        warnings.list().map(({ blocks: of, ...rest }) => ({ ...rest, blocks: [...of].sort((a, b) => a - b) }));
      expect(plain(kept)).toEqual(plain(new Warnings(draft)));
      expect(kept.count()).toBe(kept.list().length);
    }
  });
});

describe("the box around blocks", () => {
  it("holds them all, and there is none around none", () => {
    const board = lattice({ columns: 6, rows: 3 });
    expect(boxOf(board, [0, 8])).toEqual([0, 0, 3 * SIDE, 2 * SIDE]);
    expect(boxOf(board, [])).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { NONE } from "../src/edit/board";
import { bordersByBlock, bordersOf, divides } from "../src/edit/borders";
import { colouring, COLOURS, recolour, touching } from "../src/edit/colours";
import { Draft } from "../src/edit/draft";
import { Spots } from "../src/edit/spots";
import { dice, lattice, SIDE, squares } from "./edit-city";

const polygon = (...corners: [number, number][]): GeoJSON.Polygon => ({
  type: "Polygon",
  coordinates: [[...corners, corners[0]!]],
});
const lengthOf = (line: GeoJSON.Position[]) =>
  line.slice(1).reduce((sum, [x = 0, y = 0], at) => sum + Math.hypot(x - line[at]![0]!, y - line[at]![1]!), 0);

describe("the borders of blocks", () => {
  it("of a lattice are its inner and its outer sides, each once", () => {
    const board = lattice({ columns: 4, rows: 3 });
    const borders = bordersOf(squares(board));
    const inner = borders.filter(({ b }) => b !== NONE);
    expect(inner).toHaveLength(3 * 3 + 4 * 2);
    expect(new Set(inner.map(({ a, b }) => `${a} ${b}`)).size).toBe(inner.length);
    const outer = borders.filter(({ b }) => b === NONE);
    expect(outer.reduce((sum, { line }) => sum + lengthOf(line), 0)).toBeCloseTo(14 * SIDE);
  });

  it("run on through corners that nobody else has", () => {
    const left = polygon([0, 0], [1, 0], [1, 1], [1, 2], [0, 2]);
    const right = polygon([1, 0], [2, 0], [2, 2], [1, 2], [1, 1]);
    const [shared] = bordersOf([left, right]).filter(({ b }) => b === 1);
    expect(shared?.line.map(([, lat]) => lat).sort()).toEqual([0, 1, 2]);
  });

  it("are found where one block has a corner in the middle of another's side", () => {
    const left = polygon([0, 0], [1, 0], [1, 2], [0, 2]);
    const below = polygon([1, 0], [2, 0], [2, 1], [1, 1]);
    const above = polygon([1, 1], [2, 1], [2, 2], [1, 2]);
    const pairs = bordersOf([left, below, above]).filter(({ b }) => b !== NONE);
    expect(pairs.map(({ a, b, line }) => [a, b, lengthOf(line)]).sort()).toEqual([
      [0, 1, 1],
      [0, 2, 1],
      [1, 2, 1],
    ]);
  });

  it("go around an island within a block, and between parts of a block and its neighbour", () => {
    const sea: GeoJSON.Polygon = {
      type: "Polygon",
      coordinates: [
        polygon([0, 0], [4, 0], [4, 4], [0, 4]).coordinates[0]!,
        polygon([1, 1], [1, 2], [2, 2], [2, 1]).coordinates[0]!,
      ],
    };
    const island = polygon([1, 1], [2, 1], [2, 2], [1, 2]);
    const shore = bordersOf([sea, island]).filter(({ b }) => b === 1);
    expect(shore).toHaveLength(1);
    expect(lengthOf(shore[0]!.line)).toBe(4);
    const parts: GeoJSON.MultiPolygon = {
      type: "MultiPolygon",
      coordinates: [polygon([0, 0], [1, 0], [1, 1], [0, 1]).coordinates, polygon([5, 5], [6, 5], [6, 6], [5, 6]).coordinates],
    };
    expect(bordersOf([parts, null])).toHaveLength(2);
  });

  it("divide grids by what lies on either side", () => {
    const board = lattice({ columns: 4, rows: 3, wide: 2 });
    const borders = bordersOf(squares(board));
    const dividing = borders.filter((border) => border.b !== NONE && divides(border, board.grid));
    expect(dividing.reduce((sum, { line }) => sum + lengthOf(line), 0)).toBeCloseTo(3 * SIDE);
    const along = bordersByBlock(borders, board.size);
    expect(along[5]).toHaveLength(4);
    expect(along[5]!.every((at) => borders[at]!.a === 5 || borders[at]!.b === 5)).toBe(true);
  });
});

describe("the colours of grids", () => {
  it("differ wherever two grids touch", () => {
    const board = lattice({ columns: 40, rows: 30, wide: 1 });
    const roll = dice(4);
    const grid = board.grid.map((_, block) => Math.floor((block % 40) / 4) + 10 * Math.floor(Math.floor(block / 40) / 5));
    for (let at = 0; at < 200; at += 1) grid[Math.floor(roll() * board.size)] = Math.floor(roll() * 40);
    const beside = touching(
      board,
      board.grid.map((one) => one % 60),
      grid,
    );
    const colour = colouring(60, touching(board, grid));
    for (const [one, others] of touching(board, grid)) {
      for (const other of others) expect(colour[other]).not.toBe(colour[one]);
    }
    expect(Math.max(...colour)).toBeLessThan(COLOURS);
    expect(beside.size).toBeGreaterThan(40);
  });

  it("are all used", () => {
    const board = lattice({ columns: 64, rows: 2, wide: 2 });
    expect(new Set(colouring(32, touching(board, board.grid))).size).toBe(COLOURS);
  });

  it("are mended where a stroke brings two of one colour together", () => {
    const draft = new Draft(lattice({ columns: 9, rows: 2, wide: 3 }));
    const colour = Uint8Array.from([0, 1, 0]);
    expect(recolour(draft, 2, colour)).toBe(false);
    draft.begin();
    for (const block of [3, 4, 5]) draft.paint(block, 2);
    draft.end();
    expect(recolour(draft, 2, colour)).toBe(true);
    expect(colour[2]).not.toBe(colour[0]);
    expect(colour[2]).not.toBe(colour[1]);
  });
});

describe("blocks on the ground", () => {
  const board = lattice({ columns: 10, rows: 8 });
  const spots = new Spots(board, squares(board));

  it("are found at a point, and none outside", () => {
    for (let block = 0; block < board.size; block += 1) expect(spots.at(spots.middle(block))).toBe(block);
    expect(spots.at([-1, 0])).toBe(NONE);
    expect(spots.at([500, 80])).toBe(NONE);
  });

  it("are those that the brush touches", () => {
    const metres = SIDE * 111_320;
    expect(spots.within(spots.middle(44), metres * 0.3)).toEqual([44]);
    expect(spots.within(spots.middle(44), metres * 0.55).sort((a, b) => a - b)).toEqual([34, 43, 44, 45, 54]);
  });

  it("are inside a lasso when their middle is", () => {
    const ring = [
      [0, 0],
      [0.029, 0],
      [0.029, 0.024],
      [0, 0.024],
    ] as const;
    expect(spots.inside(ring)).toEqual([0, 1, 2, 10, 11, 12]);
    expect(
      spots.inside([
        [5, 5],
        [6, 5],
        [6, 6],
      ]),
    ).toEqual([]);
  });

  it("lie next to each other in each direction, and nothing lies beyond the edge", () => {
    expect([spots.towards(44, 1, 0), spots.towards(44, -1, 0), spots.towards(44, 0, 1), spots.towards(44, 0, -1)]).toEqual([
      45, 43, 54, 34,
    ]);
    expect(spots.towards(9, 1, 0)).toBe(NONE);
  });

  it("are reached across a gap where no neighbour lies that way", () => {
    const lonely = lattice({ columns: 10, rows: 8 });
    const cut = { ...lonely, first: new Int32Array(lonely.size + 1), neighbour: new Int32Array(0) };
    expect(new Spots(cut, squares(lonely)).towards(44, 1, 0)).toBe(45);
  });
});

/** The borders between blocks as lines, each with the block on either side: of them the borders of grids are chosen. */

import { NONE } from "./board";

/** A stretch of border; `b` is `NONE` where nothing lies beyond. */
export interface Border {
  a: number;
  b: number;
  line: GeoJSON.Position[];
}

/** Two corners this near, in units of 1e-7 degree, are one; a corner this near to a side lies on it. */
const UNIT = 1e7;
const NEAR = 1.5;

/** The borders of blocks that meet without gaps, each once. */
export function bordersOf(shapes: readonly (GeoJSON.Geometry | null)[]): Border[] {
  const corners = new Corners();
  let rings = shapes.flatMap((shape, block) => ringsOf(shape).map((ring) => ({ block, ring: corners.ring(ring) })));
  let sides = sidesOf(rings, corners.count);
  if (rings.some(({ ring }) => openCorners(ring, sides, corners.count).length > 0)) {
    rings = withCorners(rings, sides, corners);
    sides = sidesOf(rings, corners.count);
  }
  return rings.flatMap(({ block, ring }) => stretches(block, ring, sides, corners));
}

interface Ring {
  block: number;
  /** The corners in turn, the first not repeated. */
  ring: number[];
}

/** Corners by number, equal where they are the same place. */
class Corners {
  private readonly numbers = new Map<string, number>();
  readonly at: [x: number, y: number][] = [];

  get count(): number {
    return this.at.length;
  }

  ring(positions: readonly GeoJSON.Position[]): number[] {
    const found: number[] = [];
    for (const [lon = 0, lat = 0] of positions) {
      const corner = this.number(Math.round(lon * UNIT), Math.round(lat * UNIT));
      if (corner !== found.at(-1)) found.push(corner);
    }
    if (found.length > 1 && found[0] === found.at(-1)) found.pop();
    return found;
  }

  position(corner: number): GeoJSON.Position {
    const [x, y] = this.at[corner]!;
    return [x / UNIT, y / UNIT];
  }

  private number(x: number, y: number): number {
    const key = `${x} ${y}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.at.length);
    this.at.push([x, y]);
    return this.at.length - 1;
  }
}

/** Side of a ring -> the blocks on it, one or two. */
type Sides = ReadonlyMap<number, readonly number[]>;

function sidesOf(rings: readonly Ring[], count: number): Sides {
  const sides = new Map<number, number[]>();
  for (const { block, ring } of rings) {
    ring.forEach((corner, at) => {
      const key = keyOf(corner, ring[(at + 1) % ring.length]!, count);
      const known = sides.get(key);
      if (known) known.push(block);
      else sides.set(key, [block]);
    });
  }
  return sides;
}

function keyOf(a: number, b: number, count: number): number {
  return a < b ? a * count + b : b * count + a;
}

/** Where in a ring a side begins that no other block has. */
function openCorners(ring: readonly number[], sides: Sides, count: number): number[] {
  return ring.flatMap((corner, at) => (sides.get(keyOf(corner, ring[(at + 1) % ring.length]!, count))?.length === 1 ? [at] : []));
}

/**
 * Puts the corners of neighbours into sides that run past them: where one block has a corner in the middle of another's
 * side, the two share no whole side, and their border would not be seen as one.
 */
function withCorners(rings: readonly Ring[], sides: Sides, corners: Corners): Ring[] {
  const loose = new Set<number>();
  let length = 0;
  let many = 0;
  for (const { ring } of rings) {
    for (const at of openCorners(ring, sides, corners.count)) {
      const [from, to] = [ring[at]!, ring[(at + 1) % ring.length]!];
      loose.add(from).add(to);
      length += distance(corners.at[from]!, corners.at[to]!);
      many += 1;
    }
  }
  const cell = Math.max(1, length / many);
  const cells = new Map<string, number[]>();
  for (const corner of loose) {
    const [x, y] = corners.at[corner]!;
    const key = `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
    cells.set(key, [...(cells.get(key) ?? []), corner]);
  }
  return rings.map(({ block, ring }) => {
    const open = new Set(openCorners(ring, sides, corners.count));
    if (open.size === 0) return { block, ring };
    return {
      block,
      ring: ring.flatMap((corner, at) => {
        if (!open.has(at)) return [corner];
        return [corner, ...cornersOn(corners, corner, ring[(at + 1) % ring.length]!, cells, cell)];
      }),
    };
  });
}

/** The corners that lie on a side between its ends, in the order of the side. */
function cornersOn(corners: Corners, from: number, to: number, cells: ReadonlyMap<string, number[]>, cell: number): number[] {
  const [ax, ay] = corners.at[from]!;
  const [bx, by] = corners.at[to]!;
  const length = distance([ax, ay], [bx, by]);
  const found: { corner: number; along: number }[] = [];
  for (let i = Math.floor(Math.min(ax, bx) / cell) - 1; i <= Math.floor(Math.max(ax, bx) / cell) + 1; i += 1) {
    for (let j = Math.floor(Math.min(ay, by) / cell) - 1; j <= Math.floor(Math.max(ay, by) / cell) + 1; j += 1) {
      for (const corner of cells.get(`${i} ${j}`) ?? []) {
        if (corner === from || corner === to) continue;
        const [x, y] = corners.at[corner]!;
        const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length;
        const aside = Math.abs((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / length;
        if (aside <= NEAR && along > NEAR && along < length - NEAR) found.push({ corner, along });
      }
    }
  }
  return found.sort((one, other) => one.along - other.along).map(({ corner }) => corner);
}

/** The stretches of a ring with the same neighbour, told by the block with the smaller number. */
function stretches(block: number, ring: readonly number[], sides: Sides, corners: Corners): Border[] {
  const beyond = ring.map((corner, at) => {
    const both = sides.get(keyOf(corner, ring[(at + 1) % ring.length]!, corners.count)) ?? [];
    return both.find((other) => other !== block) ?? NONE;
  });
  const starts = beyond.flatMap((other, at) => (other === beyond.at(at - 1) ? [] : [at]));
  // A ring with one neighbour all around, such as an island, has no start of its own.
  const from = starts.length > 0 ? starts : [0];
  return from.flatMap((start, at) => {
    const b = beyond[start]!;
    if (b !== NONE && b < block) return [];
    const next = from[(at + 1) % from.length]!;
    const count = next > start ? next - start : next + ring.length - start;
    const line = Array.from({ length: count + 1 }, (_, step) => corners.position(ring[(start + step) % ring.length]!));
    return [{ a: block, b, line }];
  });
}

function distance([ax, ay]: readonly [number, number], [bx, by]: readonly [number, number]): number {
  return Math.hypot(ax - bx, ay - by);
}

function ringsOf(shape: GeoJSON.Geometry | null): GeoJSON.Position[][] {
  if (shape?.type === "Polygon") return shape.coordinates;
  return shape?.type === "MultiPolygon" ? shape.coordinates.flat() : [];
}

/** Which borders lie along each block. */
export function bordersByBlock(borders: readonly Border[], size: number): number[][] {
  const of = Array.from({ length: size }, (): number[] => []);
  borders.forEach(({ a, b }, at) => {
    of[a]!.push(at);
    if (b !== NONE) of[b]!.push(at);
  });
  return of;
}

/** Whether a border divides two grids, or a grid from what lies outside. */
export function divides({ a, b }: Border, grid: ArrayLike<number>): boolean {
  return b === NONE || grid[a] !== grid[b];
}

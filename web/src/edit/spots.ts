/** Finds blocks on the ground: at a point, under the brush, inside a lasso, next in a direction. */

import { distanceM, isInside, widened, type Position } from "../map/inside";
import { boxOf, NONE, type Board } from "./board";

/** About this many blocks in each cell of the index. */
const PER_CELL = 4;

export class Spots {
  private readonly cells = new Map<number, number[]>();
  /** Degrees of a cell, of the corner where they begin, and how many there are each way. */
  private readonly side: number;
  private readonly west: number;
  private readonly south: number;
  private readonly columns: number;
  private readonly rows: number;

  constructor(
    private readonly board: Pick<Board, "size" | "bbox" | "lon" | "lat" | "first" | "neighbour">,
    private readonly shapes: readonly (GeoJSON.Geometry | null)[],
  ) {
    const { bbox, size } = board;
    const [west, south, east, north] = boxOf(board, bbox.keys()) ?? [0, 0, 0, 0];
    this.side = Math.sqrt(((east - west) * (north - south) * PER_CELL) / Math.max(1, size)) || 1;
    this.west = west;
    this.south = south;
    this.columns = Math.floor((east - west) / this.side) + 1;
    this.rows = Math.floor((north - south) / this.side) + 1;
    for (let block = 0; block < size; block += 1) {
      for (const cell of this.cellsOf(bbox[block]!)) {
        const known = this.cells.get(cell);
        if (known) known.push(block);
        else this.cells.set(cell, [block]);
      }
    }
  }

  /** The block at a point; `NONE` outside the city. */
  at(point: Position): number {
    const found = this.near([point[0], point[1], point[0], point[1]]).find((block) => {
      const shape = this.shapes[block];
      return shape ? isInside(point, shape) : false;
    });
    return found ?? NONE;
  }

  /** The blocks that a circle touches. */
  within(point: Position, radiusM: number): number[] {
    const box = widened([point[0], point[1], point[0], point[1]], radiusM);
    return this.near(box).filter((block) => {
      const shape = this.shapes[block];
      return shape ? distanceM(point, shape) <= radiusM : false;
    });
  }

  /** The blocks whose middle lies inside a ring. */
  inside(ring: readonly Position[]): number[] {
    const area: GeoJSON.Polygon = { type: "Polygon", coordinates: [ring.map((point) => [...point])] };
    const [lons, lats] = [ring.map(([lon]) => lon), ring.map(([, lat]) => lat)];
    const box = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)] as const;
    return this.near(box).filter((block) => isInside(this.middle(block), area));
  }

  middle(block: number): Position {
    return [this.board.lon[block]!, this.board.lat[block]!];
  }

  /** The block whose middle is nearest to a point. */
  nearest(point: Position): number {
    const scale = Math.cos((point[1] * Math.PI) / 180);
    let best = NONE;
    let least = Infinity;
    for (let block = 0; block < this.board.size; block += 1) {
      const [lon, lat] = this.middle(block);
      const distance = Math.hypot((lon - point[0]) * scale, lat - point[1]);
      if (distance < least) [best, least] = [block, distance];
    }
    return best;
  }

  /** The block next to another in a direction, right and up in steps of one: a neighbour before any other. */
  towards(block: number, right: number, up: number): number {
    const { first, neighbour, size } = this.board;
    const beside = [...neighbour.subarray(first[block]!, first[block + 1]!)];
    const found = this.straightest(block, beside, right, up);
    return found === NONE
      ? this.straightest(
          block,
          Array.from({ length: size }, (_, other) => other),
          right,
          up,
        )
      : found;
  }

  /** Of some blocks the one that lies most in a direction, and not far; `NONE` where none does. */
  private straightest(block: number, others: readonly number[], right: number, up: number): number {
    const [lon, lat] = this.middle(block);
    const scale = Math.cos((lat * Math.PI) / 180);
    let best = NONE;
    let least = Infinity;
    for (const other of others) {
      const [x, y] = this.middle(other);
      const [dx, dy] = [(x - lon) * scale, y - lat];
      const ahead = dx * right + dy * up;
      const aside = Math.abs(dx * up - dy * right);
      // Within half a right angle to either side; a way aside counts twice.
      if (other === block || ahead <= 0 || aside > ahead) continue;
      if (ahead + 2 * aside < least) [best, least] = [other, ahead + 2 * aside];
    }
    return best;
  }

  /** The blocks whose boxes meet a box, each once and by number. */
  near([west, south, east, north]: readonly [number, number, number, number]): number[] {
    const found = new Set<number>();
    for (const cell of this.cellsOf([west, south, east, north])) {
      for (const block of this.cells.get(cell) ?? []) {
        const [w, s, e, n] = this.board.bbox[block]!;
        if (w <= east && e >= west && s <= north && n >= south) found.add(block);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  private *cellsOf([west, south, east, north]: readonly [number, number, number, number]): Generator<number> {
    const place = (at: number, from: number, count: number) =>
      Math.max(0, Math.min(count - 1, Math.floor((at - from) / this.side)));
    const [left, right] = [place(west, this.west, this.columns), place(east, this.west, this.columns)];
    const [bottom, top] = [place(south, this.south, this.rows), place(north, this.south, this.rows)];
    for (let row = bottom; row <= top; row += 1) {
      for (let column = left; column <= right; column += 1) yield row * this.columns + column;
    }
  }
}

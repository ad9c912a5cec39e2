/** The board of a plan: blocks, grids and borders as the server sends them, in arrays that a stroke can run through. */

import type { Bounds } from "../api";

/** What is added up a grid. */
export const MEASURES = ["load", "households", "rentals", "keyUnits", "incidents", "areaM2"] as const;
export type Measure = (typeof MEASURES)[number];

/** The load that a grid should have, in households. */
export interface Band {
  target: number;
  low: number;
  high: number;
}

export interface GridInfo {
  code: string;
  kind: "comprehensive" | "dedicated";
  name_zh: string | null;
  name_en: string | null;
  community_code: string | null;
  beat_code: string | null;
  positions_count: number | null;
}

export interface Locks {
  blocks: string[];
  grids: string[];
}

/** As it comes over the wire: columns of equal length. */
export interface BoardAnswer {
  revision: number;
  band: Band;
  /** What makes load, in households: of one household, one rental and so on. */
  weights: Record<string, number>;
  communities: string[];
  blocks: {
    id: (number | null)[];
    code: string[];
    /** Places in `communities`. */
    community: number[];
    grid: number[];
    base: number[];
    load: number[];
    households: number[];
    rentals: number[];
    key_units: number[];
    incidents: number[];
    area_m2: number[];
    perimeter_m: number[];
    lon: number[];
    lat: number[];
    bbox: Bounds[];
  };
  grids: GridInfo[];
  /** Grids of today that the plan ends; `base` counts them on after `grids`. */
  ended: GridInfo[];
  neighbours: { a: number[]; b: number[]; shared_m: number[]; barrier: boolean[] };
  locks: Partial<Locks>;
}

/** No grid. */
export const NONE = -1;

export interface Board {
  revision: number;
  band: Band;
  /** Whether households alone make the load. */
  countsHouseholds: boolean;
  grids: readonly GridInfo[];
  /** Those of today that the plan ends have places after these, but only in `base`. */
  ended: readonly GridInfo[];
  locks: Locks;
  /** How many blocks. */
  size: number;
  /** The feature of the city's own block; null for one that the plan cut. */
  id: readonly (number | null)[];
  code: readonly string[];
  community: readonly (string | null)[];
  /** Which grid each block is in as the plan stands on the server, and which in force today; `NONE` for none. */
  grid: Int32Array;
  base: Int32Array;
  measure: Readonly<Record<Measure, Float64Array>>;
  perimeterM: Float64Array;
  lon: Float64Array;
  lat: Float64Array;
  bbox: readonly Bounds[];
  /** Block u touches `neighbour[first[u]]` to `neighbour[first[u + 1] - 1]`, each along `sharedM` at the same place. */
  first: Int32Array;
  neighbour: Int32Array;
  sharedM: Float64Array;
  /** 1 where a river or a main road lies between the two, so that a grid does not hang together across it. */
  closed: Uint8Array;
}

export function readBoard({ revision, band, weights, communities, blocks, grids, ended, neighbours, locks }: BoardAnswer): Board {
  return {
    revision,
    band,
    countsHouseholds: Object.entries(weights).every(([name, weight]) => weight === (name === "households" ? 1 : 0)),
    grids,
    ended,
    locks: { blocks: locks.blocks ?? [], grids: locks.grids ?? [] },
    size: blocks.code.length,
    id: blocks.id,
    code: blocks.code,
    community: blocks.community.map((at) => communities[at] || null),
    grid: Int32Array.from(blocks.grid),
    base: Int32Array.from(blocks.base),
    measure: {
      load: Float64Array.from(blocks.load),
      households: Float64Array.from(blocks.households),
      rentals: Float64Array.from(blocks.rentals),
      keyUnits: Float64Array.from(blocks.key_units),
      incidents: Float64Array.from(blocks.incidents),
      areaM2: Float64Array.from(blocks.area_m2),
    },
    perimeterM: Float64Array.from(blocks.perimeter_m),
    lon: Float64Array.from(blocks.lon),
    lat: Float64Array.from(blocks.lat),
    bbox: blocks.bbox,
    ...darts(blocks.code.length, neighbours),
  };
}

/** What a place in `base` stands for; undefined for no grid. */
export function baseGrid({ grids, ended }: Pick<Board, "grids" | "ended">, place: number): GridInfo | undefined {
  return place < grids.length ? grids[place] : ended[place - grids.length];
}

/** The grid that a block goes back to: that of today, or the one it is in where the plan has ended that. */
export function homeOf({ base, grids }: Pick<Board, "base" | "grids">, grid: ArrayLike<number>, block: number): number {
  return base[block]! < grids.length ? base[block]! : grid[block]!;
}

/** Each border seen from both of its sides, by block. */
function darts(
  size: number,
  { a, b, shared_m, barrier }: BoardAnswer["neighbours"],
): Pick<Board, "first" | "neighbour" | "sharedM" | "closed"> {
  const first = new Int32Array(size + 1);
  for (const end of [...a, ...b]) first[end + 1]! += 1;
  for (let block = 0; block < size; block += 1) first[block + 1]! += first[block]!;
  const place = first.slice();
  const neighbour = new Int32Array(2 * a.length);
  const sharedM = new Float64Array(2 * a.length);
  const closed = new Uint8Array(2 * a.length);
  const put = (from: number, to: number, at: number) => {
    const dart = place[from]!;
    place[from] = dart + 1;
    neighbour[dart] = to;
    sharedM[dart] = shared_m[at]!;
    closed[dart] = barrier[at] ? 1 : 0;
  };
  a.forEach((from, at) => {
    put(from, b[at]!, at);
    put(b[at]!, from, at);
  });
  return { first, neighbour, sharedM, closed };
}

/** The box around some blocks; null for none. */
export function boxOf(board: Pick<Board, "bbox">, blocks: Iterable<number>): Bounds | null {
  const box: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const block of blocks) {
    const [west, south, east, north] = board.bbox[block]!;
    box[0] = Math.min(box[0], west);
    box[1] = Math.min(box[1], south);
    box[2] = Math.max(box[2], east);
    box[3] = Math.max(box[3], north);
  }
  return box[0] <= box[2] ? box : null;
}

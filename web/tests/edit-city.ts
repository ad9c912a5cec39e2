/** A city of square blocks in rows, for the tests of the editor. */

import { readBoard, type Board, type BoardAnswer } from "../src/edit/board";

/** Side of a block in degrees; lengths on the board are in units of it. */
export const SIDE = 0.01;

interface Wishes {
  columns: number;
  rows: number;
  /** Grids are made of so many columns of blocks each. */
  wide?: number;
  households?: (block: number) => number;
  community?: (column: number, row: number) => string | null;
  /** Whether a barrier runs between two neighbouring blocks. */
  barrier?: (a: number, b: number) => boolean;
}

export function latticeAnswer({ columns, rows, wide = 2, ...wishes }: Wishes): BoardAnswer {
  const blocks = Array.from({ length: columns * rows }, (_, block) => block);
  const column = (block: number) => block % columns;
  const row = (block: number) => Math.floor(block / columns);
  const grid = blocks.map((block) => Math.floor(column(block) / wide));
  const pairs = blocks.flatMap((block) => [
    ...(column(block) + 1 < columns ? [[block, block + 1] as const] : []),
    ...(row(block) + 1 < rows ? [[block, block + columns] as const] : []),
  ]);
  const community = blocks.map((block) => (wishes.community ? wishes.community(column(block), row(block)) : "c") ?? "");
  const communities = [...new Set(community)];
  const households = blocks.map((block) => wishes.households?.(block) ?? 10 + ((block * 7) % 13));
  return {
    revision: 1,
    band: { target: 100, low: 50, high: 150 },
    weights: { households: 1, rentals: 0 },
    communities,
    blocks: {
      id: blocks.map((block) => block + 1),
      code: blocks.map((block) => `b${block}`),
      community: community.map((code) => communities.indexOf(code)),
      grid,
      base: [...grid],
      load: households,
      households,
      rentals: blocks.map((block) => block % 3),
      key_units: blocks.map((block) => block % 2),
      incidents: blocks.map((block) => (block * 5) % 11),
      area_m2: blocks.map(() => 1),
      perimeter_m: blocks.map(() => 4),
      lon: blocks.map((block) => (column(block) + 0.5) * SIDE),
      lat: blocks.map((block) => (row(block) + 0.5) * SIDE),
      bbox: blocks.map((block) => [column(block) * SIDE, row(block) * SIDE, (column(block) + 1) * SIDE, (row(block) + 1) * SIDE]),
    },
    grids: Array.from({ length: Math.ceil(columns / wide) }, (_, one) => ({
      code: `g${one}`,
      kind: "comprehensive",
      name_zh: `第 ${one} 网格`,
      name_en: null,
      community_code: "c",
      beat_code: null,
      positions_count: 1,
    })),
    ended: [],
    neighbours: {
      a: pairs.map(([a]) => a),
      b: pairs.map(([, b]) => b),
      shared_m: pairs.map(() => 1),
      barrier: pairs.map(([a, b]) => wishes.barrier?.(a, b) ?? false),
    },
    locks: {},
  };
}

export function lattice(wishes: Wishes): Board {
  return readBoard(latticeAnswer(wishes));
}

/** The shapes of its blocks. */
export function squares({ bbox }: Pick<Board, "bbox">): GeoJSON.Polygon[] {
  return bbox.map(([west, south, east, north]) => ({
    type: "Polygon",
    coordinates: [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ],
  }));
}

/** The same numbers every time, between 0 and 1. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

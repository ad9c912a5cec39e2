import { describe, expect, it } from "vitest";
import { bordersOf } from "../src/edit/borders";
import { crosses, Nodes, withNode } from "../src/edit/nodes";
import { lattice, SIDE, squares } from "./edit-city";

/** Three by three blocks, of which the last column may be another community. */
function nodesOf(community?: (column: number) => string): { nodes: Nodes; shapes: GeoJSON.Polygon[] } {
  const board = lattice({ columns: 3, rows: 3, ...(community && { community }) });
  const shapes = squares(board);
  return { nodes: new Nodes({ board, shapes, borders: bordersOf(shapes) }), shapes };
}

describe("the corners of blocks", () => {
  it("are those that a plan may move: not on the outline, not between communities", () => {
    const all = Array.from({ length: 9 }, (_, block) => block);
    const found = nodesOf().nodes.around(all);
    expect(found.map(({ at }) => at.map((degrees) => Math.round(degrees / SIDE)))).toEqual([
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 2],
    ]);
    expect(found.every(({ blocks }) => blocks.length === 4)).toBe(true);
    const apart = nodesOf((column) => (column === 2 ? "d" : "c")).nodes.around(all);
    expect(apart.map(({ at }) => Math.round(at[0] / SIDE))).toEqual([1, 1]);
  });

  it("are found by nearness and by direction", () => {
    const found = nodesOf().nodes.around([4]);
    const first = Nodes.nearest(found, [1.2 * SIDE, 1.1 * SIDE])!;
    expect(first.at).toEqual([SIDE, SIDE]);
    expect(Nodes.towards(found, first.at, 1, 0)?.at).toEqual([2 * SIDE, SIDE]);
    expect(Nodes.towards(found, first.at, 0, 1)?.at).toEqual([SIDE, 2 * SIDE]);
    expect(Nodes.towards(found, first.at, -1, 0)).toBeNull();
    expect(Nodes.nearest([], first.at)).toBeNull();
  });

  it("move in the shape that has them, which then may cross itself", () => {
    const [square] = nodesOf().shapes;
    const moved = withNode(square!, [SIDE, SIDE], [0.8 * SIDE, 0.9 * SIDE]) as GeoJSON.Polygon;
    expect(moved.coordinates[0]![2]).toEqual([0.8 * SIDE, 0.9 * SIDE]);
    expect(square!.coordinates[0]![2]).toEqual([SIDE, SIDE]);
    expect(crosses(moved, [0.8 * SIDE, 0.9 * SIDE])).toBe(false);
    // Past the opposite side.
    const beyond = withNode(square!, [SIDE, SIDE], [0.5 * SIDE, -SIDE]);
    expect(crosses(beyond, [0.5 * SIDE, -SIDE])).toBe(true);
    // The closing corner of a ring stands in it twice.
    const closed = withNode(square!, [0, 0], [0.1 * SIDE, 0]) as GeoJSON.Polygon;
    expect(closed.coordinates[0]![0]).toEqual(closed.coordinates[0]!.at(-1));
  });
});

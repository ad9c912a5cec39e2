/** The corners of blocks: which of them a plan may move, found near a place or next in a direction. */

import type { Position } from "../map/inside";
import { NONE } from "./board";
import type { Opened } from "./opened";

/** A corner, and the blocks that have it. */
export interface Node {
  at: Position;
  blocks: readonly number[];
}

/** Corners this near, in parts of a degree, are one: what the server writes down is rounded there. */
const UNIT = 1e7;

const keyOf = ([lon = 0, lat = 0]: GeoJSON.Position) => `${Math.round(lon * UNIT)} ${Math.round(lat * UNIT)}`;

export class Nodes {
  /** The corners of each block that may be moved. */
  private readonly of: readonly (readonly Node[])[];

  constructor({ board, shapes, borders }: Pick<Opened, "board" | "shapes" | "borders">) {
    const nodes = new Map<string, { at: Position; blocks: number[] }>();
    shapes.forEach((shape, block) => {
      for (const ring of ringsOf(shape)) {
        for (const place of ring.slice(1)) {
          const key = keyOf(place);
          const known = nodes.get(key);
          if (!known) nodes.set(key, { at: [place[0]!, place[1]!], blocks: [block] });
          else if (known.blocks.at(-1) !== block) known.blocks.push(block);
        }
      }
    });
    // A plan moves neither the outline of the city nor the borders of communities.
    for (const { a, b, line } of borders) {
      if (b !== NONE && board.community[a] === board.community[b]) continue;
      for (const place of line) nodes.delete(keyOf(place));
    }
    const of = shapes.map((): Node[] => []);
    for (const node of nodes.values()) for (const block of node.blocks) of[block]!.push(node);
    this.of = of;
  }

  /** The corners of some blocks, each once. */
  around(blocks: Iterable<number>): Node[] {
    const found = new Set<Node>();
    for (const block of blocks) for (const node of this.of[block] ?? []) found.add(node);
    return [...found];
  }

  /** Of some corners the one nearest to a place; null for none. */
  static nearest(nodes: readonly Node[], place: Position): Node | null {
    let best: Node | null = null;
    let least = Infinity;
    for (const node of nodes) {
      const distance = away(place, node.at);
      if (distance < least) [best, least] = [node, distance];
    }
    return best;
  }

  /** Of some corners the nearest that lies in a direction, right and up in steps of one; null where none does. */
  static towards(nodes: readonly Node[], place: Position, right: number, up: number): Node | null {
    const scale = Math.cos((place[1] * Math.PI) / 180);
    let best: Node | null = null;
    let least = Infinity;
    for (const node of nodes) {
      const [dx, dy] = [(node.at[0] - place[0]) * scale, node.at[1] - place[1]];
      const ahead = dx * right + dy * up;
      const aside = Math.abs(dx * up - dy * right);
      if (ahead <= 1 / UNIT || aside > ahead) continue;
      if (ahead + 2 * aside < least) [best, least] = [node, ahead + 2 * aside];
    }
    return best;
  }
}

function away(a: Position, b: Position): number {
  return Math.hypot((a[0] - b[0]) * Math.cos((a[1] * Math.PI) / 180), a[1] - b[1]);
}

/** A block as it is when one of its corners lies elsewhere. */
export function withNode(shape: GeoJSON.Geometry | null, from: Position, to: Position): GeoJSON.Geometry | null {
  const key = keyOf([...from]);
  const ring = (places: GeoJSON.Position[]) => places.map((place) => (keyOf(place) === key ? [...to] : place));
  if (shape?.type === "Polygon") return { ...shape, coordinates: shape.coordinates.map(ring) };
  if (shape?.type === "MultiPolygon") return { ...shape, coordinates: shape.coordinates.map((part) => part.map(ring)) };
  return null;
}

/** Whether the two sides at a corner of a shape meet another of its sides: the shape would cross itself. */
export function crosses(shape: GeoJSON.Geometry | null, at: Position): boolean {
  const key = keyOf([...at]);
  const sides = ringsOf(shape).flatMap((ring) => ring.slice(1).map((to, place) => [ring[place]!, to] as const));
  const isOwn = (side: readonly [GeoJSON.Position, GeoJSON.Position]) => side.some((end) => keyOf(end) === key);
  const own = sides.filter(isOwn);
  return sides.some(
    (side) =>
      !isOwn(side) && own.some((one) => !one.some((end) => side.some((other) => keyOf(end) === keyOf(other))) && meet(one, side)),
  );
}

type Side = readonly [GeoJSON.Position, GeoJSON.Position];

function meet([a, b]: Side, [c, d]: Side): boolean {
  return turn(a, b, c) !== turn(a, b, d) && turn(c, d, a) !== turn(c, d, b);
}

function turn(a: GeoJSON.Position, b: GeoJSON.Position, c: GeoJSON.Position): number {
  return Math.sign((b[0]! - a[0]!) * (c[1]! - a[1]!) - (b[1]! - a[1]!) * (c[0]! - a[0]!));
}

function ringsOf(shape: GeoJSON.Geometry | null): GeoJSON.Position[][] {
  if (shape?.type === "Polygon") return shape.coordinates;
  return shape?.type === "MultiPolygon" ? shape.coordinates.flat() : [];
}

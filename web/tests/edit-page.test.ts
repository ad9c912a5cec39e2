import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { describe, expect, it } from "vitest";
import { nearestNeighbour } from "../src/edit/attach";
import { NONE } from "../src/edit/board";
import { choices, readChoices, USUAL, writeChoices, type Choices } from "../src/edit/choices";
import { Draft, recount } from "../src/edit/draft";
import { BLOCKS, BORDERS, LABELS, PATTERNS, patternImage, sourcesOf, withBoard } from "../src/edit/draw";
import { blockName, gridName, loadText, nameOnMap, percent, shortCode } from "../src/edit/names";
import { jsonLines } from "../src/edit/ndjson";
import { openBoard } from "../src/edit/opened";
import { loadClass } from "../src/edit/painter";
import { previewOf, type Alternative } from "../src/edit/proposal";
import { cuttingLine, sketchFeatures } from "../src/edit/sketch";
import { hashParts, joinParts } from "../src/state/url";
import { STYLE } from "./catalog";
import { lattice, latticeAnswer, squares } from "./edit-city";

const CITY = { columns: 8, rows: 4, wide: 2 };

function opened() {
  const answer = latticeAnswer(CITY);
  const shapes = squares(lattice(CITY));
  return openBoard(answer, { city: new Map(shapes.map((shape, at) => [at + 1, shape])), plan: new Map() });
}

describe("what the planner has chosen", () => {
  const there = (now: Choices) => readChoices(hashParts(joinParts(writeChoices(now))));

  it("comes back from the address as it went in", () => {
    const chosen: Choices = {
      tool: "lasso",
      target: "g/1&2",
      radius: 40,
      tab: "moved",
      tint: "moved",
      shown: "swipe",
      divider: 35,
      traced: true,
      sort: "households",
      falling: false,
      onlyOut: true,
    };
    expect(there(chosen)).toEqual(chosen);
    expect(there(USUAL)).toEqual(USUAL);
    expect(writeChoices(USUAL)).toEqual([]);
    expect(choices.value).toEqual(USUAL);
  });

  it("counts as not chosen where the address says what there is not", () => {
    expect(readChoices(hashParts("#tool=axe&grid=%&brush=9999&tab=x&tint=y&sort=-z"))).toEqual(USUAL);
    expect(readChoices(hashParts("#brush=-5&sort=-code"))).toMatchObject({ radius: USUAL.radius, sort: "code", falling: true });
  });
});

describe("lines of JSON", () => {
  const streamed = (...chunks: string[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
  const read = async (...chunks: string[]) => {
    const found: unknown[] = [];
    for await (const line of jsonLines(streamed(...chunks))) found.push(line);
    return found;
  };

  it("are put together from whatever pieces they come in", async () => {
    const expected = [{ share: 0.5, message: "一半" }, { done: true }];
    const text = expected.map((line) => JSON.stringify(line)).join("\n");
    expect(await read(text)).toEqual(expected);
    expect(await read(`${text}\n`)).toEqual(expected);
    expect(await read(...text)).toEqual(expected);
    expect(await read("", "\n\n")).toEqual([]);
  });

  it("stop the stream when nobody reads on", async () => {
    let stopped = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("1\n")),
      cancel: () => void (stopped = true),
    });
    for await (const _ of jsonLines(endless)) break;
    expect(stopped).toBe(true);
  });
});

describe("an alternative on the map", () => {
  const alternative = (moves: Alternative["moves"], grids: Alternative["grids"] = []) => ({ moves, grids }) as Alternative;

  it("moves its blocks and counts anew, and leaves the draft alone", () => {
    const now = opened();
    const shown = previewOf(now, alternative({ b0: "g1", b1: null }));
    expect([...shown.grid.subarray(0, 3)]).toEqual([1, NONE, 1]);
    expect(shown.sums).toEqual(recount(now.board, shown.grid).sums);
    expect(now.draft.moved.size).toBe(0);
    expect(shown.colour).toBe(now.colour);
  });

  it("brings grids of its own, and the known ones keep their colours", () => {
    const now = opened();
    const shown = previewOf(
      now,
      alternative({ b0: "g9", b1: "g9", b8: "g9" }, [{ code: "g9", name_zh: "", community_code: "c" }]),
    );
    expect(shown.grids.at(-1)).toMatchObject({ code: "g9", kind: "comprehensive", name_zh: null, community_code: "c" });
    expect(shown.sums.blocks[4]).toBe(3);
    expect([...shown.colour.subarray(0, 4)]).toEqual([...now.colour]);
    expect([shown.colour[0], shown.colour[1]]).not.toContain(shown.colour[4]);
  });
});

describe("a board that is opened again", () => {
  it("keeps the colours of its grids, unless two of one colour have come to touch", () => {
    const before = opened();
    before.colour.set([5, 2, 6, 5]);
    const shapes = { city: new Map<number, GeoJSON.Geometry>(), plan: new Map<string, GeoJSON.Geometry>() };
    expect([...openBoard(latticeAnswer(CITY), shapes, before).colour]).toEqual([5, 2, 6, 5]);
    before.colour.set([5, 5, 6, 1]);
    const again = openBoard(latticeAnswer(CITY), shapes, before).colour;
    expect(again[0]).not.toBe(again[1]);
    expect([again[2], again[3]]).toEqual([6, 1]);
  });
});

describe("a detached piece", () => {
  it("goes to the grid it shares the longest way with, but to none across a barrier or under lock", () => {
    const draft = new Draft(lattice({ ...CITY, barrier: (a, b) => a === 10 && b === 18 }));
    draft.begin();
    draft.paint(10, 3);
    draft.end();
    expect(nearestNeighbour(draft, [10])).toBe(1);
    draft.lockedGrids[1] = 1;
    expect(nearestNeighbour(draft, [10])).toBe(0);
    draft.lockedGrids[0] = 1;
    expect(nearestNeighbour(draft, [10])).toBe(NONE);
  });
});

describe("the board in the city's style", () => {
  it.each(["light", "dark"] as const)("is a style that MapLibre takes, %s", (tone) => {
    for (const tint of ["load", "grid", "moved"] as const) {
      const style = withBoard(STYLE, sourcesOf(opened()), { tone, tint, traced: true });
      expect(validateStyleMin(style as never)).toEqual([]);
    }
  });

  it("lies below the streets with its areas, above them with its borders, and above all with its labels", () => {
    const street = { id: "segments", type: "line" as const, source: "water_areas", "source-layer": "segments" };
    const style = withBoard(
      { ...STYLE, layers: [...STYLE.layers.slice(0, 2), street, ...STYLE.layers.slice(-1)] },
      sourcesOf(opened()),
      {
        tone: "light",
        tint: "grid",
        traced: false,
      },
    );
    const order = style.layers.map(({ id }) => id);
    const places = ["water_areas", BLOCKS, "segments", "edit-grid-borders", "incidents", LABELS].map((id) => order.indexOf(id));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it("has a feature of its own for every block and border, none of them numbered 0", () => {
    const now = opened();
    const sources = sourcesOf(now);
    const ids = (name: string) => (sources[name]!.data as GeoJSON.FeatureCollection).features.map(({ id }) => id);
    expect(ids(BLOCKS)).toEqual(now.board.code.map((_, block) => block + 1));
    expect(ids(BORDERS)).toHaveLength(now.borders.length);
    expect(ids(BORDERS)).not.toContain(0);
  });

  it.each(Object.keys(PATTERNS) as (keyof typeof PATTERNS)[])("marks %s with a pattern that has no seam", (id) => {
    const { width, height, data } = patternImage(id, "light");
    const cover = (x: number, y: number) => data[(((y + height) % height) * width + ((x + width) % width)) * 4 + 3]!;
    const covered = Array.from({ length: width * height }, (_, at) => cover(at % width, Math.floor(at / width)));
    expect(Math.max(...covered)).toBeGreaterThan(200);
    expect(Math.min(...covered)).toBe(0);
    // Across the edge neighbouring pixels differ no more than within the tile.
    const steps = (at: number) => Array.from({ length: height }, (_, y) => Math.abs(cover(at, y) - cover(at - 1, y)));
    const within = Array.from({ length: width - 1 }, (_, x) => Math.max(...steps(x + 1)));
    expect(Math.max(...steps(0))).toBeLessThanOrEqual(Math.max(...within));
  });
});

describe("what is sketched", () => {
  const corners = [
    [0, 0],
    [1, 0],
    [1, 1],
  ] as const;

  it("is an area once a lasso has three corners, else a line, with its corners as long as they are few", () => {
    const kinds = (features: GeoJSON.FeatureCollection) => features.features.map(({ geometry }) => geometry.type);
    expect(kinds(sketchFeatures(corners, null, true))).toEqual(["Polygon", "Point", "Point", "Point"]);
    expect(kinds(sketchFeatures(corners, [2, 2], false))).toEqual(["LineString", "Point", "Point", "Point"]);
    expect(kinds(sketchFeatures(corners.slice(0, 1), [2, 2], true))).toEqual(["LineString", "Point"]);
    expect(
      kinds(
        sketchFeatures(
          Array.from({ length: 40 }, (_, at) => [at, 0] as const),
          null,
          false,
        ),
      ),
    ).toEqual(["LineString"]);
  });
});

describe("a line to cut along", () => {
  const box = [0, 0, 2, 2] as const;
  const inside = ([x, y]: readonly [number, number]) => x > 0 && x < 2 && y > 0 && y < 2;

  it("goes straight on at ends that lie inside what is cut, until it is out of it", () => {
    const cut = cuttingLine(
      [
        [0.5, 1],
        [1, 1],
        [1, 1.5],
      ],
      inside,
      [...box],
    );
    expect(cut).toHaveLength(5);
    expect(cut[0]![1]).toBe(1);
    expect(cut.at(-1)![0]).toBe(1);
    expect([cut[0]!, cut.at(-1)!].some(inside)).toBe(false);
  });

  it("stays as it is where it runs right through", () => {
    const through = [
      [-1, 1],
      [3, 1],
    ] as const;
    expect(cuttingLine(through, inside, [...box])).toEqual(through);
    expect(cuttingLine([[1, 1]], inside, [...box])).toEqual([[1, 1]]);
    expect(
      cuttingLine(
        [
          [1, 1],
          [1, 1],
        ],
        inside,
        [...box],
      ),
    ).toHaveLength(2);
  });
});

describe("names and numbers", () => {
  const grid = {
    code: "c003",
    kind: "comprehensive",
    name_zh: "一社区第3网格",
    name_en: null,
    community_code: "c",
    beat_code: null,
    positions_count: null,
  } as const;
  const band = { target: 300, low: 150, high: 500 };

  it("are those of the reader's language, and short on the map", () => {
    expect([gridName(grid, "zh"), gridName(grid, "en"), shortCode(grid), nameOnMap(grid, "zh")]).toEqual([
      "一社区第3网格",
      "一社区第3网格",
      "003",
      "003",
    ]);
    expect(nameOnMap({ ...grid, kind: "dedicated" }, "zh")).toBe("一社区第3网格");
    expect(shortCode({ ...grid, community_code: "x" })).toBe("c003");
    expect(blockName({ code: ["c07", "x"], community: ["c", null] }, 0)).toBe("07");
  });

  it("tell without colour which way a grid is out of the band", () => {
    expect([100, 300, 600].map((households) => loadText(households, "comprehensive", band))).toEqual(["100 ▼", "300", "600 ▲"]);
    expect([60, 120, 300, 600, 900].map((households) => loadClass(households, "comprehensive", band))).toEqual([0, 1, 2, 3, 4]);
  });

  it("never write something as nothing", () => {
    expect([0, 0.00001, 0.0394, 1].map(percent)).toEqual(["0%", "<0.1%", "3.9%", "100%"]);
  });
});

/** Keeps the drawn board in step with the draft: states of what changed, and nothing else, go to the map. */

import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Language } from "../api";
import { deviation, largestBlock, loadOf } from "./balance";
import { NONE, type Band, type Board, type GridInfo } from "./board";
import { divides } from "./borders";
import type { Sums } from "./draft";
import { BLOCKS, BORDERS, featureOf, LABELS } from "./draw";
import { nameOnMap, loadText } from "./names";
import type { Opened } from "./opened";

/** Which assignment is shown: the draft, the plan in force, or an alternative looked at. */
export interface Shown {
  grid: ArrayLike<number>;
  sums: Sums;
  grids: readonly GridInfo[];
  colour: Uint8Array;
}

/** Far below, below, in, above, far above the band. */
const FAR = 1.5;

export function loadClass(sum: number, kind: GridInfo["kind"], band: Band): number {
  const load = loadOf(sum, kind, band);
  if (load === "in") return 2;
  if (load === "under") return sum * FAR < band.low ? 0 : 1;
  return sum > band.high * FAR ? 4 : 3;
}

type State = Record<string, number>;

export class Painter {
  /** What the map was told last, so that it is told only what is new. */
  private blocks: string[] = [];
  private borders: string[] = [];
  /** Before the map has its sources there is nothing to tell. */
  private isReady = false;
  private pointed = NONE;
  private chosen: ReadonlySet<number> = new Set();
  /** Of an assignment other than the draft's, which keeps account of itself. */
  private members: number[][] | null = null;
  /** Grids whose labels are to be drawn anew. */
  private readonly stale = new Set<number>();

  constructor(
    private readonly map: MapLibre,
    private readonly opened: Opened,
    private shown: Shown,
    private target: number,
    private language: Language,
  ) {}

  /** Shows another assignment. */
  show(shown: Shown): void {
    this.shown = shown;
    this.members = null;
    this.drawAll();
  }

  /** Tells a map everything that knows nothing yet, or has forgotten. */
  begin(): void {
    this.isReady = true;
    this.blocks = [];
    this.borders = [];
    this.drawAll();
  }

  /** Looks at everything anew. */
  drawAll(): void {
    for (let block = 0; block < this.opened.board.size; block += 1) this.drawBlock(block);
    this.opened.borders.forEach((_, border) => this.drawBorder(border));
    this.drawLabels();
  }

  /** Draws blocks that moved, and the rest of the grids they left and came to, which may have another colour now. */
  draw({ blocks, grids }: { blocks: Iterable<number>; grids: Iterable<number> }): void {
    const touched = new Set(blocks);
    for (const grid of grids) {
      if (grid !== NONE) this.stale.add(grid);
      for (const block of this.blocksOf(grid)) touched.add(block);
    }
    for (const block of touched) this.drawBlock(block);
    for (const block of touched) for (const border of this.opened.bordersAlong[block]!) this.drawBorder(border);
  }

  point(block: number): void {
    const before = this.pointed;
    this.pointed = block;
    if (before !== NONE) this.drawBlock(before);
    if (block !== NONE) this.drawBlock(block);
  }

  choose(blocks: ReadonlySet<number>): void {
    const both = new Set([...this.chosen, ...blocks]);
    this.chosen = blocks;
    for (const block of both) this.drawBlock(block);
  }

  aim(grid: number): void {
    const both = [...this.blocksOf(this.target), ...this.blocksOf(grid)];
    this.target = grid;
    for (const block of both) for (const border of this.opened.bordersAlong[block]!) this.drawBorder(border);
  }

  speak(language: Language): void {
    this.language = language;
    this.drawLabels();
  }

  /** The blocks of a grid in what is shown; of no grid none, for they look alike however many there are. */
  private blocksOf(grid: number): Iterable<number> {
    if (grid === NONE) return [];
    if (this.isDraft) return this.opened.draft.blocksOf(grid);
    this.members ??= membersOf(this.shown);
    return this.members[grid] ?? [];
  }

  private get isDraft(): boolean {
    return this.shown.grid === this.opened.draft.grid;
  }

  private drawBlock(block: number): void {
    const { board, draft } = this.opened;
    const { grids, colour } = this.shown;
    const grid = this.shown.grid[block]!;
    const info = grids[grid];
    const load = info ? loadClass(this.shown.sums.load[grid]!, info.kind, board.band) : NONE;
    const locked = draft.lockedBlocks[block] === 1 || (info !== undefined && draft.lockedGrids[grid] === 1);
    this.tell(BLOCKS, this.blocks, block, {
      colour: info ? colour[grid]! : NONE,
      load,
      out: load === NONE || load === 2 ? 0 : Math.sign(load - 2),
      moved: grid === board.base[block] ? 0 : 1,
      locked: Number(locked),
      chosen: Number(this.chosen.has(block)),
      pointed: Number(block === this.pointed),
    });
  }

  private drawBorder(at: number): void {
    const border = this.opened.borders[at]!;
    const { grid } = this.shown;
    const inside = [border.a, border.b].filter((block) => block !== NONE && grid[block] === this.target).length;
    const dividing = divides(border, grid);
    this.tell(BORDERS, this.borders, at, {
      dividing: Number(dividing),
      // A border of today that the plan keeps is seen as the plan's own.
      gone: Number(!dividing && divides(border, this.opened.board.base)),
      target: Number(this.target !== NONE && inside === 1),
    });
  }

  private tell(source: string, told: string[], place: number, state: State): void {
    if (!this.isReady) return;
    const text = Object.values(state).join();
    if (told[place] === text) return;
    told[place] = text;
    this.map.setFeatureState({ source, id: featureOf(place) }, state);
  }

  /** The label of every grid, on its largest block. */
  drawLabels(): void {
    const { board, draft } = this.opened;
    const { grid, grids } = this.shown;
    const largest = this.isDraft ? null : largestBlocks(board, grid, grids.length);
    const features = grids.flatMap((_, at) => this.labelOf(at, largest ? largest[at]! : largestBlock(draft, at)) ?? []);
    this.stale.clear();
    this.map.getSource<GeoJSONSource>(LABELS)?.setData({ type: "FeatureCollection", features });
  }

  /** The labels of the grids that were painted since: once a stroke has ended, and no others. */
  drawStaleLabels(): void {
    // No stroke changes the sums of another assignment.
    const stale = this.isDraft ? [...this.stale] : [];
    const features = stale.map((at) => ({ at, feature: this.labelOf(at, largestBlock(this.opened.draft, at)) }));
    this.stale.clear();
    if (features.length === 0) return;
    this.map.getSource<GeoJSONSource>(LABELS)?.updateData({
      remove: features.flatMap(({ at, feature }) => (feature ? [] : [featureOf(at)])),
      add: features.flatMap(({ feature }) => feature ?? []),
    });
  }

  private labelOf(at: number, block: number): GeoJSON.Feature | null {
    if (block === NONE) return null;
    const { board } = this.opened;
    const info = this.shown.grids[at]!;
    const sum = this.shown.sums.load[at]!;
    return {
      type: "Feature",
      id: featureOf(at),
      properties: {
        name: nameOnMap(info, this.language),
        text: loadText(sum, info.kind, board.band),
        load: loadOf(sum, info.kind, board.band),
        // Where there is no room for all, those furthest from the target are told first.
        order: -Math.abs(deviation(sum, board.band)),
      },
      geometry: { type: "Point", coordinates: [board.lon[block]!, board.lat[block]!] },
    };
  }
}

function membersOf({ grid, grids }: Shown): number[][] {
  const members = grids.map((): number[] => []);
  for (let block = 0; block < grid.length; block += 1) members[grid[block]!]?.push(block);
  return members;
}

function largestBlocks({ size, measure }: Board, grid: ArrayLike<number>, count: number): Int32Array {
  const found = new Int32Array(count).fill(NONE);
  for (let block = 0; block < size; block += 1) {
    const at = grid[block]!;
    if (at === NONE) continue;
    const best = found[at]!;
    if (best === NONE || measure.areaM2[block]! > measure.areaM2[best]!) found[at] = block;
  }
  return found;
}

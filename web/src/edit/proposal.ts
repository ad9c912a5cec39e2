/** Proposals: asked for, followed while they are worked out, looked at on the map, and one of them taken. */

import { computed, signal } from "@preact/signals";
import { ApiProblem, problemIn, type Text } from "../api";
import { announce, language, report, t } from "../state/store";
import { NONE, type GridInfo } from "./board";
import { colouring, touching } from "./colours";
import { recount } from "./draft";
import * as http from "./http";
import type { Moves } from "./http";
import { jsonLines } from "./ndjson";
import type { Opened } from "./opened";
import { ended, opened, planId, queue, strokeOf } from "./session";
import { turn } from "./steps";

export const WAYS = ["fewest_moves", "even", "compact", "fresh"] as const;
export type Way = (typeof WAYS)[number];

/** What a plan is worth. */
export interface Score {
  out_of_band_count: number;
  loose_pieces_count: number;
  moved_households_count: number;
  moved_households_share: number;
  changed_grids_count: number;
  worst_deviation_share: number;
  load_cv_share: number;
  cut_m: number;
  compactness: number;
}

/** A part of the city that makes balance impossible. */
export interface Island {
  message: Text;
  blocks: string[];
}

/** What no plan can better; numbers that could not be found are null. */
export interface Bounds {
  must_move_load: number | null;
  flow_load: number | null;
  islands: Island[];
}

export interface Alternative extends Score {
  way: Way;
  name: Text;
  /** False where nothing better was found: it is the draft itself. */
  improved: boolean;
  /** A way that is as good in everything and better in something. */
  dominated_by: Way | null;
  moves: Moves;
  /** Grids that begin with it, and codes of those that end. */
  grids: (Partial<GridInfo> & { code: string })[];
  ended: string[];
  bounds: Bounds;
}

export interface Proposals {
  /** The draft in the same numbers. */
  before: Score;
  alternatives: Alternative[];
}

type Line = { share: number; message: string } | { problem: Record<string, unknown> } | Proposals;

export interface Asking {
  share: number;
  message: string;
}

export const asking = signal<Asking | null>(null);
export const failure = signal<string | null>(null);
export const proposals = signal<Proposals | null>(null);
/** Which alternative the map shows; null for the draft. */
export const previewed = signal<number | null>(null);
export const ways = signal<readonly Way[]>(["fewest_moves", "even", "compact"]);
export const seed = signal(0);

/** Which stroke was the last one when the proposals came. */
export const askedAt = signal(0);

let running = new AbortController();

export async function ask(): Promise<void> {
  const [id, sender] = [planId.peek(), queue.peek()];
  if (id === null || !sender || asking.peek()) return;
  running = new AbortController();
  proposals.value = null;
  previewed.value = null;
  failure.value = null;
  asking.value = { share: 0, message: "" };
  try {
    // What is asked about is the plan as the server has it.
    if (!(await sender.settled())) return;
    const parameters = { ways: ways.peek(), seed: seed.peek() };
    const { body } = await http.askProposal(id, parameters, running.signal);
    if (body) for await (const line of jsonLines<Line>(body)) take(line);
    if (!proposals.peek() && !failure.peek()) failure.value = t("proposalCutShort");
  } catch (error) {
    if (error instanceof ApiProblem && error.status !== 0 && error.status < 500) failure.value = error.said(language.peek());
    else report(error);
  } finally {
    asking.value = null;
  }
}

function take(line: Line): void {
  if ("alternatives" in line) {
    proposals.value = line;
    askedAt.value = ended.peek();
    announce(t("proposalsCame", line.alternatives.length));
  } else if ("problem" in line) failure.value = problemIn(line.problem, 422).said(language.peek()) || t("failed");
  else asking.value = line;
}

export function cancelAsking(): void {
  running.abort();
  announce(t("dismissed"));
}

export function forget(): void {
  proposals.value = null;
  previewed.value = null;
}

/** What the map shows of an alternative: its own grids may be more than the draft has. */
export interface Preview {
  grid: Int32Array;
  grids: readonly GridInfo[];
  sums: ReturnType<typeof recount>["sums"];
  colour: Uint8Array;
}

export const preview = computed((): Preview | null => {
  const now = opened.value;
  const one = previewed.value === null ? undefined : proposals.value?.alternatives[previewed.value];
  return now && one ? previewOf(now, one) : null;
});

export function previewOf({ board, draft, blockAt, colour }: Opened, { moves, grids: added }: Alternative): Preview {
  // Those of today that the plan ends keep their places: blocks are told from where they were by place.
  const grids = [...board.grids, ...board.ended, ...added.map(newGrid)];
  const place = new Map(grids.map(({ code }, at) => [code, at]));
  const grid = draft.grid.slice();
  for (const [block, code] of Object.entries(moves)) {
    const at = blockAt.get(block);
    if (at !== undefined) grid[at] = place.get(code ?? "") ?? NONE;
  }
  const wider = { ...board, grids, ended: [] };
  const { sums } = recount(wider, grid);
  return {
    grid,
    grids,
    sums,
    colour: added.length > 0 ? colouring(grids.length, touching(wider, grid), new Map(colour.entries())) : colour,
  };
}

/** A grid as a proposal describes it; what it does not say is not known yet. */
function newGrid({ code, kind, ...rest }: Partial<GridInfo> & { code: string }): GridInfo {
  return {
    code,
    kind: kind ?? "comprehensive",
    name_zh: rest.name_zh || null,
    name_en: rest.name_en || null,
    community_code: rest.community_code || null,
    beat_code: rest.beat_code || null,
    positions_count: rest.positions_count ?? null,
  };
}

/** Makes an alternative the draft, as one edit that one undo takes back; the planner goes on by hand. */
export async function takeAlternative(at: number): Promise<void> {
  const one = proposals.peek()?.alternatives[at];
  const now = opened.peek();
  if (!one || !now || Object.keys(one.moves).length === 0) return;
  forget();
  if (one.grids.length > 0 || one.ended.length > 0) {
    // Grids begin or end with it: the server makes the edit, and the board is loaded anew.
    const grids = Object.fromEntries([
      ...one.grids.map((grid) => [grid.code, fieldsOf(newGrid(grid))]),
      ...one.ended.map((code) => [code, null]),
    ]);
    const action = "proposal";
    if (await turn((id, revision) => http.moveBlocks(id, revision, one.moves, action, grids)))
      announce(t("proposalTaken"));
    return;
  }
  const to = new Map(
    Object.entries(one.moves).map(([block, code]) => [now.blockAt.get(block)!, now.gridAt.get(code ?? "") ?? NONE]),
  );
  strokeOf(to.keys(), (block) => to.get(block)!, "proposal");
}

function fieldsOf({ code: _, ...fields }: GridInfo): Omit<GridInfo, "code"> {
  return fields;
}

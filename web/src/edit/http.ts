/** What the editor says to the server and hears from it. */

import { json, request, type Bounds, type Text } from "../api";
import type { BoardAnswer, Locks } from "./board";

export const DESKS = ["planner", "supervisor"] as const;
export type Desk = (typeof DESKS)[number];

export const STATES = ["draft", "review", "approved", "effective", "superseded"] as const;
export type PlanState = (typeof STATES)[number];

export interface Plan {
  id: number;
  title: string;
  note: string;
  base_plan_id: number | null;
  state: PlanState;
  revision: number;
  locks: Partial<Locks>;
  made_by: string;
  submitted_by: string | null;
  approved_by: string | null;
  /** `YYYY-MM-DD` */
  effective_on: string | null;
  created_at: string;
  changed_at: string;
}

/** One line of the log. */
export interface Edit {
  seq: number;
  action: string;
  blocks: string[];
  grids: string[];
  undone: boolean;
  desk: string;
  made_at: string;
}

/** Block code -> grid code, null for none. */
export type Moves = Record<string, string | null>;

export interface ServerProblem {
  rule: string;
  title: Text;
  severity: "broken" | "warning" | "incomplete";
  message: Text;
  grids: string[];
  blocks: string[];
  bbox: Bounds | null;
  suggestion: Text | null;
}

export interface Comparison {
  totals: Record<string, number | string[] | null>;
  grids: Record<string, number | string | null>[];
  moved: { block: string; from: string | null; to: string | null; households: number }[];
}

/** A draft made of a file: of a table of blocks and grids, or of a drawing, and then how well that follows the blocks. */
export interface Drawn extends Plan {
  fit: {
    blocks_count: number;
    grids_count: number;
    blocks_without_grid_count: number;
    /** Codes that no grid in force has. */
    grids_new: string[];
    blocks_cut_count?: number;
    households_in_cut_blocks_share?: number;
    /** The worst first. */
    cut_blocks?: { block: string; grid: string; inside_share: number }[];
  };
}

export interface WorkloadTerm {
  name: "households" | "rentals" | "key_units" | "incidents_per_year" | "area_km2";
  /** In households, of one of it. */
  weight: number;
  /** What the policy has. */
  default: number;
  source: string;
  /** How much of it there is in the plan's blocks. */
  amount: number;
  /** Of all work, 0 to 1. */
  share: number;
}

export interface WorkloadModel {
  revision: number;
  /** Whether the plan has weights of its own. */
  own: boolean;
  terms: WorkloadTerm[];
}

const path = (id: number, what = "") => `/plans/${id}${what}`;

function said(method: string, body: unknown, signal?: AbortSignal): RequestInit {
  const headers = { "Content-Type": "application/json" };
  return { method, headers, body: JSON.stringify(body), ...(signal && { signal }) };
}

export const listPlans = () => json<{ plans: Plan[] }>("/plans?limit=1000");

export const createPlan = (title: string) => json<Plan>("/plans", said("POST", { title }));

/** Makes a draft of a file with drawn grids. */
export const sendDrawing = (form: FormData) =>
  json<Drawn>("/plans/imports", { method: "POST", body: form });

export const readPlan = (id: number) => json<Plan>(path(id));

export const copyPlan = (id: number, title: string) => json<Plan>(path(id, "/copy"), said("POST", { title }));

export const deletePlan = async (id: number): Promise<void> => {
  await request(path(id), { method: "DELETE" });
};

export const readBoardOf = (id: number) => json<BoardAnswer>(path(id, "/board"));

/** The blocks that the plan cut or moved, by code. */
export const readShapes = (id: number) => json<{ features: { id: string; geometry: GeoJSON.Geometry }[] }>(path(id, "/shapes"));

export const readEdits = (id: number) => json<{ edits: Edit[] }>(path(id, "/edits"));

/** Assigns blocks; grids that begin (their fields) or end (null) with it go along, all of it one edit. */
export const moveBlocks = (
  id: number,
  revision: number,
  moves: Moves,
  action: string,
  grids: Record<string, unknown> = {},
) => json<Plan>(path(id, "/assignment"), said("PATCH", { revision, moves, grids, action }));

export const putLocks = (id: number, revision: number, locks: Locks) =>
  json<Plan>(path(id, "/locks"), said("PUT", { revision, ...locks }));

/** Turns that need no more than the revision they were made at. */
export type Turn = "undo" | "redo" | "submit" | "withdraw" | "approve";

export const turnPlan = (id: number, turn: Turn, revision: number) =>
  json<Plan>(path(id, `/${turn}`), said("POST", { revision }));

export const sendBack = (id: number, revision: number, note: string) =>
  json<Plan>(path(id, "/send-back"), said("POST", { revision, note }));

export const publishPlan = (id: number, revision: number, effective_on: string) =>
  json<Plan>(path(id, "/publish"), said("POST", { revision, effective_on }));

export type Action = "split_block" | "merge_grids" | "split_grid" | "create_dedicated" | "rename" | "move_node";

export const actOn = (id: number, revision: number, action: Action, args: Record<string, unknown>) =>
  json<Plan>(path(id, "/edits"), said("POST", { revision, action, arguments: args }));

export const readWorkload = (id: number, signal: AbortSignal) => json<WorkloadModel>(path(id, "/workload"), { signal });

/** Gives the plan weights of its own, those not named as they are; null the policy's again. */
export const weighPlan = (id: number, revision: number, weights: Record<string, number> | null) =>
  json<Plan>(path(id, "/workload"), said("PATCH", { revision, weights }));

export const readProblems = (id: number) => json<{ problems: ServerProblem[] }>(path(id, "/problems"));

export const comparePlan = (id: number, other: string, signal: AbortSignal) =>
  json<Comparison>(path(id, `/compare?with=${encodeURIComponent(other)}`), { signal });

/** Opens the stream of a proposal; giving it up cancels the work. */
export const askProposal = (id: number, parameters: Record<string, unknown>, signal: AbortSignal) =>
  request(path(id, "/proposals"), said("POST", parameters, signal));

export const exportHref = (id: number, ending: string) => path(id, `/export.${ending}`);

export const noticeHref = (id: number, ending: string) => path(id, `/notice.${ending}`);

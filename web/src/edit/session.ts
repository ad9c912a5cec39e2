/** The plan that is open: loaded, painted, saved stroke by stroke. */

import { batch, computed, signal } from "@preact/signals";
import { ApiProblem } from "../api";
import { announce, language, report, t } from "../state/store";
import { NONE, type Locks } from "./board";
import { cityBlocks } from "./city-blocks";
import { recolour } from "./colours";
import type { Stroke } from "./draft";
import * as http from "./http";
import type { Edit, Moves, Plan } from "./http";
import { desk } from "./memory";
import { gridName } from "./names";
import { lock, openBoard, type Opened } from "./opened";
import { Queue, type Change } from "./queue";

/** One line of the log as this page can step over it. */
export interface Entry {
  action: string;
  blocks: number;
  /** Made here since the board was loaded, so that the draft steps over it by itself. */
  isOwn: boolean;
}

export const planId = signal<number | null>(null);
export const plan = signal<Plan | null>(null);
export const opened = signal<Opened | null>(null);
export const missing = signal(false);
export const queue = signal<Queue | null>(null);
export const log = signal<{ done: readonly Entry[]; undone: readonly Entry[] }>({ done: [], undone: [] });
/** Rises whenever the draft changed, and once more when a stroke has ended. */
export const touched = signal(0);
export const ended = signal(0);

/** Set while the server changes the plan or the page loads it anew: until then nothing new begins. */
export const isBusy = signal(false);

export const isPlanners = computed(() => plan.value?.state === "draft" && desk.value === "planner");
export const isEditable = computed(() => isPlanners.value && !isBusy.value);

/** Told which blocks moved and which grids that touched, to draw them anew; nothing said is all of them. */
export type Painted = (changed?: { blocks: Iterable<number>; grids: Iterable<number> }) => void;
const watchers = new Set<Painted>();

export function onPainted(watcher: Painted): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Loads the plan and its board; false where that failed. */
export async function openPlan(id: number): Promise<boolean> {
  planId.value = id;
  try {
    await load(id);
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) missing.value = true;
    else report(error, () => void openPlan(id));
    return false;
  }
}

async function load(id: number): Promise<void> {
  const [answer, planned, { features }, { edits }, city] = await Promise.all([
    http.readBoardOf(id),
    http.readPlan(id),
    http.readShapes(id),
    http.readEdits(id),
    cityBlocks(),
  ]);
  const shapes = { city, plan: new Map(features.map((one) => [one.id, one.geometry])) };
  const next = openBoard(answer, shapes, opened.peek());
  batch(() => {
    queue.value ??= new Queue(answer.revision, wireOf(id), { onSaved, onRefused });
    queue.value.restart(answer.revision);
    plan.value = planned;
    opened.value = next;
    locks.value = next.board.locks;
    log.value = entries(edits);
    touched.value += 1;
    ended.value += 1;
  });
  for (const watcher of watchers) watcher();
}

/** Loads everything anew, and forgets what was not saved. */
export async function reload(): Promise<void> {
  const id = planId.peek();
  if (id === null) return;
  isBusy.value = true;
  try {
    await load(id);
  } catch (error) {
    report(error, () => void reload());
  } finally {
    isBusy.value = false;
  }
}

function wireOf(id: number) {
  return {
    send: (change: Change, revision: number): Promise<Plan> => {
      if (change.kind === "move") return http.moveBlocks(id, revision, change.effect, change.action);
      if (change.kind === "lock") return http.putLocks(id, revision, change.locks);
      return http.turnPlan(id, change.kind, revision);
    },
    edits: async () => (await http.readEdits(id)).edits,
    pause,
  };
}

/** Waits, but no longer than until the browser says that the network is back. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener("online", done);
  });
}

function onSaved(saved: Plan): void {
  plan.value = saved;
  // What was locked here since then is still on its way.
  if (queue.peek()?.waiting.peek().length === 0) takeLocks(saved.locks);
}

function onRefused(error: unknown): void {
  report(error);
  void reload();
}

function entries(edits: readonly Edit[]): { done: Entry[]; undone: Entry[] } {
  const of = (undone: boolean) =>
    edits.filter((edit) => edit.undone === undone).map(({ action, blocks }) => ({ action, blocks: blocks.length, isOwn: false }));
  // The one undone last is redone first, and stands first in the log.
  return { done: of(false), undone: of(true).reverse() };
}

export function beginStroke(): void {
  opened.peek()?.draft.begin();
}

/** Puts blocks into a grid within the open stroke; a function gives each block its own. */
export function paint(blocks: Iterable<number>, to: number | ((block: number) => number)): void {
  const now = opened.peek();
  if (!now) return;
  for (const block of blocks) now.draft.paint(block, typeof to === "number" ? to : to(block));
  repaint(now);
}

/** Ends the stroke: it is counted, checked, and sent. */
export function endStroke(action: string): Stroke | null {
  const now = opened.peek();
  const stroke = now?.draft.end() ?? null;
  if (!now || !stroke) return null;
  log.value = { done: [...log.value.done, { action, blocks: stroke.blocks.length, isOwn: true }], undone: [] };
  queue.peek()?.push({ kind: "move", action, effect: effectOf(now, stroke, stroke.to) });
  ended.value += 1;
  announce(strokeText(now, stroke));
  return stroke;
}

export function cancelStroke(): void {
  const now = opened.peek();
  if (!now?.draft.isPainting) return;
  now.draft.cancel();
  repaint(now);
}

/** A whole stroke at once; none while the plan may not be edited. */
export function strokeOf(blocks: Iterable<number>, to: number | ((block: number) => number), action: string): Stroke | null {
  if (!isEditable.peek()) return null;
  beginStroke();
  paint(blocks, to);
  return endStroke(action);
}

function strokeText({ board }: Opened, { blocks, to }: Stroke): string {
  const households = blocks.reduce((sum, block) => sum + board.measure.households[block]!, 0);
  const [first] = to;
  const one = to.every((grid) => grid === first) && first !== undefined && first !== NONE;
  return one
    ? t("paintedInto", blocks.length, households, gridName(board.grids[first]!, language.peek()))
    : t("painted", blocks.length, households);
}

/** What a stroke makes of the assignment, by code. */
export function effectOf({ board }: Opened, { blocks }: Stroke, grids: readonly number[]): Moves {
  const code = (grid: number) => (grid === NONE ? null : board.grids[grid]!.code);
  return Object.fromEntries(blocks.map((block, at) => [board.code[block]!, code(grids[at]!)]));
}

/** Draws and checks what has changed; the sums are right already. */
export function repaint(now: Opened): void {
  const { blocks, grids } = now.draft.takeDirty();
  if (blocks.size === 0) return;
  for (const grid of grids) if (grid !== NONE) recolour(now.draft, grid, now.colour);
  now.warnings.refresh(grids);
  for (const watcher of watchers) watcher({ blocks, grids });
  touched.value += 1;
}

export const locks = signal<Locks>({ blocks: [], grids: [] });

/** Takes what is locked as the server or the planner has it. */
export function takeLocks(next: Partial<Locks>): void {
  const now = opened.peek();
  const whole = { blocks: next.blocks ?? [], grids: next.grids ?? [] };
  if (!now || JSON.stringify(whole) === JSON.stringify(locks.peek())) return;
  lock(now, whole);
  locks.value = whole;
  for (const watcher of watchers) watcher();
}

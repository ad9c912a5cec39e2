/** Steps over the log, and what only the server can do: undo, redo, locks, cuts, merges, turns of the plan. */

import { announce, report, t } from "../state/store";
import type { Locks } from "./board";
import * as http from "./http";
import { clashOf } from "./queue";
import { effectOf, ended, isBusy, isEditable, log, opened, planId, queue, reload, repaint, takeLocks } from "./session";

export const undo = () => step("undo");
export const redo = () => step("redo");

async function step(kind: "undo" | "redo"): Promise<void> {
  const now = opened.peek();
  const sender = queue.peek();
  const { done, undone } = log.peek();
  const entry = (kind === "undo" ? done : undone).at(-1);
  if (!now || !sender || sender.clash.peek() || !entry || now.draft.isPainting || !isEditable.peek()) return;
  if (entry.isOwn) {
    const stroke = entry.action === "lock" ? null : now.draft[kind]();
    const effect = stroke ? effectOf(now, stroke, kind === "undo" ? stroke.from : stroke.to) : {};
    moveEntry(kind);
    sender.push({ kind, effect });
    repaint(now);
    ended.value += 1;
  } else if (!(await turn((id, revision) => http.turnPlan(id, kind, revision)))) return;
  announce(t(kind === "undo" ? "undid" : "redid", t(actionWord(entry.action)), entry.blocks));
}

function moveEntry(kind: "undo" | "redo"): void {
  const { done, undone } = log.value;
  log.value =
    kind === "undo"
      ? { done: done.slice(0, -1), undone: [...undone, done.at(-1)!] }
      : { done: [...done, undone.at(-1)!], undone: undone.slice(0, -1) };
}

const ACTION_WORDS = {
  brush: "actionBrush",
  block: "actionBlock",
  lasso: "actionLasso",
  erase: "actionErase",
  assign: "actionAssign",
  attach: "actionAttach",
  proposal: "actionProposal",
  move_blocks: "actionMove",
  lock: "actionLock",
  describe_grids: "actionDescribe",
  merge_grids: "actionMerge",
  split_grid: "actionSplitGrid",
  split_block: "actionSplitBlock",
  create_dedicated: "actionDedicated",
  rename: "actionRename",
  move_node: "actionCorner",
  set_weights: "actionWeights",
  unlock: "actionLock",
} as const;

export function actionWord(action: string) {
  return ACTION_WORDS[action as keyof typeof ACTION_WORDS] ?? "actionOther";
}

/** Does something with the saved plan and loads what came of it; false where it was refused. */
async function served(work: (id: number) => Promise<unknown>): Promise<boolean> {
  const [id, sender] = [planId.peek(), queue.peek()];
  if (id === null || !sender) return false;
  isBusy.value = true;
  try {
    await work(id);
  } catch (error) {
    isBusy.value = false;
    const clash = clashOf(error);
    if (clash) sender.clash.value = clash;
    else report(error);
    return false;
  }
  await reload();
  return true;
}

/** A turn of the plan that only the server makes, once all strokes are with it. */
export async function turn(work: (id: number, revision: number) => Promise<unknown>): Promise<boolean> {
  const sender = queue.peek();
  if (!sender || isBusy.peek() || !(await sender.settled())) return false;
  return served((id) => work(id, sender.revision));
}

/** An edit that the server makes: cuts, merges, new grids. */
export function act(action: http.Action, args: Record<string, unknown>): Promise<boolean> {
  return turn((id, revision) => http.actOn(id, revision, action, args));
}

export function setLocks(next: Locks): void {
  if (!isEditable.peek()) return;
  log.value = { done: [...log.value.done, { action: "lock", blocks: 0, isOwn: true }], undone: [] };
  takeLocks(next);
  queue.peek()?.push({ kind: "lock", locks: next, effect: {} });
}

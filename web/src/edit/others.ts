/** Others at the same plan: what to do when they were faster, and what a reload left unsent. */

import { effect } from "@preact/signals";
import { beforeSignOut } from "../state/account";
import { announce, report, t } from "../state/store";
import { NONE } from "./board";
import * as http from "./http";
import type { Moves } from "./http";
import { keepUnsent, readUnsent } from "./memory";
import { opened, planId, queue, reload, strokeOf } from "./session";

/** Their plan, without what was not saved here. */
export const takeTheirs = () => reload();

/** Mine said once more, over their plan. */
export async function sayMineAgain(): Promise<void> {
  const mine = queue.peek()?.net() ?? {};
  await reload();
  sayMoves(mine);
}

/** Mine in a copy of its own; theirs stays as it is. */
export async function keepCopy(title: string): Promise<void> {
  const [id, mine] = [planId.peek(), queue.peek()?.net() ?? {}];
  if (id === null) return;
  try {
    const copy = await http.copyPlan(id, title);
    if (Object.keys(mine).length > 0) await http.moveBlocks(copy.id, copy.revision, mine, "move_blocks");
    queue.peek()?.restart(0);
    keepUnsent(id, null);
    location.assign(`/edit/${copy.id}${location.hash}`);
  } catch (error) {
    report(error);
  }
}

function sayMoves(mine: Moves): void {
  const now = opened.peek();
  if (!now) return;
  const to = new Map(
    Object.entries(mine).flatMap(([block, grid]): [number, number][] => {
      const [at, place] = [now.blockAt.get(block), grid === null ? NONE : now.gridAt.get(grid)];
      return at === undefined || place === undefined ? [] : [[at, place]];
    }),
  );
  strokeOf(to.keys(), (block) => to.get(block)!, "move_blocks");
}

/** Strokes that were under way when the page was left: said at the revision they were made at, so that clashes show. */
export function sayUnsent(id: number): void {
  const unsent = readUnsent(id);
  const sender = queue.peek();
  if (!unsent || !sender) return;
  if (unsent.revision === sender.revision) sayMoves(unsent.moves);
  else if (!isSoAlready(unsent.moves)) {
    sender.restart(unsent.revision);
    sender.push({ kind: "move", action: "move_blocks", effect: unsent.moves });
  }
}

function isSoAlready(moves: Moves): boolean {
  const now = opened.peek();
  if (!now) return false;
  return Object.entries(moves).every(([block, grid]) => {
    const at = now.blockAt.get(block);
    return at !== undefined && now.draft.grid[at] === (grid === null ? NONE : now.gridAt.get(grid));
  });
}

/** Keeps unsent strokes over a reload and a way out, asks before they are left, and looks for others' changes on coming back. */
export function watchSession(): void {
  effect(() => {
    const [id, sender] = [planId.value, queue.value];
    if (id === null || !sender || !opened.value) return;
    const waiting = sender.waiting.value.length > 0;
    keepUnsent(id, waiting ? { revision: sender.revision, moves: sender.net() } : null);
  });
  window.addEventListener("beforeunload", (event) => {
    if ((queue.peek()?.waiting.peek().length ?? 0) > 0) event.preventDefault();
  });
  beforeSignOut(async () => {
    const sender = queue.peek();
    if (!sender || (sender.state.peek() === "saving" && (await sender.settled()))) return true;
    const isSaved = sender.state.peek() === "saved";
    if (!isSaved) announce(t("signOutWaits"));
    return isSaved;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void lookForOthers();
  });
}

async function lookForOthers(): Promise<void> {
  const [id, sender] = [planId.peek(), queue.peek()];
  if (id === null || !sender || sender.state.peek() !== "saved" || opened.peek()?.draft.isPainting) return;
  const found = await http.readPlan(id).catch(() => null);
  if (!found || found.revision === sender.revision || sender.state.peek() !== "saved") return;
  await reload();
  announce(t("othersChanged"));
}

/** What the server finds wrong with the saved plan: it sees shapes and rules that the page does not. */

import { computed, effect, signal } from "@preact/signals";
import { report } from "../state/store";
import { moves } from "./balance";
import { baseGrid } from "./board";
import { readProblems, type ServerProblem } from "./http";
import { ended, opened, plan, planId, queue } from "./session";

/** The server is asked when the planner pauses, not after every stroke. */
const QUIET_MS = 900;

/** Null before the first answer. */
export const problems = signal<readonly ServerProblem[] | null>(null);
/** From the moment a change is saved until the server's word on it is here. */
export const isChecking = signal(false);

/** What keeps the draft from being handed in: rules broken in grids that it changes. What was broken before may stay. */
export const blocking = computed((): readonly ServerProblem[] => {
  ended.value;
  const now = opened.value;
  if (!now || !problems.value) return [];
  const { board, draft } = now;
  const changed = new Set(moves(draft).flatMap(({ from, to }) => [baseGrid(board, from)?.code, board.grids[to]?.code]));
  return problems.value.filter(
    ({ severity, grids }) => severity !== "warning" && (grids.length === 0 || grids.some((code) => changed.has(code))),
  );
});

export function followProblems(): void {
  effect(() => {
    const [id, sender, revision] = [planId.value, queue.value, plan.value?.revision];
    if (id === null || revision === undefined || sender?.state.value !== "saved") return undefined;
    isChecking.value = true;
    const timer = setTimeout(() => void check(id), QUIET_MS);
    return () => clearTimeout(timer);
  });
}

let running = false;
let isStale = false;

/** Asks, one question at a time: a server that is still busy with the last one is not asked again before it has answered. */
async function check(id: number): Promise<void> {
  isStale = running;
  if (running) return;
  running = true;
  try {
    do {
      isStale = false;
      const found = await readProblems(id);
      if (!isStale) problems.value = found.problems;
    } while (isStale);
  } catch (error) {
    report(error);
  }
  running = false;
  isChecking.value = false;
}

/** What the server finds wrong with the saved plan: it sees shapes and rules that the page does not. */

import { effect, signal } from "@preact/signals";
import { report } from "../state/store";
import { readProblems, type ServerProblem } from "./http";
import { plan, planId, queue } from "./session";

/** The server is asked when the planner pauses, not after every stroke. */
const QUIET_MS = 900;

/** Null before the first answer. */
export const problems = signal<readonly ServerProblem[] | null>(null);
export const isChecking = signal(false);

export function followProblems(): void {
  effect(() => {
    const [id, sender, revision] = [planId.value, queue.value, plan.value?.revision];
    if (id === null || revision === undefined || sender?.state.value !== "saved") return undefined;
    const stopped = new AbortController();
    const timer = setTimeout(() => {
      isChecking.value = true;
      readProblems(id, stopped.signal)
        .then((found) => (problems.value = found.problems))
        .catch((error: unknown) => report(error))
        .finally(() => (isChecking.value = false));
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      stopped.abort();
    };
  });
}

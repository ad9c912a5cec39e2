/** The saved plan beside the grids in force, as the server compares them: fetched while the review is looked at. */

import { effect, signal } from "@preact/signals";
import { report } from "../state/store";
import { choices } from "./choices";
import { comparePlan, type Comparison } from "./http";
import { plan, planId, queue } from "./session";

export const comparison = signal<Comparison | null>(null);
export const isComparing = signal(false);

export function followComparison(): void {
  effect(() => {
    const [id, revision] = [planId.value, plan.value?.revision];
    if (id === null || revision === undefined || choices.value.tab !== "review") return undefined;
    if (queue.value?.state.value !== "saved") return undefined;
    const stopped = new AbortController();
    isComparing.value = true;
    comparePlan(id, "current", stopped.signal)
      .then((found) => (comparison.value = found))
      .catch((error: unknown) => report(error))
      .finally(() => (isComparing.value = false));
    return () => stopped.abort();
  });
}

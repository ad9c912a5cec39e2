/** Several ways to place so many new posts, beside one another: what each would reach, and where the posts would be. */

import { signal } from "@preact/signals";
import * as api from "../api";
import { failureOf, followJob, refusalOf, type Failure } from "../state/follow";
import { report, t } from "../state/store";
import { question, type CoverageQuestion, type Place } from "./question";

export const SITING = "post_siting";
export const GOALS = ["most_covered", "least_mean_time", "fewest_posts"] as const;
export type Goal = (typeof GOALS)[number];

export interface Siting {
  goal: Goal;
  places: Place[];
  summary: Record<string, unknown>;
  failure: Failure | null;
}

export const MOST_NEW = 10;
export const newCount = signal(3);
export const sitings = signal<Siting[]>([]);
export const isAsking = signal(false);
let running = new AbortController();

/** The parameters that the siting shares with the question; what is tried out already is wanted at those very places. */
export function sitingInputs({ demand, mode, hour, rings }: CoverageQuestion, goal: Goal, count: number): Record<string, unknown> {
  const inputs: Record<string, unknown> = { demand, travel_mode: mode, goal, new_posts_count: count, answer: "at_once" };
  if (hour !== null) inputs.depart_hour = hour;
  if (rings) inputs.reach_min = rings[rings.length - 1];
  return inputs;
}

/** Asks for all goals, one after the other; each is shown as soon as it is here. */
export async function compareSitings(): Promise<void> {
  running.abort();
  running = new AbortController();
  const { signal: stopped } = running;
  sitings.value = [];
  isAsking.value = true;
  try {
    for (const goal of GOALS) {
      const found = await siting(goal, sitingInputs(question.peek(), goal, newCount.peek()), stopped);
      if (stopped.aborted) return;
      sitings.value = [...sitings.value, found];
    }
  } catch (error) {
    if (!stopped.aborted) report(error);
  } finally {
    if (!stopped.aborted) isAsking.value = false;
  }
}

async function siting(goal: Goal, inputs: Record<string, unknown>, stopped: AbortSignal): Promise<Siting> {
  const nothing = { goal, places: [], summary: {} };
  try {
    const status = await followJob(SITING, inputs, { signal: stopped, onStatus: () => undefined });
    const failure = failureOf(status, t("failed"));
    if (failure || typeof status.run_id !== "number") return { ...nothing, failure };
    const [run, sites] = await Promise.all([
      api.run(status.run_id),
      api.items(SITING, { run_id: status.run_id, limit: 1000, where: { standing: "proposed" } }, stopped),
    ]);
    const places = sites.features.flatMap(({ geometry }): Place[] =>
      geometry?.type === "Point" ? [[geometry.coordinates[0] ?? NaN, geometry.coordinates[1] ?? NaN]] : [],
    );
    return { goal, places, summary: run.summary, failure: null };
  } catch (error) {
    const failure = refusalOf(error);
    if (!failure || stopped.aborted) throw error;
    return { ...nothing, failure };
  }
}

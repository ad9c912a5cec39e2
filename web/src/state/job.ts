/** One run at a time: sent, watched until it ends, cancelled when the reader wishes; then its result is drawn. */

import { batch, signal } from "@preact/signals";
import * as api from "../api";
import { ApiProblem, type JobStatus, type Problem } from "../api";
import { toggled } from "../map/legend";
import { announce, catalog, chosenLayers, report, runs, t, visible } from "./store";

export interface Watched {
  service: string;
  title: string;
  /** Null until the server has taken the request. */
  status: JobStatus | null;
  /** What was wrong with the request or the run, in the server's words. */
  failure: { message: string; problems: Problem[] } | null;
}

export const watched = signal<Watched | null>(null);

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2000;

export function isRunning(job: Watched | null): boolean {
  return job !== null && job.failure === null && (job.status === null || !ended(job.status));
}

function ended({ status }: JobStatus): boolean {
  return status !== "accepted" && status !== "running";
}

/** Sends a run, watches it to its end and shows its result on the map. */
export async function startRun(service: string, title: string, inputs: Record<string, unknown>): Promise<void> {
  watched.value = { service, title, status: null, failure: null };
  try {
    let status = await api.execute(service, inputs);
    const id = status.jobID;
    update(service, { status });
    for (let wait = FIRST_WAIT_MS; !ended(status); wait = Math.min(wait * 1.4, LONGEST_WAIT_MS)) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      status = await api.job(id);
      update(service, { status });
    }
    finish(service, title, status);
  } catch (error) {
    fail(service, error);
  }
}

function finish(service: string, title: string, status: JobStatus): void {
  if (status.status === "successful" && typeof status.run_id === "number") {
    showRun(service, status.run_id);
    announce(t("runShown", title));
  } else if (status.status === "dismissed") {
    announce(t("dismissed"));
  } else {
    const { problem, message } = status;
    update(service, {
      failure: { message: problem?.detail ?? problem?.title ?? message ?? t("failed"), problems: problem?.problems ?? [] },
    });
    announce(t("failed"));
  }
}

export async function cancelRun(): Promise<void> {
  const id = watched.value?.status?.jobID;
  if (!id) return;
  try {
    const status = await api.dismiss(id);
    if (watched.value) update(watched.value.service, { status });
  } catch (error) {
    report(error);
  }
}

/** Draws a run of a service, and makes its layer visible. */
export function showRun(service: string, run: number): void {
  batch(() => {
    runs.value = { ...runs.value, [service]: run };
    const layer = catalog.value.find((one) => one.service === service);
    if (layer && !visible.value.has(layer.id)) chosenLayers.value = toggled(catalog.value, visible.value, layer.id);
  });
}

function update(service: string, change: Partial<Watched>): void {
  if (watched.value?.service === service) watched.value = { ...watched.value, ...change };
}

function fail(service: string, error: unknown): void {
  if (error instanceof ApiProblem && error.status !== 0 && error.status < 500) {
    update(service, { failure: { message: error.message, problems: error.problems } });
    return;
  }
  watched.value = null;
  report(error);
}

/** One run at a time: sent, watched until it ends, cancelled when the reader wishes; then its result is drawn. */

import { batch, signal } from "@preact/signals";
import type { JobStatus } from "../api";
import { toggled } from "../map/legend";
import { failureOf, followJob, isEnded, refusalOf, type Failure } from "./follow";
import { announce, catalog, chosenLayers, report, runs, t, visible } from "./store";

export interface Watched {
  service: string;
  title: string;
  /** Null until the server has taken the request. */
  status: JobStatus | null;
  /** What was wrong with the request or the run, in the server's words. */
  failure: Failure | null;
}

export const watched = signal<Watched | null>(null);
let running = new AbortController();

export function isRunning(job: Watched | null): boolean {
  return job !== null && job.failure === null && (job.status === null || !isEnded(job.status));
}

/** Sends a run, watches it to its end and shows its result on the map. */
export async function startRun(service: string, title: string, inputs: Record<string, unknown>): Promise<void> {
  running = new AbortController();
  watched.value = { service, title, status: null, failure: null };
  try {
    const { signal: stopped } = running;
    const status = await followJob(service, inputs, {
      signal: stopped,
      onStatus: (now) => update(service, { status: now }),
    });
    const failure = status.status === "dismissed" ? null : failureOf(status, t("failed"));
    if (status.status === "successful" && typeof status.run_id === "number") {
      showRun(service, status.run_id);
      announce(t("runShown", title));
    } else {
      update(service, { failure });
      announce(t(failure ? "failed" : "dismissed"));
    }
  } catch (error) {
    const refused = refusalOf(error);
    if (refused) {
      update(service, { failure: refused });
    } else if (error instanceof DOMException && error.name === "AbortError") {
      const last = watched.value.status;
      if (last) update(service, { status: { ...last, status: "dismissed" } });
      announce(t("dismissed"));
    } else {
      watched.value = null;
      report(error);
    }
  }
}

export function cancelRun(): void {
  running.abort();
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

/** One question to a service: sent, followed until its job has ended, given up when nobody waits for it any more. */

import * as api from "../api";
import { ApiProblem, type JobStatus, type Problem } from "../api";
import { language } from "./store";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;
/** The same question is the same job, whoever asks: if another reader gave it up, it is asked again, this often. */
const TRIES = 2;

export interface Failure {
  message: string;
  problems: Problem[];
}

export function isEnded({ status }: JobStatus): boolean {
  return status !== "accepted" && status !== "running";
}

/** Asks and waits for the end of the job, which `signal` cancels, on the server too; then it throws an AbortError. */
export async function followJob(
  service: string,
  inputs: Record<string, unknown>,
  { signal, onStatus }: { signal: AbortSignal; onStatus: (status: JobStatus) => void },
): Promise<JobStatus> {
  for (let tries = 1; ; tries += 1) {
    // Not cut short by the signal: only its answer tells which job is to be cancelled.
    let status = await api.execute(service, inputs);
    for (let wait = FIRST_WAIT_MS; !isEnded(status); wait = Math.min(wait * 1.4, LONGEST_WAIT_MS)) {
      if (signal.aborted) await api.dismiss(status.jobID);
      signal.throwIfAborted();
      onStatus(status);
      await pause(wait, signal);
      if (!signal.aborted) status = await api.job(status.jobID);
    }
    signal.throwIfAborted();
    if (status.status !== "dismissed" || tries >= TRIES) {
      onStatus(status);
      return status;
    }
  }
}

/** Why a job gave no result, in the server's words; null where it gave one. */
export function failureOf({ status, problem, message }: JobStatus, unknown: string): Failure | null {
  if (status === "successful") return null;
  return { message: problem?.message?.[language.peek()] ?? problem?.detail ?? problem?.title ?? (message || unknown), problems: problem?.problems ?? [] };
}

/** What was wrong with a request, where the one who asked can mend it; null where the server or the way to it failed. */
export function refusalOf(error: unknown): Failure | null {
  if (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500) return null;
  return { message: error.said(language.peek()), problems: error.problems };
}

/** Waits, or until the signal comes. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Asks a service again whenever the question changes; the last answer stays until the new one is here. */

import { batch, computed, effect, signal, untracked, type ReadonlySignal } from "@preact/signals";
import * as api from "../api";
import type { JobStatus, RunResults } from "../api";
import { failureOf, followJob, refusalOf, type Failure } from "../state/follow";
import { report, t } from "../state/store";

/** A question as it is sent. */
export interface Asked {
  service: string;
  inputs: Record<string, unknown>;
  /** The layer that will show the answer; null where it has none. */
  layer: string | null;
}

export interface Answer extends Asked {
  run: RunResults;
}

export interface Asking {
  /** The last answer, also while a newer question is open. */
  answer: ReadonlySignal<Answer | null>;
  /** How far the open question is; null where none is open. */
  open: ReadonlySignal<{ status: JobStatus | null } | null>;
  /** What was wrong with the last question. */
  failure: ReadonlySignal<Failure | null>;
  /** Whether the answer is one to an earlier question. */
  isStale: ReadonlySignal<boolean>;
  cancel: () => void;
  retry: () => void;
  /** Begins; before that nothing is asked. */
  follow: () => void;
}

/** A reader who is still turning things is left to it. */
const PAUSE_MS = 350;

/** The asking of a question, null while there is none; calls `onAnswer` with each answer, in one step with it. */
export function asking(wanted: ReadonlySignal<Asked | null>, onAnswer: (answer: Answer) => void): Asking {
  const answer = signal<Answer | null>(null);
  const open = signal<{ status: JobStatus | null } | null>(null);
  const failure = signal<Failure | null>(null);
  const tries = signal(0);
  const key = computed(() => JSON.stringify(wanted.value));
  const answered = signal("null");
  let stop: (() => void) | null = null;

  const send = async (asked: Asked, of: string, signal: AbortSignal): Promise<void> => {
    try {
      const status = await followJob(asked.service, asked.inputs, {
        signal,
        onStatus: (now) => (open.value = { status: now }),
      });
      const failed = status.status === "dismissed" ? { message: t("dismissed"), problems: [] } : failureOf(status, t("failed"));
      const run = failed || typeof status.run_id !== "number" ? null : await api.run(status.run_id);
      if (signal.aborted) return;
      batch(() => {
        open.value = null;
        failure.value = failed;
        if (!run) return;
        answer.value = { ...asked, run };
        answered.value = of;
        onAnswer(answer.value);
      });
    } catch (error) {
      if (signal.aborted) return;
      open.value = null;
      failure.value = refusalOf(error) ?? { message: t("noAnswer"), problems: [] };
      if (!refusalOf(error)) report(error);
    }
  };

  const next = () => {
    const of = key.value;
    void tries.value;
    const asked = untracked(() => wanted.value);
    failure.value = null;
    if (!asked || of === untracked(() => answered.value)) return undefined;
    const request = new AbortController();
    open.value = { status: null };
    const wait = untracked(() => answer.value) ? PAUSE_MS : 0;
    const timer = setTimeout(() => void send(asked, of, request.signal), wait);
    stop = () => {
      clearTimeout(timer);
      request.abort();
      open.value = null;
    };
    return stop;
  };

  return {
    answer,
    open,
    failure,
    isStale: computed(() => answer.value !== null && answered.value !== key.value),
    cancel: () => {
      stop?.();
      failure.value = { message: t("dismissed"), problems: [] };
    },
    retry: () => (tries.value += 1),
    follow: () => void effect(next),
  };
}

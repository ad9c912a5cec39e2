/** The bar below the header: which plan, in which state, saved or not, undo and redo. */

import { language, theme, t, view } from "../state/store";
import { EMPTY, writeHash } from "../state/url";
import { type Desk, type PlanState } from "./http";
import { isBusy, isEditable, log, plan, queue } from "./session";
import { Sign } from "./signs";
import { actionWord, redo, undo } from "./steps";

export const STATE_WORDS = {
  draft: "stateDraft",
  review: "stateReview",
  approved: "stateApproved",
  effective: "stateEffective",
  superseded: "stateSuperseded",
} as const satisfies Record<PlanState, string>;

export const DESK_WORDS = { planner: "deskPlanner", supervisor: "deskSupervisor" } as const satisfies Record<Desk, string>;

/** Those who act elsewhere, such as by the command line, may be of another desk. */
export function deskName(one: string): string {
  return one in DESK_WORDS ? t(DESK_WORDS[one as Desk]) : one;
}

export function listHref(): string {
  return `/edit${writeHash({ ...EMPTY, view: view.value, language: language.value, theme: theme.value })}`;
}

export function PlanBar() {
  const now = plan.value;
  return (
    <section class="plan-bar" aria-label={t("planBar")}>
      <a class="plan-back" href={listHref()} aria-label={t("allPlans")} title={t("allPlans")}>
        <Sign name="back" />
      </a>
      {now && (
        <>
          <h2 class="plan-title" title={now.title}>
            {now.title}
          </h2>
          <StateChip state={now.state} />
          <Saved />
          <div class="plan-space" />
          <Steps />
        </>
      )}
    </section>
  );
}

export function StateChip({ state }: { state: PlanState }) {
  return (
    <span class="state-chip" data-state={state}>
      {t(STATE_WORDS[state])}
    </span>
  );
}

/** Whether the server has all of it; read out when that changes. */
function Saved() {
  const sender = queue.value;
  if (!sender || plan.value?.state !== "draft") return null;
  const waiting = sender.waiting.value.length;
  const words = { saved: "allSaved", saving: "savingNow", cutOff: "cutOff", clash: "clashed" } as const;
  const state = isBusy.value && sender.state.value === "saved" ? "saving" : sender.state.value;
  return (
    <span class="saved" data-saved={state} role="status">
      {state === "cutOff" ? t("cutOff", waiting) : t(words[state] as "allSaved")}
      {state === "saved" && <span class="saved-revision"> · {t("revision", plan.value.revision)}</span>}
    </span>
  );
}

function Steps() {
  const { done, undone } = log.value;
  const [last, next] = [done.at(-1), undone.at(-1)];
  const name = (entry: typeof last) => (entry ? t(actionWord(entry.action)) : "");
  return (
    <div class="steps" role="group" aria-label={t("steps")}>
      <button
        type="button"
        class="icon-button"
        disabled={!isEditable.value || !last}
        aria-label={last ? t("undoNamed", name(last)) : t("undo")}
        title={last ? t("undoNamed", name(last)) : t("undo")}
        aria-keyshortcuts="Control+Z"
        onClick={() => void undo()}
      >
        <Sign name="undo" />
      </button>
      <button
        type="button"
        class="icon-button"
        disabled={!isEditable.value || !next}
        aria-label={next ? t("redoNamed", name(next)) : t("redo")}
        title={next ? t("redoNamed", name(next)) : t("redo")}
        aria-keyshortcuts="Control+Shift+Z"
        onClick={() => void redo()}
      >
        <Sign name="redo" />
      </button>
    </div>
  );
}

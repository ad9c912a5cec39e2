/** What makes work, and how much each of it counts: seen by everybody, changed by the planner for this plan alone. */

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { formatNumber } from "../format";
import { announce, language, report, t } from "../state/store";
import * as http from "./http";
import { percent } from "./names";
import { isEditable, plan, planId, queue } from "./session";
import { turn } from "./steps";

const model = signal<http.WorkloadModel | null>(null);

/** Keeps the model as that of the plan's latest saved revision. */
function followModel(): () => void {
  return effect(() => {
    const [id, revision] = [planId.value, plan.value?.revision];
    if (id === null || revision === undefined || queue.value?.state.value !== "saved") return undefined;
    if (model.peek()?.revision === revision) return undefined;
    const stopped = new AbortController();
    http
      .readWorkload(id, stopped.signal)
      .then((found) => (model.value = found))
      .catch((error: unknown) => report(error));
    return () => stopped.abort();
  });
}

export function Weights() {
  const isOpen = useSignal(false);
  return (
    <details class="weights" open={isOpen.value} onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>
        {t("weights")}
        {model.value?.own && <span class="weights-own">{t("weightsOwn")}</span>}
      </summary>
      {isOpen.value && <Model />}
    </details>
  );
}

function Model() {
  useEffect(followModel, []);
  const now = model.value;
  return now ? <Terms key={now.revision} now={now} /> : <p class="hint">{t("loading")}</p>;
}

type Name = http.WorkloadTerm["name"];

function Terms({ now }: { now: http.WorkloadModel }) {
  const typed = useSignal<Partial<Record<Name, string>>>({});
  const textOf = ({ name, weight }: http.WorkloadTerm) => typed.value[name] ?? String(weight);
  const changed = now.terms.filter((term) => Number(textOf(term)) !== term.weight);
  const isWrong = now.terms.every((term) => !(Number(textOf(term)) > 0));
  const say = async (weights: Record<string, number> | null, said: string) => {
    if (await turn((id, revision) => http.weighPlan(id, revision, weights))) announce(said);
  };
  const apply = (event: Event) => {
    event.preventDefault();
    void say(Object.fromEntries(changed.map((term) => [term.name, Number(textOf(term))])), t("weightsApplied"));
  };
  return (
    <form onSubmit={apply}>
      <p class="hint">{t("weightsHint")}</p>
      <table class="weights-table">
        <thead>
          <tr>
            <th scope="col">{t("weightsOf")}</th>
            <th scope="col">{t("weightsEach")}</th>
            <th scope="col">{t("weightsAmount")}</th>
            <th scope="col">{t("weightsShare")}</th>
          </tr>
        </thead>
        <tbody>
          {now.terms.map((term) => (
            <tr key={term.name} data-term={term.name}>
              <th scope="row" title={term.source}>
                <label for={`weight-${term.name}`}>{t(TERM_WORDS[term.name])}</label>
                <small>{t("weightsDefault", formatNumber(term.default, language.value))}</small>
              </th>
              <td>
                <input
                  id={`weight-${term.name}`}
                  type="number"
                  required
                  min={0}
                  max={1e6}
                  step="any"
                  readOnly={!isEditable.value}
                  value={textOf(term)}
                  onInput={(event) => (typed.value = { ...typed.value, [term.name]: event.currentTarget.value })}
                />
              </td>
              <td>{formatNumber(Math.round(term.amount), language.value)}</td>
              <td>{percent(term.share)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {isWrong && (
        <p class="field-problem" role="alert">
          {t("weightsNone")}
        </p>
      )}
      <div class="tool-actions">
        <button class="button primary" disabled={!isEditable.value || changed.length === 0 || isWrong}>
          {t("weightsApply")}
        </button>
        <button
          type="button"
          class="button"
          disabled={!isEditable.value || !now.own}
          onClick={() => void say(null, t("weightsWereReset"))}
        >
          {t("weightsReset")}
        </button>
      </div>
    </form>
  );
}

const TERM_WORDS = {
  households: "termHouseholds",
  rentals: "termRentals",
  key_units: "termKeyUnits",
  incidents_per_year: "termIncidents",
  area_km2: "termArea",
} as const satisfies Record<Name, string>;

/** `/edit`: all plans of the city, a new draft from the grids in force, copies, and drafts thrown away. */

import { effect, signal, useSignal } from "@preact/signals";
import { formatDay, formatInstant } from "../format";
import { city, language, reader, report, t, theme, timeZone, view } from "../state/store";
import { dayOf } from "../state/time";
import { EMPTY, writeHash } from "../state/url";
import { DrawingForm } from "./drawing-form";
import * as http from "./http";
import { desk } from "./memory";
import { deskName, StateChip } from "./plan-bar";
import { Sign } from "./signs";

const plans = signal<http.Plan[] | null>(null);

async function load(): Promise<void> {
  try {
    plans.value = (await http.listPlans()).plans;
  } catch (error) {
    report(error, () => void load());
  }
}

/** Once there is a city, its plans; and again when the page comes back to the front. */
export function followPlans(): void {
  effect(() => {
    if (city.value) void load();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && city.peek()) void load();
  });
}

const hash = () => writeHash({ ...EMPTY, view: view.value, language: language.value, theme: theme.value });
const planHref = (id: number) => `/edit/${id}${hash()}`;

async function open(work: () => Promise<http.Plan>): Promise<void> {
  try {
    location.assign(planHref((await work()).id));
  } catch (error) {
    report(error);
  }
}

export function PlanList() {
  return (
    <main class="plan-list" id="plans">
      <div class="plan-list-head">
        <div>
          <h2>{t("plans")}</h2>
          <p class="hint">{t("plansHint")}</p>
        </div>
      </div>
      {desk.value === "planner" && <NewDraft />}
      {desk.value === "planner" && (
        <DrawingForm usualTitle={usualTitle()} href={planHref} onMade={() => void load()} onThrownAway={throwAway} />
      )}
      {plans.value === null && <p class="hint">{t("loading")}</p>}
      {plans.value?.length === 0 && <p class="hint nothing">{t("noPlans")}</p>}
      {plans.value && plans.value.length > 0 && <Table list={plans.value} />}
    </main>
  );
}

function usualTitle(): string {
  return t("draftTitle", formatDay(dayOf(new Date().toISOString(), timeZone.value), language.value));
}

async function throwAway(plan: number): Promise<void> {
  try {
    await http.deletePlan(plan);
  } catch (error) {
    report(error);
  }
  await load();
}

function NewDraft() {
  const title = useSignal("");
  const usual = usualTitle();
  const make = (event: Event) => {
    event.preventDefault();
    void open(() => http.createPlan(title.value.trim() || usual));
  };
  return (
    <form class="new-draft" onSubmit={make}>
      <label>
        {t("titleOfDraft")}
        <input
          maxLength={200}
          placeholder={usual}
          value={title.value}
          onInput={(event) => (title.value = event.currentTarget.value)}
        />
      </label>
      <button class="button primary">
        <Sign name="plus" />
        {t("newDraft")}
      </button>
    </form>
  );
}

function Table({ list }: { list: http.Plan[] }) {
  return (
    <div class="table-wide">
      <table class="plans">
        <caption class="unseen">{t("plans")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("columnTitle")}</th>
            <th scope="col">{t("columnState")}</th>
            <th scope="col">{t("columnDesk")}</th>
            <th scope="col">{t("columnRevision")}</th>
            <th scope="col">{t("columnEffective")}</th>
            <th scope="col">{t("columnChanged")}</th>
            <th scope="col">
              <span class="unseen">{t("columnActions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {list.map((plan) => (
            <Row key={plan.id} plan={plan} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ plan }: { plan: http.Plan }) {
  const asked = useSignal(false);
  return (
    <tr data-plan={plan.id} data-state={plan.state}>
      <th scope="row">
        <a href={planHref(plan.id)}>{plan.title}</a>
        <small>
          {t("planNumber", plan.id)}
          {plan.base_plan_id !== null && ` · ${t("copyOf", plan.base_plan_id)}`}
        </small>
      </th>
      <td>
        <StateChip state={plan.state} />
      </td>
      <td>{deskName(plan.made_by)}</td>
      <td class="number">{plan.revision}</td>
      <td>{plan.effective_on ? formatDay(plan.effective_on, language.value) : t("empty")}</td>
      <td>{formatInstant(plan.changed_at, reader.value)}</td>
      <td class="plan-actions">
        {asked.value ? (
          <>
            <span>{t("reallyThrowAway")}</span>
            <button type="button" class="button danger" onClick={() => void throwAway(plan.id)}>
              {t("throwAway")}
            </button>
            <button type="button" class="button" onClick={() => (asked.value = false)}>
              {t("keep")}
            </button>
          </>
        ) : (
          <>
            <button
              type="button"
              class="icon-button"
              aria-label={t("copyNamed", plan.title)}
              title={t("copyPlan")}
              onClick={() => void open(() => http.copyPlan(plan.id, t("copyTitle", plan.title)))}
            >
              <Sign name="copy" />
            </button>
            {plan.state === "draft" && (
              <button
                type="button"
                class="icon-button"
                aria-label={t("throwAwayNamed", plan.title)}
                title={t("throwAway")}
                onClick={() => (asked.value = true)}
              >
                <Sign name="trash" />
              </button>
            )}
          </>
        )}
      </td>
    </tr>
  );
}

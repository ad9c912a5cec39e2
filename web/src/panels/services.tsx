/** What the city can compute: choose a service, fill in its form, watch the run, read the result. */

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import * as api from "../api";
import type { Process, ProcessSummary } from "../api";
import { collect, formFields, type FieldProblem, type FieldValues } from "../form/model";
import { SchemaFields } from "../form/schema";
import { may } from "../state/account";
import { cancelRun, isRunning, startRun, watched } from "../state/job";
import { city, language, period, report, t, timeZone } from "../state/store";
import { addDays } from "../state/time";
import { Icon } from "./icons";
import { PanelHead } from "./panel";
import { RunResult } from "./result";

/** The parameters that every service of events takes for its period. */
const PERIOD_FIELDS = { from: "occurred_from", before: "occurred_before" };

const summaries = signal<ProcessSummary[] | null>(null);
const opened = signal<string | null>(null);
const described = signal<Process | null>(null);

/** Keeps the list and the opened description in the reader's language. */
export function followServices(): void {
  effect(() => {
    if (!city.value) return;
    const load = (): Promise<void> =>
      api
        .processes(language.value)
        .then(({ processes }) => {
          summaries.value = processes;
          const [only] = processes;
          if (processes.length === 1 && only) opened.value = only.id;
        })
        .catch((error: unknown) => report(error, () => void load()));
    void load();
  });
  effect(() => {
    const id = opened.value;
    if (id === null) {
      described.value = null;
      return;
    }
    const load = (): Promise<void> =>
      api
        .process(id, language.value)
        .then((found) => void (described.value = found))
        .catch((error: unknown) => report(error, () => void load()));
    void load();
  });
}

export function ServicesPanel() {
  const process = described.value;
  return (
    <section class="panel" id="panel-services" aria-labelledby="title-services">
      <PanelHead panel="services" title={t("services")} hint={t("servicesHint")} />
      <div class="panel-body">
        {process && opened.value ? <ServiceDetail process={process} key={process.id} /> : <ServiceList />}
      </div>
    </section>
  );
}

function ServiceList() {
  if (summaries.value?.length === 0) return <p class="hint">{t("noServices")}</p>;
  return (
    <ul class="services">
      {summaries.value?.map(({ id, title, description }) => (
        <li key={id}>
          <button type="button" class="service" data-service={id} onClick={() => (opened.value = id)}>
            <strong>{title}</strong>
            {description && <span>{description}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}

function ServiceDetail({ process }: { process: Process }) {
  const fields = useMemo(() => formFields(process["wangge:schema"], language.value), [process]);
  const values = useSignal<FieldValues>({});
  const problems = useSignal<Record<string, FieldProblem>>({});
  const job = watched.value;
  const busy = isRunning(job);
  const changed = Object.keys(values.value).length > 0;

  useEffect(() => {
    problems.value = {};
  }, [values.value]);

  const takePeriod = () => {
    if (!period.value) return;
    const [from, before] = [`${period.value.from}T00:00`, `${addDays(period.value.to, 1)}T00:00`];
    values.value = { ...values.value, [PERIOD_FIELDS.from]: from, [PERIOD_FIELDS.before]: before };
  };

  const submit = (event: Event) => {
    event.preventDefault();
    const body = (event.currentTarget as HTMLElement).closest(".panel-body");
    const { inputs, problems: found } = collect(fields, values.value, timeZone.value);
    problems.value = found;
    const [first] = Object.keys(found);
    if (first) document.getElementById(`input-${first}`)?.focus();
    else {
      void startRun(process.id, process.title, inputs);
      // How far it is, and then what came out, stand at the top.
      body?.scrollTo({ top: 0 });
    }
  };

  return (
    <>
      {(summaries.value?.length ?? 0) > 1 && (
        <button type="button" class="link back" onClick={() => (opened.value = null)}>
          <Icon name="previous" />
          {t("allServices")}
        </button>
      )}
      <h3 class="service-title">{process.title}</h3>
      {process.description && <p class="service-text">{process.description}</p>}
      {job?.service === process.id && <JobState />}
      <RunResult service={process.id} words={process["wangge:words"] ?? {}} />
      <h3 class="section-title">{t("newRun")}</h3>
      <form onSubmit={submit} noValidate aria-label={process.title}>
        {period.value && fields.some(({ name }) => name === PERIOD_FIELDS.from) && (
          <button type="button" class="link use-period" onClick={takePeriod}>
            {t("usePeriod")}
          </button>
        )}
        <SchemaFields prefix="input" fields={fields} values={values} problems={problems.value} />
        <div class="form-buttons">
          <button type="submit" class="button primary" disabled={busy || !may("POST /processes/{id_}/execution")}>
            {t("run")}
          </button>
          {changed && !busy && (
            <button type="button" class="button" onClick={() => (values.value = {})}>
              {t("reset")}
            </button>
          )}
        </div>
      </form>
    </>
  );
}

function JobState() {
  const job = watched.value;
  if (!job) return null;
  if (job.failure) {
    return (
      <div class="job job-failed" role="alert">
        <p class="job-title">
          <Icon name="warning" />
          {t("failed")}
        </p>
        <p>{job.failure.message}</p>
        {job.failure.problems.length > 0 && (
          <ul>
            {job.failure.problems.map((problem) => (
              <li key={`${problem.field}${problem.message}`}>
                {problem.field && <strong>{problem.field}: </strong>}
                {api.problemText(problem, language.value)}
              </li>
            ))}
          </ul>
        )}
      </div>
    );
  }
  const state = job.status?.status ?? "accepted";
  const share = job.status?.progress ?? 0;
  return (
    <div class={`job job-${state}`}>
      <p class="job-title">
        {state === "successful" && <Icon name="check" />}
        {t(state)}
        {job.status?.message && isRunning(job) && <span class="job-message">{job.status.message}</span>}
      </p>
      {isRunning(job) && (
        <>
          <progress max={100} value={state === "accepted" ? undefined : share} aria-label={t("progress")} />
          <button type="button" class="button" onClick={cancelRun}>
            {t("cancel")}
          </button>
        </>
      )}
    </div>
  );
}

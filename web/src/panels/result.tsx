/** The result that the map shows: its numbers, how it was computed, and the earlier ones to go back to. */

import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../api";
import type { Provenance, Run, RunResults } from "../api";
import { formatInstant } from "../format";
import { named, type Words } from "./numbers";
import { NumbersTable } from "./numbers-table";
import { showRun, watched } from "../state/job";
import { language, reader, report, runs, t } from "../state/store";

/** The runs of each service, the newest first. */
const history = signal<Record<string, Run[]>>({});
/** The run that is shown, with its provenance. */
const opened = signal<RunResults | null>(null);

export function RunResult({ service, words }: { service: string; words: Words }) {
  useEffect(() => followRuns(service), [service]);
  useEffect(() => followOpened(service), [service]);
  const known = history.value[service] ?? [];
  const id = shownRun(service);
  const result = opened.value?.run_id === id ? opened.value : null;
  if (id === null || !result) return null;
  return (
    <section class="result" aria-labelledby="title-result">
      <h3 class="section-title" id="title-result">
        {t("result")}
      </h3>
      <label class="field">
        <span>{t("shownOnMap")}</span>
        <select value={String(id)} onChange={(e) => showRun(service, Number(e.currentTarget.value))}>
          {[...new Set([...known.map((run) => run.id), id])].map((one) => (
            <option key={one} value={String(one)}>
              {runLabel(one, known)}
            </option>
          ))}
        </select>
      </label>
      <NumbersTable values={result.summary} words={words} />
      <HowComputed provenance={result.provenance} words={words} />
    </section>
  );
}

function runLabel(id: number, known: Run[]): string {
  const created = known.find((run) => run.id === id)?.created;
  const parts = [t("runNumber", id)];
  if (created) parts.push(formatInstant(created, reader.value));
  if (known[0]?.id === id) parts.push(t("latestRun"));
  return parts.join(" · ");
}

/** The run that the map draws: the reader's choice, else the latest. */
function shownRun(service: string): number | null {
  return runs.value[service] ?? history.value[service]?.[0]?.id ?? null;
}

/** Asks for the runs of a service, and again whenever one has ended. */
function followRuns(service: string): () => void {
  return effect(() => {
    const job = watched.value;
    if (job && job.status?.status !== "successful") return;
    api
      .runs(service)
      .then((found) => (history.value = { ...history.peek(), [service]: found.runs }))
      .catch((error: unknown) => report(error));
  });
}

function followOpened(service: string): () => void {
  return effect(() => {
    const id = shownRun(service);
    if (id === null || opened.peek()?.run_id === id) return;
    api
      .run(id)
      .then((found) => (opened.value = found))
      .catch((error: unknown) => report(error));
  });
}

function HowComputed({ provenance, words }: { provenance: Provenance; words: Words }) {
  const { n, period, left_out: leftOut, choices, parameters, version } = provenance;
  return (
    <details class="how">
      <summary>{t("howComputed")}</summary>
      <dl class="rows">
        <div>
          <dt>{t("basis")}</dt>
          <dd>{t("basisCount", n)}</dd>
        </div>
        {period && (
          <div>
            <dt>{t("usedPeriod")}</dt>
            <dd>{t("range", formatInstant(period[0], reader.value), formatInstant(period[1], reader.value))}</dd>
          </div>
        )}
        <div>
          <dt>{t("leftOut")}</dt>
          <dd>
            {leftOut.length === 0
              ? t("nothingLeftOut")
              : leftOut.map(({ reason, count }) => <p key={reason}>{t("leftOutRow", count, named(reason, words, language.value))}</p>)}
          </dd>
        </div>
        <div>
          <dt>{t("serviceVersion")}</dt>
          <dd>{version}</dd>
        </div>
      </dl>
      <NumbersTable caption={t("choices")} values={choices} words={words} />
      <NumbersTable caption={t("parameters")} values={parameters} words={words} />
    </details>
  );
}

/** The result that the map shows: its numbers, how it was computed, and the earlier ones to go back to. */

import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../api";
import type { Provenance, Run } from "../api";
import { formatInstant, formatNumber } from "../format";
import { plain } from "../form/model";
import { runResults, showRun, watched } from "../state/job";
import { language, reader, report, runs, t } from "../state/store";

const history = signal<Record<string, Run[]>>({});

export function RunResult({ service }: { service: string }) {
  useEffect(() => follow(service), [service]);
  const known = history.value[service] ?? [];
  const shown = known.find(({ id }) => id === runs.value[service]) ?? known[0];
  if (!shown) return null;
  const provenance = runResults.value[shown.id]?.provenance;
  return (
    <section class="result" aria-labelledby="title-result">
      <h3 id="title-result">{t("result")}</h3>
      <label class="field">
        <span>{t("shownOnMap")}</span>
        <select value={String(shown.id)} onChange={(e) => showRun(service, Number(e.currentTarget.value))}>
          {known.map((run, index) => (
            <option key={run.id} value={String(run.id)}>
              {`${t("runNumber", run.id)} · ${formatInstant(run.created, reader.value)}`}
              {index === 0 ? ` · ${t("latestRun")}` : ""}
            </option>
          ))}
        </select>
      </label>
      <NumbersTable caption={t("result")} values={shown.summary} />
      {provenance && <HowComputed provenance={provenance} />}
    </section>
  );
}

/** Asks for the runs of a service, and again whenever one has ended. */
function follow(service: string): () => void {
  return effect(() => {
    const job = watched.value;
    if (job && job.status?.status !== "successful") return;
    api
      .runs(service)
      .then((found) => (history.value = { ...history.peek(), [service]: found.runs }))
      .catch((error: unknown) => report(error));
  });
}

function HowComputed({ provenance }: { provenance: Provenance }) {
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
            {leftOut.length === 0 ? t("nothingLeftOut") : leftOut.map((one) => <p key={one.reason}>{t("leftOutRow", one.count, one.reason)}</p>)}
          </dd>
        </div>
        <div>
          <dt>{t("serviceVersion")}</dt>
          <dd>{version}</dd>
        </div>
      </dl>
      <NumbersTable caption={t("choices")} values={choices} />
      <NumbersTable caption={t("parameters")} values={parameters} />
    </details>
  );
}

function NumbersTable({ caption, values }: { caption: string; values: Record<string, unknown> }) {
  const entries = Object.entries(values);
  if (entries.length === 0) return null;
  return (
    <table class="numbers">
      <caption>{caption}</caption>
      <tbody>
        {entries.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{plain(name)}</th>
            <td>{readable(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function readable(value: unknown): string {
  if (value === null || value === undefined || value === "") return t("empty");
  if (typeof value === "number") return formatNumber(value, language.value);
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (Array.isArray(value)) return value.length === 0 ? t("empty") : value.map(readable).join(language.value === "zh" ? "、" : ", ");
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([name, inner]) => `${plain(name)} ${readable(inner)}`)
      .join(language.value === "zh" ? "；" : "; ");
  }
  return String(value);
}

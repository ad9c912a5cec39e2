/** The answer: what the method says of itself, the places it found, the numbers behind them, and the ways out. */

import { useEffect } from "preact/hooks";
import { FailedJob, OpenJob } from "../panels/job-state";
import { openPanel } from "../state/layout";
import { language, selected, t } from "../state/store";
import { answerLayer, main, problems } from "./answer";
import { ExportLinks } from "./export-links";
import { MethodCard } from "./method-card";
import { fields, method, methods, words } from "./methods";
import { PanelTop } from "./panel-top";
import { PlaceDetail } from "./place-detail";
import { PlaceList } from "./place-list";
import { Summary } from "./summary";

export function AnswerPanel() {
  const layer = answerLayer.value;
  const place = layer && selected.value?.layer === layer.id ? selected.value.id : null;
  return (
    <section class="panel answer" id="panel-answer" aria-labelledby="title-answer">
      <PanelTop panel="answer" title={method.value?.["wangge:titles"][language.value] ?? t("answer")} />
      <div class="panel-body" data-stale={main.isStale.value}>
        {place === null ? <Overview /> : <PlaceDetail key={place} />}
      </div>
    </section>
  );
}

function Overview() {
  const answer = main.answer.value;
  // A list seen anew begins at its top, not where the last one was left.
  useEffect(() => document.querySelector("#panel-answer .panel-body")?.scrollTo({ top: 0 }), [answer?.service]);
  return (
    <>
      {methods.value.length === 0 && <p class="hint">{t("noMethods")}</p>}
      <MethodCard />
      <State />
      {answer && answer.service === method.value?.id && (
        <>
          {answer.layer === null ? <p class="hint no-layer">{t("noLayer")}</p> : <PlaceList />}
          <Summary values={answer.run.summary} words={words.value} />
          <ExportLinks />
        </>
      )}
    </>
  );
}

/** Where there is no answer, or not the one that was asked for: why, and what to do. */
function State() {
  const failed = main.failure.value;
  const [first] = Object.keys(problems.value);
  if (first) {
    const missing = fields.value.filter(({ name }) => name in problems.value);
    const fill = () => {
      openPanel("question");
      requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-field="${first}"] :is(input, select, textarea)`)?.focus());
    };
    return (
      <div class="job job-dismissed" role="status">
        <p>{t("needsMore")}</p>
        <ul class="missing">
          {missing.map(({ name, title }) => (
            <li key={name}>{title}</li>
          ))}
        </ul>
        <button type="button" class="button" onClick={fill}>
          {t("fillIn")}
        </button>
      </div>
    );
  }
  if (failed) return <FailedJob failure={failed} words={words.value} retry={main.retry} />;
  const open = main.open.value;
  if (!open) return null;
  return (
    <OpenJob status={open.status} stale={main.answer.value?.service === method.value?.id}>
      <button type="button" class="button" onClick={main.cancel}>
        {t("cancel")}
      </button>
    </OpenJob>
  );
}

/** The answer: what the method says of itself, the places it found, the numbers behind them, and the ways out. */

import { useEffect } from "preact/hooks";
import { problemText } from "../api";
import { Icon } from "../panels/icons";
import { named } from "../panels/numbers";
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
  if (failed) {
    return (
      <div class="job job-failed" role="alert">
        <p class="job-title">
          <Icon name="warning" />
          {failed.message}
        </p>
        {failed.problems.length > 0 && (
          <ul>
            {failed.problems.map((problem) => (
              <li key={`${problem.field}${problem.message}`}>
                {problem.field && <strong>{named(problem.field, words.value, language.value)}: </strong>}
                {problemText(problem, language.value)}
              </li>
            ))}
          </ul>
        )}
        <button type="button" class="button" onClick={main.retry}>
          {t("askAgain")}
        </button>
      </div>
    );
  }
  const open = main.open.value;
  if (!open) return null;
  const share = open.status?.status === "running" ? open.status.progress : undefined;
  return (
    <div class="job" role="status">
      <p class="job-title">
        {t("asking")}
        {main.answer.value?.service === method.value?.id && <span class="job-message">{t("staleAnswer")}</span>}
      </p>
      <progress max={100} value={share} aria-label={t("progress")} />
      <button type="button" class="button" onClick={main.cancel}>
        {t("cancel")}
      </button>
    </div>
  );
}

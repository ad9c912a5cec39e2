/** The question: which days, which kinds, which hours, compared with what; each change is asked at once. */

import type { FieldValues } from "../form/model";
import { SchemaFields } from "../form/schema";
import { TimeControls } from "../panels/time";
import { extent, t } from "../state/store";
import { problems } from "./answer";
import { Categories } from "./categories";
import { ClockTable } from "./clock-table";
import { Comparing } from "./comparing";
import { ownFields, settingsOf, valuesOf } from "./inputs";
import { fields, method } from "./methods";
import { PanelTop } from "./panel-top";
import { ask, question } from "./question";

export function QuestionPanel() {
  const takes = (name: string) => fields.value.some((field) => field.name === name);
  return (
    <section class="panel question" id="panel-question" aria-labelledby="title-question">
      <PanelTop panel="question" title={t("question")} />
      <div class="panel-body">
        {takes("occurred_from") && <Days />}
        <Comparing />
        {takes("categories") && <Categories />}
        {takes("hours") && <ClockTable />}
        {method.value && <Settings key={method.value.id} />}
      </div>
    </section>
  );
}

function Days() {
  const whole = extent.value;
  return (
    <section class="ask" aria-labelledby="title-days">
      <div class="ask-head">
        <h3 id="title-days">{t(question.value.compare ? "periodA" : "whenDays")}</h3>
      </div>
      {whole ? <TimeControls whole={whole} labelledBy="title-days" /> : <p class="hint">{t("noTime")}</p>}
    </section>
  );
}

/** The method's own parameters, folded away; open where one of them is missing or wrong. */
function Settings() {
  const form = ownFields(fields.value);
  if (form.length === 0) return null;
  // The address is the one memory of what was filled in: what is typed goes there, what is shown comes from there.
  const values = {
    get value() {
      return valuesOf(form, question.value.settings);
    },
    set value(next: FieldValues) {
      ask({ settings: settingsOf(form, next) });
    },
  };
  const changed = Object.keys(question.value.settings).length;
  const wrong = Object.keys(problems.value).length > 0;
  return (
    <details class="ask settings" open={wrong || undefined}>
      <summary>
        {t("methodSettings")}
        {changed > 0 && <span class="ask-now"> · {t("changedCount", changed)}</span>}
      </summary>
      <SchemaFields prefix="set" fields={form} values={values} problems={problems.value} />
      {changed > 0 && (
        <button type="button" class="button" onClick={() => ask({ settings: {} })}>
          {t("reset")}
        </button>
      )}
    </details>
  );
}

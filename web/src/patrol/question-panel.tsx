/** The question: who goes, when and how, where to. */

import { PanelTop } from "../hotspots/panel-top";
import { t } from "../state/store";
import { ask, DWELL, isClock, MODES, question } from "./question";
import { StopsPanel } from "./stops-panel";
import { MinutesInput, UnitsPanel } from "./units-panel";

export function QuestionPanel() {
  return (
    <section class="panel question" id="panel-question" aria-labelledby="title-question">
      <PanelTop panel="question" title={t("question")} />
      <div class="panel-body">
        <Shift />
        <UnitsPanel />
        <StopsPanel />
      </div>
    </section>
  );
}

function Shift() {
  const { on, start, minutes, mode, dwell } = question.value;
  const stay = (n: number) => Number.isFinite(n) && ask({ dwell: Math.min(Math.max(Math.round(n), DWELL.least), DWELL.most) });
  return (
    <section class="ask" aria-labelledby="title-shift">
      <div class="ask-head">
        <h3 id="title-shift">{t("patrolShift")}</h3>
      </div>
      <div class="segments" role="group" aria-label={t("how")}>
        {MODES.map((one) => (
          <button type="button" key={one} aria-pressed={mode === one} onClick={() => ask({ mode: one })}>
            {t(`mode_${one}`)}
          </button>
        ))}
      </div>
      <div class="shift-grid">
        <label>
          <span>{t("patrolOn")}</span>
          <input type="date" value={on ?? ""} onChange={({ currentTarget: { value } }) => ask({ on: value === "" ? null : value })} />
        </label>
        <label>
          <span>{t("patrolStart")}</span>
          <input type="time" value={start} onChange={({ currentTarget: { value } }) => isClock(value) && ask({ start: value })} />
        </label>
        <label>
          <span>{t("patrolLong")}</span>
          <MinutesInput value={minutes} onChange={(n) => ask({ minutes: n })} />
        </label>
        <label>
          <span>{t("patrolStay")}</span>
          <input
            type="number"
            min={DWELL.least}
            max={DWELL.most}
            value={dwell}
            aria-describedby="stay-hint"
            onChange={({ currentTarget }) => stay(currentTarget.valueAsNumber)}
          />
        </label>
      </div>
      <p class="hint" id="stay-hint">
        {t("patrolStayHint")}
      </p>
    </section>
  );
}

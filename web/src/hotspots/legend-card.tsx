/** On the map: what is shown, of which days and kinds, and what its colours mean. */

import { formatNumber } from "../format";
import { LegendOf } from "../map/legend-card";
import { extent, language, t } from "../state/store";
import { answerLayer, main, second, shownPeriod, side } from "./answer";
import { SideSwitch } from "./comparing";
import { method, words } from "./methods";
import { question } from "./question";
import { categoriesText, clockText, periodText } from "./subject";

/** The subject of the map, with the switch between two compared periods. */
export function MapCaption() {
  const days = shownPeriod.value ?? extent.value;
  const { categories, clock } = question.value;
  const layer = answerLayer.value;
  const answer = main.answer.value;
  return (
    <div class="map-caption">
      <div>
        <p class="map-subject">
          {layer?.title[language.value] ?? method.value?.["wangge:titles"][language.value]}
          {days && <span> {periodText(days, language.value)}</span>}
          {side.value === "difference" && second.value && <span> {t("against", periodText(second.value, language.value))}</span>}
        </p>
        <p class="hint">
          {categoriesText(categories, words.value, language.value)} · {clockText(clock, language.value)}
          {answer && ` · n = ${formatNumber(answer.run.provenance.n, language.value)}`}
        </p>
      </div>
      <SideSwitch />
      {main.open.value && <progress aria-label={t("asking")} />}
    </div>
  );
}

/** The legend of the answer; below it the layers that can be laid under it. */
export function LegendCard() {
  return <LegendOf layer={answerLayer.value} summary={main.answer.value?.run.summary ?? {}} />;
}

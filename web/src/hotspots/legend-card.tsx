/** On the map: what is shown, of which days and kinds, and what its colours mean. */

import { useSignal } from "@preact/signals";
import { formatNumber } from "../format";
import { toggled } from "../map/legend";
import { SwatchMark } from "../panels/swatch";
import { narrow } from "../state/layout";
import { catalog, chosenLayers, extent, language, t, usual, visible } from "../state/store";
import { answerLayer, main, second, shownPeriod, side } from "./answer";
import { SideSwitch } from "./comparing";
import { legendOf } from "./legend";
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
  const layer = answerLayer.value;
  const open = useSignal(!narrow.value);
  const base = catalog.value.filter(({ group }) => group !== "analysis");
  return (
    <details class="legend-card" open={open.value} onToggle={(e) => (open.value = e.currentTarget.open)}>
      <summary>{t("legend")}</summary>
      {layer && (
        <>
          <p class="legend-title">{layer.title[language.value]}</p>
          <ul class="legend">
            {legendOf(layer, main.answer.value?.run.summary ?? {}, language.value).map((row) => (
              <li key={row.label}>
                <SwatchMark swatch={row} />
                <span>{row.label}</span>
              </li>
            ))}
          </ul>
          {layer.note && <p class="hint">{layer.note[language.value]}</p>}
        </>
      )}
      <details class="legend-layers">
        <summary>{t("otherLayers")}</summary>
        <ul>
          {base.map(({ id, title, legend }) => (
            <li key={id}>
              <label class="layer-row">
                <input
                  type="checkbox"
                  checked={visible.value.has(id)}
                  onChange={() => (chosenLayers.value = toggled(base, visible.value, id, usual.value))}
                />
                <span class="layer-title">{title[language.value]}</span>
                {legend.length === 1 && <SwatchMark swatch={legend[0]!} />}
              </label>
            </li>
          ))}
        </ul>
      </details>
    </details>
  );
}

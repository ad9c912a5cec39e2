/** The time filter: presets, two dates and two handles on the city's whole period; all of them mean the same days. */

import { formatDay } from "../format";
import { PanelHead } from "./panel";
import { catalog, extent, language, period, t, visible } from "../state/store";
import { addDays, clampPeriod, daysBetween, isDay, PRESETS, presetOf, presetPeriod, type Period } from "../state/time";

export function TimePanel() {
  const whole = extent.value;
  return (
    <section class="panel time" id="panel-time" aria-labelledby="title-time">
      <PanelHead panel="time" title={t("time")} />
      <div class="panel-body">
        {whole ? <TimeControls whole={whole} labelledBy="title-time" /> : <p class="hint">{t("noTime")}</p>}
        {whole && <Untimed />}
      </div>
    </section>
  );
}

/** Says so where the chosen days change nothing of what is shown. */
function Untimed() {
  const timed = catalog.value.some((layer) => layer.time && visible.value.has(layer.id));
  return period.value && !timed ? <p class="hint">{t("timeHint")}</p> : null;
}

export function TimeControls({ whole, labelledBy }: { whole: Period; labelledBy: string }) {
  const now = period.value ?? whole;
  const preset = presetOf(period.value, whole);
  return (
    <>
      <div class="time-row">
        <div class="segments" role="group" aria-labelledby={labelledBy}>
          {PRESETS.map((one) => (
            <button
              type="button"
              key={one}
              aria-pressed={preset === one}
              onClick={() => (period.value = presetPeriod(one, whole))}
            >
              {t(one)}
            </button>
          ))}
        </div>
        <div class="time-dates">
          <DayField word="from" now={now} whole={whole} />
          <span aria-hidden="true">–</span>
          <DayField word="to" now={now} whole={whole} />
        </div>
        <span class="time-count">{t("daysCount", daysBetween(now.from, now.to) + 1)}</span>
      </div>
      <Slider now={now} whole={whole} />
    </>
  );
}

interface Ends {
  now: Period;
  whole: Period;
}

function DayField({ word, now, whole }: Ends & { word: "from" | "to" }) {
  return (
    <input
      type="date"
      aria-label={t(word)}
      value={now[word]}
      min={whole.from}
      max={whole.to}
      onChange={({ currentTarget }) => {
        if (isDay(currentTarget.value)) period.value = clampPeriod({ ...now, [word]: currentTarget.value }, whole);
      }}
    />
  );
}

function Slider({ now, whole }: Ends) {
  const days = Math.max(daysBetween(whole.from, whole.to), 1);
  const start = daysBetween(whole.from, now.from);
  const end = daysBetween(whole.from, now.to);
  const move = (next: Period) => (period.value = clampPeriod(next, whole));
  const handle = (word: "from" | "to", at: number) => (
    <input
      type="range"
      class="handle"
      min={0}
      max={days}
      value={at}
      aria-label={t(word)}
      aria-valuetext={formatDay(now[word], language.value)}
      onChange={({ currentTarget }) => move({ ...now, [word]: addDays(whole.from, Number(currentTarget.value)) })}
    />
  );
  return (
    <div class="slider">
      <div class="slider-track" aria-hidden="true">
        <div class="slider-range" style={{ left: `${(100 * start) / days}%`, right: `${100 - (100 * end) / days}%` }} />
      </div>
      {handle("from", start)}
      {handle("to", end)}
      <div class="slider-ends" aria-hidden="true">
        <span>{formatDay(whole.from, language.value)}</span>
        <span>{formatDay(whole.to, language.value)}</span>
      </div>
    </div>
  );
}

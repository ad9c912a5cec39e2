/** The comparison of two periods: which days the second one is, and which side of it the map shows. */

import { formatDay } from "../format";
import { plain } from "../map/pane";
import { extent, language, period, t } from "../state/store";
import { addDays, clampPeriod, daysBetween, isDay, type Period } from "../state/time";
import { comparison, second, side } from "./answer";
import type { Compare } from "./compare";
import { DENSITY, methods } from "./methods";
import { ask, askBy, question, SIDES } from "./question";
import { periodText } from "./subject";

const KINDS = ["off", "previous", "year", "own"] as const;
type Kind = (typeof KINDS)[number];
const KIND_WORDS = { off: "compareOff", previous: "comparePrevious", year: "compareYear", own: "compareOwn" } as const;
const SIDE_WORDS = { a: "sideA", b: "sideB", difference: "sideDifference" } as const;

function kindOf(compare: Compare | null): Kind {
  if (compare === null) return "off";
  return typeof compare === "object" ? "own" : compare;
}

export function Comparing() {
  const whole = extent.value;
  if (!whole || !methods.value.some(({ id }) => id === DENSITY)) return null;
  const { method, compare } = question.value;
  if (method !== DENSITY) {
    return (
      <p class="hint compare-elsewhere">
        {t("compareElsewhere")}{" "}
        <button type="button" class="link" onClick={() => askBy(DENSITY)}>
          {t("compareByDensity")}
        </button>
      </p>
    );
  }
  const compared = comparison.value;
  const choose = (kind: Kind) =>
    ask({ compare: kind === "off" ? null : kind === "own" ? usualDays(second.value, whole) : kind });
  return (
    <section class="ask" aria-labelledby="title-compare">
      <div class="ask-head">
        <h3 id="title-compare">{t("compareWith")}</h3>
        {second.value && <span class="ask-now">{periodText(second.value, language.value)}</span>}
      </div>
      <div class="segments" role="group" aria-labelledby="title-compare">
        {KINDS.map((kind) => (
          <button
            type="button"
            key={kind}
            aria-pressed={kindOf(compare) === kind}
            onClick={() => choose(kind)}
          >
            {t(KIND_WORDS[kind])}
          </button>
        ))}
      </div>
      {plain.value && <SideSwitch />}
      {typeof compare === "object" && compare && <OwnDays days={compare} whole={whole} />}
      {compared && "problem" in compared && (
        <p class="hint" role="status">
          {compared.problem === "needsPeriod" ? t("needsPeriod") : t("beforeData", formatDay(whole.from, language.value))}
        </p>
      )}
    </section>
  );
}

/** Days to begin with: those compared so far, else as many as the first period has, from the first day of the data. */
function usualDays(known: Period | null, whole: Period): Period {
  if (known) return known;
  const days = period.value ? daysBetween(period.value.from, period.value.to) : Math.floor(daysBetween(whole.from, whole.to) / 2);
  return clampPeriod({ from: whole.from, to: addDays(whole.from, days) }, whole) ?? whole;
}

function OwnDays({ days, whole }: { days: Period; whole: Period }) {
  const field = (end: "from" | "to") => (
    <input
      type="date"
      aria-label={`B: ${t(end)}`}
      value={days[end]}
      min={whole.from}
      max={whole.to}
      onChange={({ currentTarget: { value } }) => {
        if (isDay(value)) ask({ compare: clampPeriod({ ...days, [end]: value }, whole) ?? whole });
      }}
    />
  );
  return (
    <div class="time-dates">
      {field("from")}
      <span aria-hidden="true">–</span>
      {field("to")}
    </div>
  );
}

/** Which side is on the map; with the days of each, for letters alone tell nobody anything. */
export function SideSwitch() {
  const shown = side.value;
  const first = period.value ?? extent.value;
  if (!shown || !second.value || !first) return null;
  const days = { a: periodText(first, language.value), b: periodText(second.value, language.value), difference: "B → A" };
  return (
    <div class="segments sides" role="group" aria-label={t("shownSide")}>
      {SIDES.map((one) => (
        <button type="button" key={one} aria-pressed={shown === one} title={days[one]} onClick={() => ask({ side: one })}>
          {t(SIDE_WORDS[one])}
        </button>
      ))}
    </div>
  );
}

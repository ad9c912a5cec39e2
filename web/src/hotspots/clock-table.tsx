/** The clock of the week: a table of seven days and twenty-four hours, coloured by how much happened, that filters. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Icon } from "../panels/icons";
import { language, t } from "../state/store";
import { clockAsked, weights } from "./answer";
import {
  ANY_TIME,
  DAYS,
  holds,
  HOURS,
  isAnyTime,
  moved,
  peakOf,
  range,
  rectangle,
  shareOf,
  shiftOf,
  SHIFTS,
  toggled,
  withShift,
  type Clock,
  type Shift,
  type Spot,
} from "./clock";
import { ask, question } from "./question";
import { clockText, dayName, hoursSpan } from "./subject";

/** Steps of the colour of a cell, beside none at all. */
const LEVELS = 6;
/** Every how many hours the hour is written out. */
const WRITTEN = 3;

export function ClockTable() {
  const known = weights.value;
  if (!known) return null;
  const { clock } = question.value;
  return (
    <section class="ask" aria-labelledby="title-clock">
      <div class="ask-head">
        <h3 id="title-clock">{t("clock")}</h3>
        <span class="ask-now">{clockText(clock, language.value)}</span>
        {!isAnyTime(clock) && (
          <button
            type="button"
            class="icon-button"
            aria-label={t("clockClear")}
            title={t("clockClear")}
            onClick={() => ask({ clock: ANY_TIME })}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
      <Shifts clock={clock} />
      <Week weights={known} clock={clock} />
      <Sums weights={known} clock={clock} />
    </section>
  );
}

function Shifts({ clock }: { clock: Clock }) {
  const now = shiftOf(clock);
  return (
    <div class="segments shifts" role="group" aria-label={t("shifts")}>
      <button type="button" aria-pressed={isAnyTime(clock)} onClick={() => ask({ clock: ANY_TIME })}>
        {t("clockAll")}
      </button>
      {(Object.keys(SHIFTS) as Shift[]).map((shift) => (
        <button
          type="button"
          key={shift}
          aria-pressed={now === shift}
          onClick={() => ask({ clock: now === shift ? { ...clock, hours: null } : withShift(clock, shift) })}
        >
          {t(shift)}
        </button>
      ))}
    </div>
  );
}

function Week({ weights, clock }: { weights: number[][]; clock: Clock }) {
  const table = useRef<HTMLTableElement>(null);
  /** Where the keyboard is. */
  const at = useSignal<Spot>({ day: 0, hour: 0 });
  /** From where a rectangle is drawn. */
  const anchor = useSignal<Spot | null>(null);
  const dragged = useSignal<Clock | null>(null);
  const shown = dragged.value ?? clock;
  const most = Math.max(...weights.flat());

  const choose = (next: Clock) => ask({ clock: next });
  const go = (spot: Spot) => {
    at.value = spot;
    cellOf(table.current, spot)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = moved(at.value, event.key);
    if (to) {
      if (event.shiftKey) choose(rectangle((anchor.value ??= at.value), to));
      else anchor.value = null;
      go(to);
    } else if (event.key === " " || event.key === "Enter") {
      anchor.value = at.value;
      choose(toggled(clock, at.value));
    } else if (event.key === "Escape" && !isAnyTime(clock)) {
      choose(ANY_TIME);
    } else {
      return;
    }
    event.preventDefault();
  };
  const onPointerDown = (event: PointerEvent) => {
    const spot = spotOf(event.target);
    if (!spot || event.button !== 0) return;
    event.preventDefault();
    go(spot);
    if (event.shiftKey && anchor.value) choose(rectangle(anchor.value, spot));
    else anchor.value = spot;
    const follow = (move: PointerEvent) => {
      const over = spotOf(document.elementFromPoint(move.clientX, move.clientY));
      const from = anchor.value;
      if (over && from && (dragged.value || over.day !== from.day || over.hour !== from.hour)) {
        dragged.value = rectangle(from, over);
      }
    };
    const end = (up: PointerEvent) => {
      document.removeEventListener("pointermove", follow);
      document.removeEventListener("pointerup", end);
      document.removeEventListener("pointercancel", end);
      if (up.type === "pointerup" && !event.shiftKey) choose(dragged.value ?? toggled(clock, spot));
      dragged.value = null;
    };
    document.addEventListener("pointermove", follow);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", end);
  };
  const spot = (day: number, hour: number) => ({
    "data-day": day,
    "data-hour": hour,
    tabIndex: at.value.day === day && at.value.hour === hour ? 0 : -1,
  });
  const chosen = !isAnyTime(shown);
  return (
    <>
      <table
        class="clock"
        role="grid"
        ref={table}
        aria-label={t("clockLabel")}
        aria-describedby="clock-hint"
        aria-multiselectable="true"
        aria-busy={clockAsked.isStale.value}
        data-chosen={chosen}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
      >
        <thead>
          <tr>
            <td class="corner" role="gridcell" {...spot(-1, -1)} title={t("clockClear")}>
              <span class="unseen">{t("clockAll")}</span>
            </td>
            {range(0, HOURS).map((hour) => (
              <th key={hour} scope="col" {...spot(-1, hour)} aria-selected={chosen && (shown.hours?.includes(hour) ?? true)}>
                <span class={hour % WRITTEN === 0 ? "written" : "unseen"}>{hour}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {range(0, DAYS).map((day) => (
            <tr key={day}>
              <th scope="row" {...spot(day, -1)} aria-selected={chosen && (shown.days?.includes(day) ?? true)}>
                {dayName(day, language.value)}
              </th>
              {range(0, HOURS).map((hour) => {
                const weight = weights[day]?.[hour] ?? 0;
                const text = t("clockCell", dayName(day, language.value), hoursSpan(hour, hour), weight);
                return (
                  <td
                    key={hour}
                    role="gridcell"
                    {...spot(day, hour)}
                    data-level={weight > 0 ? Math.ceil((LEVELS * weight) / most) : 0}
                    aria-selected={chosen && holds(shown, day, hour)}
                    title={text}
                  >
                    <span class="unseen">{text}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="unseen" id="clock-hint">
        {t("clockHint")}
      </p>
    </>
  );
}

/** What the chosen hours hold, or when most happens; and what the colours mean. */
function Sums({ weights, clock }: { weights: number[][]; clock: Clock }) {
  const most = Math.max(...weights.flat());
  const { inside, all } = shareOf(weights, clock);
  const peak = peakOf(weights);
  const share = new Intl.NumberFormat(language.value, { style: "percent", maximumFractionDigits: 0 });
  return (
    <div class="clock-foot">
      <span class="hint">
        {!isAnyTime(clock) && all > 0
          ? t("clockShare", share.format(inside / all), inside)
          : peak && t("clockPeak", dayName(peak.day, language.value), hoursSpan(peak.hour, peak.hour), most)}
      </span>
      <span class="clock-scale hint">
        <span class="clock-ramp" aria-hidden="true">
          {range(1, LEVELS + 1).map((level) => (
            <i key={level} data-level={level} />
          ))}
        </span>
        {t("clockScale", most)}
      </span>
    </div>
  );
}

function cellOf(table: HTMLTableElement | null, { day, hour }: Spot): HTMLElement | null {
  return table?.querySelector<HTMLElement>(`[data-day="${day}"][data-hour="${hour}"]`) ?? null;
}

function spotOf(target: EventTarget | null): Spot | null {
  const cell = target instanceof Element ? target.closest<HTMLElement>(".clock [data-day]") : null;
  return cell && { day: Number(cell.dataset.day), hour: Number(cell.dataset.hour) };
}

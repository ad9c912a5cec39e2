/** A timetable a unit; its stops are dragged to another place or unit, or moved there from a menu by keyboard. */

import { useSignal } from "@preact/signals";
import { handle } from "../map/handle";
import { Icon } from "../panels/icons";
import { pointedFeature, t } from "../state/store";
import { colourOf, isCurrent, routes, shown, summary } from "./answer";
import { dragged, free, freeAll, move, takeOut, target } from "./moves";
import { inkOn, isStop, type Halt, type Route } from "./plan";
import { question } from "./question";
import { haltName, kmText, legText, minutesText } from "./said";
import { kindsText } from "./unit-kinds";

const CLOSE_ZOOM = 15;

export function Timetables() {
  const given = question.value.orders.length > 0;
  return (
    <>
      {given && (
        <div class="given">
          <p class="hint">{t("patrolOrdersGiven")}</p>
          <button type="button" class="button small" onClick={freeAll}>
            {t("patrolFreeAll")}
          </button>
        </div>
      )}
      {routes.value.map((route) => (
        <Timetable key={route.unit} route={route} />
      ))}
    </>
  );
}

function Timetable({ route }: { route: Route }) {
  const { unit, kinds, kept, halts } = route;
  const told = summary.value?.timetable.find(({ unit_label }) => unit_label === unit);
  const stops = halts.filter(isStop);
  const end = { unit, at: stops.length };
  const run = shown.value?.run.run_id;
  const over = (event: DragEvent) => {
    if (!dragged.value) return;
    event.preventDefault();
    target.value = end;
  };
  return (
    <section class="route" aria-label={t("patrolUnitName", unit)} data-unit={unit} onDragOver={over} onDrop={drop}>
      <header class="route-head">
        <i class="route-colour" style={{ background: colourOf(unit) }} aria-hidden="true" />
        <h3>
          {t("patrolUnitName", unit)}
          <span class="hint"> {kindsText(kinds)}</span>
        </h3>
        {run !== undefined && (
          <a class="icon-button" href={phoneAddress(run, unit)} aria-label={t("patrolPhoneOf", unit)} title={t("patrolPhoneOf", unit)}>
            <Icon name="list" />
          </a>
        )}
      </header>
      {told && <p class="hint">{t("patrolRouteLine", told.leave_clock, told.back_clock, told.stops_count, kmText(told.distance_km))}</p>}
      {kept && (
        <p class="kept">
          <span>{t("patrolKept")}</span>
          <button type="button" class="button small" disabled={!isCurrent.value} onClick={() => free(unit)}>
            {t("patrolFreeShort")}
            <span class="unseen">{t("patrolUnitName", unit)}</span>
          </button>
        </p>
      )}
      {stops.length === 0 && <p class="hint">{t("patrolNoStops")}</p>}
      <ol class="halts">
        {halts.map((halt) => (
          <Row key={halt.sequence} halt={halt} last={stops.length} />
        ))}
      </ol>
    </section>
  );
}

export function phoneAddress(run: number, unit: string): string {
  return `/patrol/route#run=patrol_routes:${run}&unit=${encodeURIComponent(unit)}`;
}

/** Takes what was dragged to where it is. */
function drop(event: DragEvent): void {
  event.preventDefault();
  event.stopPropagation();
  const [from, to] = [dragged.value, target.value];
  dragged.value = null;
  target.value = null;
  if (!from || !to || !isCurrent.peek()) return;
  const halt = stopAt(from.unit, from.at);
  if (halt) move(from, to, haltName(halt));
}

function stopAt(unit: string, at: number): Halt | undefined {
  return routes.peek().find((route) => route.unit === unit)?.halts.filter(isStop)[at];
}

function Row({ halt, last }: { halt: Halt; last: number }) {
  const at = (halt.number ?? 0) - 1;
  const spot = { unit: halt.unit, at };
  const movable = halt.number !== null;
  const point = () => (pointedFeature.value = halt.feature);
  const leave = () => {
    if (pointedFeature.value === halt.feature) pointedFeature.value = null;
  };
  const over = (event: DragEvent) => {
    if (!dragged.value || !movable) return;
    event.preventDefault();
    event.stopPropagation();
    const { top, height } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    target.value = { unit: halt.unit, at: event.clientY > top + height / 2 ? at + 1 : at };
  };
  const falls = dragged.value && movable && target.value?.unit === halt.unit ? target.value.at - at : null;
  const colour = colourOf(halt.unit);
  const name = haltName(halt);
  return (
    <li
      class="halt"
      data-stop={movable ? (halt.code ?? "") : undefined}
      data-falls={falls === 0 ? "before" : falls === 1 && at === last - 1 ? "after" : undefined}
      draggable={movable && isCurrent.value}
      onDragStart={(event) => {
        dragged.value = spot;
        event.dataTransfer?.setData("text/plain", name);
      }}
      onDragEnd={() => {
        dragged.value = null;
        target.value = null;
      }}
      onDragOver={over}
      onDrop={drop}
      onPointerEnter={point}
      onPointerLeave={leave}
      onFocusIn={point}
      onFocusOut={leave}
    >
      <span class="halt-number" style={movable ? { background: colour, color: inkOn(colour) } : undefined} aria-hidden={!movable}>
        {halt.number ?? ""}
      </span>
      <span class="halt-clock">
        {halt.arrive ?? halt.leave}
        {halt.arrive && halt.leave && <small>{`–${halt.leave}`}</small>}
      </span>
      <button type="button" class="halt-name" onClick={() => show(halt)}>
        {name}
        {halt.must && <em>{t("patrolMust")}</em>}
      </button>
      {movable ? <Menu halt={halt} spot={spot} last={last} name={name} /> : <span />}
      <span class="halt-more">
        {[
          legText(halt),
          halt.waitMin >= 1 && t("patrolWaits", minutesText(halt.waitMin)),
          halt.dwellMin > 0 && t("patrolStays", minutesText(halt.dwellMin)),
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </li>
  );
}

function show({ at: [lon, lat] }: Halt): void {
  handle.value?.fit([lon, lat, lon, lat], CLOSE_ZOOM);
}

interface MenuProps {
  halt: Halt;
  spot: { unit: string; at: number };
  last: number;
  name: string;
}

function Menu({ halt, spot, last, name }: MenuProps) {
  const open = useSignal(false);
  const others = routes.value.filter(({ unit }) => unit !== halt.unit);
  const act = (run: () => void) => () => {
    open.value = false;
    run();
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open.value) return;
    event.stopPropagation();
    open.value = false;
    (event.currentTarget as HTMLElement).querySelector("summary")?.focus();
  };
  const off = !isCurrent.value;
  return (
    <details class="move" open={open.value} onToggle={({ currentTarget }) => (open.value = currentTarget.open)} onKeyDown={escape}>
      <summary aria-label={t("patrolMove", name)} title={t("patrolMove", name)}>
        <span aria-hidden="true">⋯</span>
      </summary>
      {open.value && (
        <div class="move-ways" role="group" aria-label={t("patrolMove", name)}>
          <button type="button" disabled={off || spot.at === 0} onClick={act(() => move(spot, { ...spot, at: spot.at - 1 }, name))}>
            {t("patrolUp")}
          </button>
          <button type="button" disabled={off || spot.at === last - 1} onClick={act(() => move(spot, { ...spot, at: spot.at + 2 }, name))}>
            {t("patrolDown")}
          </button>
          {others.map(({ unit, halts }) => (
            <button type="button" key={unit} disabled={off} data-to={unit} onClick={act(() => move(spot, { unit, at: placeIn(halts, halt) }, name))}>
              {t("patrolTo", unit)}
            </button>
          ))}
          <button type="button" disabled={off} onClick={act(() => takeOut(spot, name))}>
            {t("patrolOut")}
          </button>
        </div>
      )}
    </details>
  );
}

/** Where a stop of another unit fits by the clock: before the first stop that is reached after it. */
function placeIn(halts: readonly Halt[], { arrive, feature }: Halt): number {
  const stops = halts.filter(isStop);
  const minutes = sinceStart(arrive, halts[0]?.leave ?? null);
  if (minutes === null) return stops.length;
  const at = stops.findIndex((stop) => stop.feature !== feature && (sinceStart(stop.arrive, halts[0]?.leave ?? null) ?? 0) > minutes);
  return at < 0 ? stops.length : at;
}

const DAY_MIN = 1440;

function sinceStart(clock: string | null, start: string | null): number | null {
  const of = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
  return clock === null || start === null ? null : (of(clock) - of(start) + DAY_MIN) % DAY_MIN;
}

/** The page `/patrol/route`: one unit's route for the officer who walks it, on a phone. */

import { batch, computed, effect, signal } from "@preact/signals";
import { inset, handle } from "../map/handle";
import { MapPane, plain, prepareMap } from "../map/pane";
import { usualLayer } from "../map/compose";
import { Icon } from "../panels/icons";
import { StatusBar } from "../panels/status";
import { city, language, pageState, runs, t, takePageState, usual } from "../state/store";
import { syncAddress, type Keeper } from "../state/sync";
import { hashParts, LANGUAGES, readParts, writeParts } from "../state/url";
import type { Workspace } from "../workspaces";
import { colourOf, followRows, routes, rows, SERVICE } from "./answer";
import { boundsOfRoute, inkOn, isStop, type Halt, type Route } from "./plan";
import { haltName, legText, metresText, minutesText } from "./said";
import { loadTicks, nextStop, routeKey, saveTicks, type Ticks } from "./ticks";
import { followPlaces } from "../hotspots/places";
import { kindsText } from "./unit-kinds";
import "../styles/hotspots.css";
import "../styles/patrol.css";
import "../styles/patrol-phone.css";

const unit = signal<string | null>(null);
const run = computed(() => runs.value[SERVICE] ?? null);
const route = computed<Route | null>(() => routes.value.find((one) => one.unit === unit.value) ?? null);
const ticks = signal<Ticks>(new Set());
const CLOSE_ZOOM = 16;

const KEEPER: Keeper = {
  write: () => [...writeParts(pageState()), ...(unit.value === null ? [] : [["unit", encodeURIComponent(unit.value)] as [string, string]])],
  read: (parts) => {
    const state = readParts(parts);
    // A link that somebody types need not name the service.
    const bare = /^[1-9]\d{0,15}$/.exec(parts.get("run") ?? "");
    batch(() => {
      takePageState(bare ? { ...state, runs: { [SERVICE]: Number(bare[0]) } } : state);
      unit.value = decoded(parts.get("unit"));
    });
  },
};

function decoded(text: string | undefined): string | null {
  try {
    return text === undefined ? null : decodeURIComponent(text);
  } catch {
    return null;
  }
}

export const WORKSPACE: Workspace = {
  start() {
    prepareMap();
    inset.value = { top: 28, right: 28, bottom: 28, left: 28 };
    usual.value = (layer) => usualLayer(layer) && (layer.group === "base" || layer.id === "posts");
    KEEPER.read(hashParts(location.hash));
    syncAddress(KEEPER);
    followRows(() => (city.value ? run.value : null));
    followPlaces();
    effect(() => {
      if (run.value !== null && unit.value !== null) ticks.value = loadTicks(routeKey(run.value, unit.value));
    });
    effect(() => {
      const box = route.value && boundsOfRoute(route.value);
      if (box) handle.value?.fit(box);
    });
    if (!plain.value) void import("./markers").then(({ followMarkers }) => followMarkers((one) => one.unit === unit.value));
  },
  title: "patrolRouteTitle",
  View: Phone,
  bare: true,
};

function Phone() {
  const shown = route.value;
  return (
    <div class="phone">
      <Head />
      {shown ? <Walk of={shown} /> : <NoRoute />}
      <MapPane />
      <StatusBar />
    </div>
  );
}

function Head() {
  const other = LANGUAGES.find((one) => one !== language.value) ?? "zh";
  const shown = route.value;
  const [first, last] = [shown?.halts[0], shown?.halts.at(-1)];
  return (
    <header class="phone-head">
      <a class="icon-button" href="/patrol" aria-label={t("patrolBackTo")} title={t("patrolBackTo")}>
        <Icon name="previous" />
      </a>
      <h1>
        {shown ? t("patrolUnitName", shown.unit) : t("patrolTab")}
        {shown && (
          <small>
            {kindsText(shown.kinds)} · {first?.leave}–{last?.arrive}
          </small>
        )}
      </h1>
      {city.value?.synthetic && (
        <span class="badge" title={t("syntheticLong")}>
          {t("synthetic")}
        </span>
      )}
      <button type="button" class="button" lang={other} onClick={() => (language.value = other)}>
        {other === "zh" ? "中文" : "EN"}
      </button>
    </header>
  );
}

function NoRoute() {
  if (run.value !== null && rows.value === null) return <p class="phone-none">{t("loading")}</p>;
  const units = routes.value;
  return (
    <section class="phone-none" aria-label={t("patrolChooseUnit")}>
      <p>{t(units.length > 0 ? "patrolChooseUnit" : "patrolNoRoute")}</p>
      {units.map((one) => (
        <button type="button" class="button" key={one.unit} onClick={() => (unit.value = one.unit)}>
          {t("patrolUnitName", one.unit)}
        </button>
      ))}
    </section>
  );
}

function Walk({ of }: { of: Route }) {
  const stops = of.halts.filter(isStop);
  const next = nextStop(of.halts, ticks.value);
  const done = stops.filter(({ sequence }) => ticks.value.has(sequence)).length;
  return (
    <>
      <section class="phone-next" aria-labelledby="title-next">
        <h2 id="title-next">
          {t("patrolNext")} <small>{t("patrolDoneOf", done, stops.length)}</small>
        </h2>
        {next ? <Next halt={next} /> : <p class="phone-done">{t("patrolAllDone")}</p>}
      </section>
      <section class="phone-stops" aria-labelledby="title-phone-stops">
        <h2 id="title-phone-stops">{t("patrolRouteStops")}</h2>
        <ol>
          {of.halts.filter(({ kind }) => kind !== "start").map((halt) => (
            <Stop key={halt.sequence} halt={halt} isNext={halt === next} />
          ))}
        </ol>
        <p class="phone-private">{t("patrolPrivate")}</p>
      </section>
    </>
  );
}

function Next({ halt }: { halt: Halt }) {
  const name = haltName(halt);
  return (
    <>
      <p class="phone-name">
        <Badge halt={halt} />
        <strong>{name}</strong>
      </p>
      <p class="phone-when">
        <strong>{halt.arrive}</strong>
        {halt.leave && <span>{`–${halt.leave}`}</span>}
        {halt.dwellMin > 0 && <span> · {t("patrolStays", minutesText(halt.dwellMin))}</span>}
      </p>
      <p class="phone-way">{legText(halt) ?? metresText(0)}</p>
      <div class="phone-acts">
        <button type="button" class="button primary" onClick={() => tick(halt)}>
          <Icon name="check" />
          {t("patrolDone")}
          <span class="unseen">{name}</span>
        </button>
        {!plain.value && (
          <button type="button" class="button" onClick={() => showOnMap(halt)}>
            <Icon name="target" />
            {t("showIt")}
          </button>
        )}
      </div>
    </>
  );
}

function Stop({ halt, isNext }: { halt: Halt; isNext: boolean }) {
  const name = haltName(halt);
  const done = ticks.value.has(halt.sequence);
  const isOne = isStop(halt);
  const text = (
    <span class="phone-text">
      <strong>{name}</strong>
      <span>
        {[halt.arrive, halt.dwellMin > 0 && t("patrolStays", minutesText(halt.dwellMin)), halt.must && t("patrolMust")].filter(Boolean).join(" · ")}
      </span>
    </span>
  );
  return (
    <li data-done={done} aria-current={isNext ? "step" : undefined}>
      {isOne ? (
        <label class="phone-row">
          <input type="checkbox" checked={done} aria-label={t("patrolTick", name)} onChange={() => tick(halt)} />
          <Badge halt={halt} />
          {text}
        </label>
      ) : (
        <div class="phone-row">{text}</div>
      )}
    </li>
  );
}

function Badge({ halt }: { halt: Halt }) {
  const colour = colourOf(halt.unit);
  return (
    <span class="halt-number" style={{ background: colour, color: inkOn(colour) }}>
      {halt.number}
    </span>
  );
}

function tick({ sequence }: Halt): void {
  if (run.value === null || unit.value === null) return;
  const next = new Set(ticks.value);
  if (!next.delete(sequence)) next.add(sequence);
  ticks.value = next;
  saveTicks(routeKey(run.value, unit.value), next);
}

function showOnMap({ at: [lon, lat] }: Halt): void {
  handle.value?.fit([lon, lat, lon, lat], CLOSE_ZOOM);
  document.querySelector("#map")?.scrollIntoView({ block: "center" });
}

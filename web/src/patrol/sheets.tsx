/** The page `/print/patrol`: the answer to a question as one sheet of A4 a unit, for those who go out with it. */

import { computed, signal } from "@preact/signals";
import { formatDay, formatInstant } from "../format";
import { plain } from "../map/pane";
import { Icon, Mark } from "../panels/icons";
import { startPanels } from "../state/layout";
import { city, language, ownResults, reader, t, theme, usual } from "../state/store";
import { hashParts } from "../state/url";
import type { Workspace } from "../workspaces";
import { better, colourOf, followAnswer, isCurrent, main, routes, shown, summary } from "./answer";
import { inkOn, type Halt, type Route } from "./plan";
import { followPlaces } from "../hotspots/places";
import { followPosts, postAt, postName } from "./posts";
import { KEEPER, question } from "./question";
import { haltName, kmText, metresText, minutesText } from "./said";
import { SheetMaps, pictures } from "./sheet-maps";
import { kindsText } from "./unit-kinds";
import "../styles/hotspots.css";
import "../styles/sheet.css";
import "../styles/patrol.css";
import "../styles/patrol-sheet.css";

const namesLoaded = signal(false);
/** When the sheets were asked for. */
const madeAt = signal("");

/** The answer of the address: where a better one is wanted, not before that has come, or failed. */
const isAnswered = computed(() => isCurrent.value && (!question.value.better || better.failure.value !== null || !better.isStale.value));
const isReady = computed(() => isAnswered.value && namesLoaded.value && (plain.value || pictures.value?.run === shown.value?.run.run_id));

/** As many rows fit beside a map, beside a low one, and in small print. */
const ROWS = { usual: 22, dense: 29, small: 42 } as const;

export const WORKSPACE: Workspace = {
  start() {
    startPanels([]);
    KEEPER.read(hashParts(location.hash));
    theme.value = "light";
    madeAt.value = new Date().toISOString();
    ownResults.value = [];
    usual.value = (layer) => layer.group === "base" && layer.visible;
    followPosts();
    followAnswer();
    followPlaces(() => (namesLoaded.value = true));
  },
  title: "patrolSheetTitle",
  View: Sheets,
  bare: true,
};

function Sheets() {
  const failed = main.failure.value?.message;
  return (
    <>
      <nav class="sheet-bar" aria-label={t("print")}>
        <a href={`/patrol${location.hash}`}>{t("patrolBackTo")}</a>
        <button type="button" class="button primary" disabled={!isReady.value} onClick={() => window.print()}>
          <Icon name="print" />
          {t("print")}
        </button>
      </nav>
      <main class="sheets">
        {failed && <p role="alert">{failed}</p>}
        {!isReady.value && !failed && <p role="status">{t("patrolSheetPreparing")}</p>}
        {isAnswered.value && namesLoaded.value && !plain.value && <SheetMaps routes={routes.value} />}
        {isReady.value && routes.value.map((route) => <Sheet key={route.unit} route={route} />)}
      </main>
    </>
  );
}

function Sheet({ route }: { route: Route }) {
  const { halts, unit } = route;
  const rows = halts.filter(({ kind }) => kind !== "start");
  const size = rows.length <= ROWS.usual ? "usual" : rows.length <= ROWS.dense ? "dense" : "small";
  const printed = rows.slice(0, ROWS.small);
  return (
    <article class="sheet" data-ready={isReady.value} data-size={size} data-unit={unit}>
      <Head route={route} />
      <RouteMap unit={unit} />
      <table class="sheet-places">
        <caption>{t("patrolSheetTable")}</caption>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{t("columnPlace")}</th>
            <th scope="col">{t("patrolColumnArrive")}</th>
            <th scope="col">{t("patrolColumnLeave")}</th>
            <th scope="col">{t("patrolColumnStay")}</th>
            <th scope="col">{t("patrolColumnLeg")}</th>
            <th scope="col">{t("columnChecked")}</th>
          </tr>
        </thead>
        <tbody>
          {printed.map((halt) => (
            <Row key={halt.sequence} halt={halt} />
          ))}
        </tbody>
      </table>
      {rows.length > printed.length && <p>{t("patrolSheetMore", rows.length - printed.length)}</p>}
      <section class="sheet-notes">
        <h2>{t("sheetNotes")}</h2>
        <div aria-hidden="true">
          {Array.from({ length: 12 }, (_, at) => (
            <i key={at} />
          ))}
        </div>
      </section>
      <Foot />
    </article>
  );
}

function Head({ route: { unit, kinds, halts } }: { route: Route }) {
  const told = summary.value?.timetable.find(({ unit_label }) => unit_label === unit);
  const first = halts[0];
  const post = first && postAt(first.at);
  const colour = colourOf(unit);
  const { on, mode } = question.value;
  return (
    <header class="sheet-head">
      <Mark />
      <div>
        <h1>
          <span class="sheet-unit" style={{ background: colour, color: inkOn(colour) }}>
            {t("patrolUnitName", unit)}
          </span>
          {t("patrolSheetName")}
          <span>{city.value?.title[language.value]}</span>
        </h1>
        <p>
          {[
            kindsText(kinds),
            on && formatDay(on, language.value),
            told && t("patrolRouteLine", told.leave_clock, told.back_clock, told.stops_count, kmText(told.distance_km)),
            t(`mode_${mode}`),
            post && `${t("patrolFrom")} ${postName(post)}`,
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </div>
      {city.value?.synthetic && <p class="sheet-synthetic">{t("synthetic")}</p>}
    </header>
  );
}

function RouteMap({ unit }: { unit: string }) {
  const drawn = pictures.value?.of.get(unit);
  if (!drawn) return null;
  const colour = colourOf(unit);
  return (
    <figure class="sheet-map" aria-label={t("patrolSheetMap", unit)}>
      <img src={drawn.picture} alt={t("patrolSheetMap", unit)} />
      {drawn.marks.map(({ number, left, top }) => (
        <span
          key={number}
          class="route-mark"
          style={{ left: `${100 * left}%`, top: `${100 * top}%`, background: colour, color: inkOn(colour) }}
        >
          {number}
        </span>
      ))}
      <div class="sheet-scale" style={{ width: `${drawn.bar.px}px` }}>
        {drawn.bar.text}
      </div>
      <svg class="sheet-north" viewBox="0 0 24 36" role="img" aria-label={t("north")}>
        <path d="M12 2 20 26 12 21 4 26Z" />
        <text x="12" y="35">
          {t("north")}
        </text>
      </svg>
    </figure>
  );
}

function Row({ halt }: { halt: Halt }) {
  return (
    <tr>
      {halt.number === null ? <td /> : <th scope="row">{halt.number}</th>}
      <td>
        {haltName(halt)}
        {halt.must && <strong> {t("patrolMust")}</strong>}
      </td>
      <td>{halt.arrive}</td>
      <td>{halt.leave ?? ""}</td>
      <td>{halt.dwellMin > 0 ? t("minutesShort", minutesText(halt.dwellMin)) : ""}</td>
      <td>{halt.legM >= 1 ? `${t("minutesShort", minutesText(halt.legMin))} · ${metresText(halt.legM)}` : ""}</td>
      <td>{halt.number !== null && <i class="sheet-check" />}</td>
    </tr>
  );
}

function Foot() {
  const run = shown.value?.run.run_id;
  return (
    <footer class="sheet-foot">
      <span>{t("sheetMade", formatInstant(madeAt.value, reader.value))}</span>
      {run !== undefined && <span>{t("sheetRun", run)}</span>}
      <span>{t("patrolPlan")}</span>
      {city.value?.synthetic && <strong>{t("syntheticLong")}</strong>}
      <span>{city.value?.attribution}</span>
    </footer>
  );
}

/** The page `/print/hotspots`: the answer to a question as one sheet of A4, for the officer who goes out with it. */

import { computed, effect, signal } from "@preact/signals";
import type { Bounds } from "../api";
import { findingOf, formatInstant, formatNumber, titleOf } from "../format";
import { plain } from "../map/pane";
import { Icon, Mark } from "../panels/icons";
import { named } from "../panels/numbers";
import { NumbersTable } from "../panels/numbers-table";
import { startPanels } from "../state/layout";
import { city, extent, language, reader, report, t, theme, timeZone } from "../state/store";
import { hashParts } from "../state/url";
import type { Workspace } from "../workspaces";
import { answerLayer, followQuestion, main, problems, second, shownPeriod, side } from "./answer";
import { factsOf, leftOutCount } from "./facts";
import { ORIGINS } from "./incidents";
import { followList, listed } from "./listed";
import { followMethods, method, words } from "./methods";
import { followPlaces } from "./places";
import { KEEPER, question } from "./question";
import { MOST_PLACES, placesOf, type SheetPlace } from "./sheet-data";
import { SheetMap } from "./sheet-map";
import { categoriesText, clockText, periodText, rankText } from "./subject";
import { partsOf } from "./tables";
import "../styles/hotspots.css";
import "../styles/question.css";
import "../styles/answer.css";
import "../styles/sheet.css";

const box = signal<Bounds | null>(null);
const places = signal<SheetPlace[] | null>(null);
const mapDrawn = signal(false);
const namesLoaded = signal(false);
/** When the sheet was asked for. */
const madeAt = signal("");

const isReady = computed(() => places.value !== null && (mapDrawn.value || plain.value));

export const WORKSPACE: Workspace = {
  start() {
    startPanels([]);
    const parts = hashParts(location.hash);
    KEEPER.read(parts);
    box.value = readBox(parts.get("box"));
    theme.value = "light";
    madeAt.value = new Date().toISOString();
    followMethods();
    followQuestion();
    followList();
    followPlaces(() => (namesLoaded.value = true));
    effect(lookUp);
  },
  title: "sheetTitle",
  View: Sheet,
  bare: true,
};

/** Looks up what stands in the table once the answer and its list are here. */
function lookUp(): (() => void) | undefined {
  const answer = main.answer.value;
  const days = shownPeriod.value ?? extent.value;
  if (!answer || !days || !namesLoaded.value) return undefined;
  if (!answer.layer) {
    places.value = [];
    return undefined;
  }
  if (listed.value?.run !== answer.run.run_id) return undefined;
  const request = new AbortController();
  const { categories, clock } = question.value;
  const used = answer.run.provenance.parameters.origins;
  const origins = Array.isArray(used) ? used.map(String) : ORIGINS;
  const wanted = { period: days, categories, clock, origins, timeZone: timeZone.value };
  placesOf(listed.value.features, wanted, language.value, request.signal)
    .then((found) => (places.value = found))
    .catch((error: unknown) => report(error));
  return () => request.abort();
}

function readBox(text: string | undefined): Bounds | null {
  const numbers = (text ?? "").split(",").map(Number);
  return numbers.length === 4 && numbers.every(Number.isFinite) ? (numbers as Bounds) : null;
}

function Sheet() {
  const answer = main.answer.value;
  const failed = main.failure.value?.message ?? (Object.keys(problems.value).length > 0 ? `${t("needsMore")} ${Object.keys(problems.value).join(", ")}` : null);
  return (
    <>
      <nav class="sheet-bar" aria-label={t("print")}>
        <a href={`/hotspots${location.hash}`}>{t("backToWorkspace")}</a>
        <button type="button" class="button primary" disabled={!isReady.value} onClick={() => window.print()}>
          <Icon name="print" />
          {t("print")}
        </button>
      </nav>
      <main class="sheet" data-ready={isReady.value}>
        <Head />
        {failed && <p role="alert">{failed}</p>}
        {!answer && !failed && <p role="status">{t("sheetPreparing")}</p>}
        {answer && (
          <>
            {!plain.value && places.value && (
              <SheetMap
                box={box.value}
                places={places.value.map(({ feature }) => feature)}
                onDrawn={() => (mapDrawn.value = true)}
              />
            )}
            <Basis />
            {answer.layer ? <Places /> : <NumbersTable values={partsOf(answer.run.summary).singles} words={words.value} />}
          </>
        )}
        <section class="sheet-notes" aria-label={t("sheetNotes")}>
          <h2>{t("sheetNotes")}</h2>
          <div aria-hidden="true">
            {Array.from({ length: 12 }, (_, at) => (
              <i key={at} />
            ))}
          </div>
        </section>
        <Foot />
      </main>
    </>
  );
}

function Head() {
  const days = shownPeriod.value ?? extent.value;
  const { categories, clock } = question.value;
  return (
    <header class="sheet-head">
      <Mark />
      <div>
        <h1>
          {t("sheetName")}
          <span>{city.value?.title[language.value]}</span>
        </h1>
        <p>
          <strong>{answerLayer.value?.title[language.value] ?? method.value?.["wangge:titles"][language.value]}</strong>
          {days && ` · ${periodText(days, language.value)}`}
          {side.value === "difference" && second.value && ` · ${t("against", periodText(second.value, language.value))}`}
          {` · ${categoriesText(categories, words.value, language.value)} · ${clockText(clock, language.value)}`}
        </p>
      </div>
      <dl class="sheet-blanks">
        <div>
          <dt>{t("sheetUnit")}</dt>
          <dd />
        </div>
        <div>
          <dt>{t("sheetShift")}</dt>
          <dd />
        </div>
      </dl>
      {city.value?.synthetic && <p class="sheet-synthetic">{t("synthetic")}</p>}
    </header>
  );
}

/** What the method shows and does not, from how many incidents, and which took no part. */
function Basis() {
  const of = main.answer.value?.run.provenance;
  const card = method.value?.["wangge:card"][language.value];
  if (!of || !card) return null;
  const reasons = of.left_out.map(({ reason, count }) => t("leftOutRow", count, named(reason, words.value, language.value)));
  return (
    <section class="sheet-basis" aria-label={t("cardMore")}>
      <p>{card}</p>
      <p>
        {factsOf(of, words.value, language.value, timeZone.value)
          .map(({ label, text }) => `${label} ${text}`)
          .join(" · ")}
        {" · "}
        {t("leftOutCount", leftOutCount(of))}
        {reasons.length > 0 && (language.value === "zh" ? `（${reasons.join("；")}）` : ` (${reasons.join("; ")})`)}
      </p>
    </section>
  );
}

function Places() {
  const layer = answerLayer.value;
  const shown = places.value;
  if (!layer || !shown) return null;
  if (shown.length === 0) return <p class="sheet-none">{t("nothingNotable")}</p>;
  return (
    <table class="sheet-places">
      <caption>{t("sheetPlaces", Math.min(shown.length, MOST_PLACES))}</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">{t("columnRank")}</span>#
          </th>
          <th scope="col">{t("columnPlace")}</th>
          <th scope="col">{t("columnFinding")}</th>
          <th scope="col">{t("columnCount")}</th>
          <th scope="col">{t("columnRank")}</th>
          <th scope="col">{t("columnPeak")}</th>
          <th scope="col">{t("columnChecked")}</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((place, at) => {
          const { incidents_count: count, small_n: few } = place.feature.properties;
          return (
            <tr key={place.feature.id}>
              <th scope="row">{at + 1}</th>
              <td>{place.where.join(" · ") || titleOf(place.feature, layer, reader.value)}</td>
              <td>
                {findingOf(place.feature, layer, reader.value) ?? t("empty")}
                {few === true && ` · ${t("smallN")}`}
              </td>
              <td>{typeof count === "number" ? formatNumber(count, language.value) : t("empty")}</td>
              <td>{rankText(place.feature.properties, language.value) ?? t("empty")}</td>
              <td>{place.busiest ?? t("empty")}</td>
              <td>
                <i class="sheet-check" />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Foot() {
  const run = main.answer.value?.run;
  const last = city.value?.period?.[1];
  return (
    <footer class="sheet-foot">
      <span>{t("sheetMade", formatInstant(madeAt.value, reader.value))}</span>
      {last && <span>{t("sheetData", formatInstant(last, reader.value))}</span>}
      {run && <span>{t("sheetRun", run.run_id)}</span>}
      {city.value?.synthetic && <strong>{t("syntheticLong")}</strong>}
      <span>{city.value?.attribution}</span>
    </footer>
  );
}

/** One place of the answer: its values, and the incidents behind it by time. */

import { effect, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CatalogLayer, Feature } from "../api";
import { formatDay, formatInstant, valuesOf } from "../format";
import { Icon } from "../panels/icons";
import { named } from "../panels/numbers";
import { extent, language, reader, report, selected, selectedFeature, t, timeZone } from "../state/store";
import type { Period } from "../state/time";
import { answerLayer, main, shownPeriod } from "./answer";
import { TimeBars } from "./charts";
import { BUSY_H, busiestHours, byWeek, incidentsIn, isArea, MOST, NEAR_M, ORIGINS, type Found } from "./incidents";
import { words } from "./methods";
import { FindingMark, placeTitle, showOnMap, takesFocus } from "./place-list";
import { question } from "./question";
import { hoursSpan, rankText } from "./subject";

const PAGE = 20;

export function PlaceDetail() {
  const layer = answerLayer.value;
  const feature = selectedFeature.value;
  const back = () => {
    const id = selected.value?.id;
    selected.value = null;
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-place="${id}"]`)?.focus());
  };
  const here = layer && feature && String(feature.id) === selected.value?.id ? feature : null;
  useEffect(() => {
    if (!here || !takesFocus.peek()) return;
    takesFocus.value = false;
    document.getElementById("title-place")?.focus();
  }, [here?.id]);
  const { title, beside } = here && layer ? placeTitle(here, layer) : { title: "", beside: [] };
  return (
    <>
      <button type="button" class="link back" onClick={back}>
        <Icon name="previous" />
        {t("backToList")}
      </button>
      {here && layer && (
        <>
          <div class="place-title">
            <h3 id="title-place" tabIndex={-1}>
              {title}
            </h3>
            <button
              type="button"
              class="icon-button"
              aria-label={t("showOnMap")}
              title={t("showOnMap")}
              onClick={() => showOnMap(here.geometry)}
            >
              <Icon name="target" />
            </button>
          </div>
          <p class="place-finding">
            <FindingMark layer={layer} feature={here} />
            {beside.join(" · ")}
          </p>
          <Values feature={here} layer={layer} finding={beside[0] ?? ""} />
          {here.geometry && <Incidents geometry={here.geometry} />}
        </>
      )}
    </>
  );
}

/** What stands elsewhere on the page, or in a row of its own. */
const ELSEWHERE: readonly string[] = ["name_zh", "name_en", "rank", "rank_low", "rank_high", "small_n"];

/** The values of a place; its rank as a range, its few incidents only where they are few, its code last. */
function Values({ feature, layer, finding }: { feature: Feature; layer: CatalogLayer; finding: string }) {
  const { properties } = feature;
  const rank = rankText(properties, language.value);
  const told = rank === null ? ELSEWHERE.filter((field) => field !== "rank") : ELSEWHERE;
  const popup = layer.popup.filter(({ field }) => !told.includes(field));
  popup.sort((a, b) => Number(a.field === "code") - Number(b.field === "code"));
  const values = valuesOf(properties, { ...layer, popup }, finding, reader.value);
  return (
    <>
      {properties.small_n === true && <p class="hint warning">{t("smallNLong")}</p>}
      <dl class="rows">
        {rank !== null && (
          <div>
            <dt>{t("columnRank")}</dt>
            <dd>{rank}</dd>
          </div>
        )}
        {values.map(({ name, text }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Incidents({ geometry }: { geometry: GeoJSON.Geometry }) {
  const found = useSignal<Found | null>(null);
  const shown = useSignal(PAGE);
  const days = shownPeriod.value ?? extent.value;
  useEffect(
    () =>
      effect(() => {
        const period = shownPeriod.value ?? extent.value;
        if (!period) return undefined;
        const request = new AbortController();
        const { categories, clock } = question.value;
        const origins = originsOf(main.answer.value?.run.provenance.parameters.origins);
        incidentsIn(geometry, { period, categories, clock, origins, timeZone: timeZone.value }, request.signal)
          .then((incidents) => (found.value = incidents))
          .catch((error: unknown) => report(error));
        return () => request.abort();
      }),
    [geometry],
  );
  if (!days) return null;
  return (
    <section aria-labelledby="title-incidents" aria-busy={found.value === null}>
      <h3 class="section-title" id="title-incidents">
        {t("incidentsByTime")}
        {found.value && <span class="ask-now"> {t("incidentsHere", found.value.incidents.length)}</span>}
      </h3>
      {!isArea(geometry) && <p class="hint">{t("incidentsNear", NEAR_M)}</p>}
      {found.value === null ? (
        <p class="hint">{t("incidentsFetching")}</p>
      ) : (
        <Listed found={found.value} days={days} shown={shown.value} more={() => (shown.value += PAGE)} />
      )}
    </section>
  );
}

function originsOf(used: unknown): readonly string[] {
  return Array.isArray(used) ? used.map(String) : ORIGINS;
}

function Listed({ found, days, shown, more }: { found: Found; days: Period; shown: number; more: () => void }) {
  const { incidents, since } = found;
  if (incidents.length === 0) return <p class="hint">{t("incidentsNone")}</p>;
  const busiest = busiestHours(incidents, timeZone.value, BUSY_H);
  const left = incidents.length - shown;
  return (
    <>
      {since && <p class="hint">{t("incidentsSince", MOST, formatDay(since, language.value))}</p>}
      <TimeBars title={t("perWeek")} bars={byWeek(incidents, since ? { from: since, to: days.to } : days, timeZone.value)} />
      {busiest && (
        <p class="hint">
          {t("busiest")} {hoursSpan(busiest.from, busiest.from + BUSY_H - 1)} · {t("incidentsHere", busiest.count)}
        </p>
      )}
      <table class="incidents">
        <thead>
          <tr>
            <th scope="col">{t("incidentTime")}</th>
            <th scope="col">{t("incidentCategory")}</th>
            <th scope="col">{t("incidentAddress")}</th>
          </tr>
        </thead>
        <tbody>
          {incidents.slice(0, shown).map(({ id, at, category, address }) => (
            <tr key={id}>
              <td>{formatInstant(at, reader.value)}</td>
              <td>{named(category, words.value, language.value)}</td>
              <td>{address || t("empty")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <button type="button" class="button" onClick={more}>
          {t("incidentsMore", Math.min(left, PAGE))}
        </button>
      )}
    </>
  );
}

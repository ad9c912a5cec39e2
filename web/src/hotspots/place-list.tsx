/** The places of the answer, the most notable first, each with what one must know of it. */

import { signal } from "@preact/signals";
import type { CatalogLayer, Feature } from "../api";
import { findingOf, findingRow, formatNumber, nameOf, titleOf, valuesOf } from "../format";
import { boundsOf } from "../map/geometry";
import { handle } from "../map/handle";
import { SwatchMark } from "../panels/swatch";
import { closePanel, narrow } from "../state/layout";
import { select } from "../state/pick";
import { language, pointedFeature, reader, t } from "../state/store";
import { answerLayer } from "./answer";
import { rowOf } from "./legend";
import { listed, listMore, notable } from "./listed";
import { communityOf } from "./places";
import { ask, question } from "./question";
import { rankText } from "./subject";

const HOTSPOTS = "hotspots";
/** How many further values stand in a row. */
const SHOWN_VALUES = 2;
/** What the row tells in its own way already. */
const TOLD: readonly string[] = ["code", "incidents_count", "rank", "small_n", "share", "name_zh", "name_en"];
/** The server counts no further. */
const COUNTED = 10_000;
/** Near enough to see the streets of a place, far enough to see where it lies. */
const PLACE_ZOOM = 15;

export function PlaceList() {
  const layer = answerLayer.value;
  const shown = listed.value;
  if (!layer) return null;
  return (
    <section aria-labelledby="title-places">
      <div class="places-head">
        <h3 id="title-places">{t("placesFound")}</h3>
        {notable(layer) && <WhichSwitch layer={layer} />}
      </div>
      {shown && (
        <p class="hint" role="status">
          {shown.features.length === 0
            ? t(question.value.everything || !notable(layer) ? "noPlaces" : "nothingNotable")
            : shown.matched === null
              ? t("placesMany", shown.features.length, COUNTED)
              : t("placesCount", shown.features.length, shown.matched)}
        </p>
      )}
      <ol class="places">
        {shown?.features.map((feature, at) => (
          <PlaceRow key={feature.id} layer={layer} feature={feature} number={at + 1} />
        ))}
      </ol>
      {shown?.after && (
        <button type="button" class="button" onClick={listMore}>
          {t("more")}
        </button>
      )}
    </section>
  );
}

function WhichSwitch({ layer }: { layer: CatalogLayer }) {
  const { everything } = question.value;
  return (
    <div class="segments" role="group" aria-label={t("listWhich")}>
      <button type="button" aria-pressed={!everything} onClick={() => ask({ everything: false })}>
        {t(layer.id === HOTSPOTS ? "onlyHot" : "onlyNotable")}
      </button>
      <button type="button" aria-pressed={everything} onClick={() => ask({ everything: true })}>
        {t("everyPlace")}
      </button>
    </div>
  );
}

/** What a place is called: its own name, else the community it lies in, else what was found there. */
export function placeTitle(feature: Feature, layer: CatalogLayer): { title: string; beside: string[] } {
  const community = communityOf(feature.geometry, language.value);
  const named = nameOf(feature, language.value) ?? community;
  const finding = findingOf(feature, layer, reader.value);
  const beside = community !== null && named?.includes(community) ? [finding] : [finding, community];
  if (named === null) return { title: titleOf(feature, layer, reader.value), beside: [] };
  return { title: named, beside: beside.filter((text) => text !== null) };
}

function PlaceRow({ layer, feature, number }: { layer: CatalogLayer; feature: Feature; number: number }) {
  const { properties } = feature;
  const { title, beside } = placeTitle(feature, layer);
  return (
    <li>
      <button
        type="button"
        class="place"
        data-place={feature.id}
        onClick={() => openPlace(layer, feature)}
        onPointerEnter={() => (pointedFeature.value = feature)}
        onPointerLeave={() => (pointedFeature.value = null)}
        onFocus={() => (pointedFeature.value = feature)}
        onBlur={() => (pointedFeature.value = null)}
      >
        <span class="place-number" aria-hidden="true">
          {number}
        </span>
        <span class="place-text">
          <strong>{title}</strong>
          {beside.length > 0 && (
            <span class="place-finding">
              <FindingMark layer={layer} feature={feature} />
              {beside.join(" · ")}
            </span>
          )}
          <span class="place-more">{placeFacts(feature, layer).join(" · ")}</span>
        </span>
        {typeof properties.incidents_count === "number" && (
          <span class="place-count">{t("incidentsHere", properties.incidents_count)}</span>
        )}
      </button>
    </li>
  );
}

/** The colour of the finding as the legend has it; what it means stands beside it in words. */
export function FindingMark({ layer, feature }: { layer: CatalogLayer; feature: Feature }) {
  const said = findingOf(feature, layer, reader.value);
  const swatch = said === null ? null : rowOf(layer.legend, said, language.value);
  return swatch ? <SwatchMark swatch={swatch} /> : null;
}

/** Rank with its uncertainty, PAI, a warning where few stand behind it; else the first values of the layer. */
function placeFacts({ properties }: Feature, layer: CatalogLayer): string[] {
  const facts: string[] = [];
  const rank = rankText(properties, language.value);
  if (rank) facts.push(t("rank", rank));
  if (typeof properties.pai === "number") facts.push(`PAI ${formatNumber(properties.pai, language.value)}`);
  if (facts.length === 0) {
    const finding = findingRow(layer)?.field;
    const others = layer.popup.filter(({ field }) => !TOLD.includes(field) && field !== finding);
    const values = valuesOf(properties, { ...layer, popup: others }, "", reader.value).slice(0, SHOWN_VALUES);
    facts.push(...values.map(({ name, text }) => `${name} ${text}`));
  }
  if (properties.small_n === true) facts.push(t("smallN"));
  return facts;
}

/** Whether the page of a place takes the keyboard's focus when it comes: from the list yes, after a click on the map no. */
export const takesFocus = signal(false);

/** Opens a place: its own page in the panel, and the place itself on the map. */
export function openPlace(layer: CatalogLayer, feature: Feature): void {
  pointedFeature.value = null;
  takesFocus.value = true;
  select(layer.id, feature);
  showOnMap(feature.geometry);
}

export function showOnMap(geometry: GeoJSON.Geometry | null): void {
  const bounds = geometry && boundsOf(geometry);
  if (!bounds) return;
  handle.value?.fit(bounds, PLACE_ZOOM);
  // On a phone the panel lies over the map.
  if (narrow.value) closePanel("answer");
}

/** The table twin of the map: what is in view, row by row, for keyboard and screen reader and for whoever reads lists. */

import { computed, effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../api";
import type { CatalogLayer, Feature, ItemQuery } from "../api";
import { titleOf, valuesOf } from "../format";
import { filterOf } from "../map/compose";
import { closePanel, narrow } from "../state/layout";
import { choose } from "../state/pick";
import { bounds, catalog, language, period, reader, report, runs, selected, t, visible } from "../state/store";
import { PanelHead } from "./panel";

const PAGE = 50;
const SETTLE_MS = 200;
/** How many values of a row stand under its title. */
const SHOWN_VALUES = 3;

const wanted = signal<string | null>(null);
const page = signal<{ layer: string; features: Feature[]; matched: number | null; after: string | null } | null>(null);
const busy = signal(false);

const listable = computed(() => catalog.value.filter((layer) => visible.value.has(layer.id) && layer.popup.length > 0));
const listed = computed(() => listable.value.find(({ id }) => id === wanted.value) ?? listable.value[0] ?? null);

function queryOf(layer: CatalogLayer): ItemQuery | null {
  const bbox = bounds.value;
  if (!bbox) return null;
  const { datetime = null, run_id } = filterOf(layer, { period: period.value, runs: runs.value });
  return { bbox, datetime, run_id: run_id === undefined ? null : Number(run_id), limit: PAGE };
}

/** Fetches the first page whenever the layer, the view or a filter changes, once the map has come to rest. */
function follow(): () => void {
  return effect(() => {
    const layer = listed.value;
    const query = layer && queryOf(layer);
    if (!layer || !query) return undefined;
    const request = new AbortController();
    busy.value = true;
    const timer = setTimeout(() => void fetchPage(layer.id, query, [], request.signal), SETTLE_MS);
    return () => {
      clearTimeout(timer);
      request.abort();
    };
  });
}

async function fetchPage(layer: string, query: ItemQuery, before: Feature[], signal: AbortSignal): Promise<void> {
  try {
    const found = await api.items(layer, query, signal);
    const features = [...before, ...found.features];
    page.value = { layer, features, matched: found.numberMatched ?? null, after: api.nextPage(found) };
    busy.value = false;
  } catch (error) {
    if (signal.aborted) return;
    busy.value = false;
    report(error);
  }
}

export function ListPanel() {
  useEffect(follow, []);
  const layer = listed.value;
  const shown = page.value?.layer === layer?.id ? page.value : null;
  return (
    <section class="panel" id="panel-list" aria-labelledby="title-list">
      <PanelHead panel="list" title={t("inView")} hint={t("inViewHint")} />
      <div class="panel-body" aria-busy={busy.value}>
        {layer ? (
          <>
            <label class="field">
              <span>{t("chooseLayer")}</span>
              <select value={layer.id} onChange={(e) => (wanted.value = e.currentTarget.value)}>
                {listable.value.map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title[language.value]}
                  </option>
                ))}
              </select>
            </label>
            {shown && <Rows layer={layer} />}
          </>
        ) : (
          <p class="hint">{t("noListable")}</p>
        )}
      </div>
    </section>
  );
}

function Rows({ layer }: { layer: CatalogLayer }) {
  const shown = page.value;
  if (!shown) return null;
  const { features, matched, after } = shown;
  const query = queryOf(layer);
  const more = () => {
    if (query && after) void fetchPage(layer.id, { ...query, after }, features, new AbortController().signal);
  };
  return (
    <>
      <p class="list-count" role="status">
        {features.length === 0
          ? t("nothingInView")
          : matched === null
            ? t("shownCount", features.length)
            : t("shownOfCount", features.length, matched)}
        {query && (
          <a class="link" href={`${api.itemsPath(layer.id, query)}&f=html&lang=${language.value}`}>
            {t("openData")}
          </a>
        )}
      </p>
      <ul class="features">
        {features.map((feature) => (
          <FeatureRow key={feature.id} layer={layer} feature={feature} />
        ))}
      </ul>
      {after && (
        <button type="button" class="button" onClick={more}>
          {t("more")}
        </button>
      )}
    </>
  );
}

function FeatureRow({ layer, feature }: { layer: CatalogLayer; feature: Feature }) {
  const id = String(feature.id ?? "");
  const title = titleOf(feature, layer, reader.value);
  const values = valuesOf(feature.properties, layer, title, reader.value).slice(0, SHOWN_VALUES);
  const current = selected.value?.layer === layer.id && selected.value.id === id;
  return (
    <li>
      <button
        type="button"
        class="feature"
        aria-current={current}
        onClick={() => {
          choose(layer.id, feature);
          // On a phone the list lies over the map, where the popup opens.
          if (narrow.value) closePanel("list");
        }}
      >
        <strong>{title}</strong>
        {values.length > 0 && <span>{values.map(({ name, text, number }) => (number ? `${name} ${text}` : text)).join(" · ")}</span>}
      </button>
    </li>
  );
}

/** Fetches what the signals ask for: the city once, the style for every language and theme, the selected feature. */

import { effect, signal, untracked } from "@preact/signals";
import * as api from "../api";
import type { CatalogLayer } from "../api";
import { boundsOf, middleOf } from "../map/geometry";
import { featureAtHand, hits, showHit } from "./pick";
import { catalog, city, language, report, runs, selected, selectedFeature, shade, style, toldInPanel } from "./store";

export const started = signal<"loading" | "ready" | "failed">("loading");

export async function loadCity(): Promise<void> {
  started.value = "loading";
  try {
    city.value = (await api.landing()).city;
    started.value = "ready";
  } catch (error) {
    started.value = "failed";
    report(error, () => void loadCity());
  }
}

/** Keeps the style that of the reader's language and theme; the old one stays on the map until the new one is here. */
export function followStyle(): void {
  effect(() => {
    if (!city.value) return undefined;
    const wanted = new AbortController();
    const [words, tone] = [language.value, shade.value];
    const load = () =>
      api
        .style(words, tone, wanted.signal)
        .then((loaded) => (style.value = loaded))
        .catch((error: unknown) => report(error, load));
    void load();
    return () => wanted.abort();
  });
}

/**
 * Fetches the whole geometry of the selected feature, and opens its popup where a click has not done so already. A
 * feature of a result is asked for once that result is there: `isThere` tells.
 */
export function followSelection(isThere: (layer: CatalogLayer) => boolean = () => true): void {
  effect(() => {
    const key = selected.value;
    if (!key) {
      selectedFeature.value = null;
      hits.value = null;
      return undefined;
    }
    if (catalog.value.length === 0) return undefined;
    const layer = catalog.value.find(({ id }) => id === key.layer);
    if (!layer || !isThere(layer)) return undefined;
    const wanted = new AbortController();
    const run = untracked(() => (layer.service ? runs.value[layer.service] : undefined));
    const known = featureAtHand(key);
    (known ? Promise.resolve(known) : api.item(key.layer, key.id, run ?? null, wanted.signal))
      .then((feature) => {
        selectedFeature.value = feature;
        const bounds = feature.geometry && boundsOf(feature.geometry);
        if (bounds && !toldInPanel.value.has(key.layer)) showHit({ layer: key.layer, id: key.id, properties: feature.properties }, middleOf(bounds));
      })
      .catch((error: unknown) => {
        selectedFeature.value = null;
        report(error);
      });
    return () => wanted.abort();
  });
}

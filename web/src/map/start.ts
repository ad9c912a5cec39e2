/** Ties the map to the state: signals move and colour it, and what the reader does on it goes into signals. */

import { batch, computed, effect, untracked } from "@preact/signals";
import type { MapGeoJSONFeature } from "maplibre-gl";
import { ApiProblem } from "../api";
import { hits, pick } from "../state/pick";
import {
  announce,
  bounds,
  catalog,
  city,
  language,
  mapBusy,
  period,
  pointedFeature,
  report,
  runs,
  selectedFeature,
  shade,
  style,
  t,
  view,
  visible,
  zoom,
} from "../state/store";
import { writeHash, EMPTY, type View } from "../state/url";
import { drawn, picking, placing, type Picking } from "../state/picking";
import { compose, PICKED } from "./compose";
import { createMap, type MapHandle, type MapOptions } from "./create";
import { handle } from "./handle";
import { hitsOf } from "./hits";
import { followHits } from "./popup";

declare global {
  interface Window {
    /** The map, for the browser's console and the browser tests. */
    wangge?: { map: MapHandle["map"] };
  }
}

/** The style as it is to be drawn now. */
const composed = computed(
  () =>
    style.value &&
    compose(style.value, {
      visible: visible.value,
      period: period.value,
      runs: runs.value,
      picked: picking.value,
      selected: drawn.value ?? (pointedFeature.value ?? selectedFeature.value)?.geometry ?? null,
      theme: shade.value,
    }),
);

/** Makes the map in a container and keeps it in step; returns what takes it down again. */
export function startMap(container: HTMLElement): () => void {
  const first = composed.peek();
  if (!first) throw new Error("the map was started before its style was loaded");
  const made = createMap({
    ...tied(),
    container,
    style: first,
    onPick: (features, at, byKeyboard) => {
      if (placing.peek()) {
        placing.peek()?.(at);
        return;
      }
      const asking = picking.peek();
      if (asking) {
        pickInto(asking, features);
        return;
      }
      const found = hitsOf(features, catalog.value, at);
      if (byKeyboard && found.length === 0) announce(t("nothingHere"));
      pick(found, at, byKeyboard);
    },
  });
  const { map } = made;

  let last = first;
  const stops = [
    effect(() => {
      if (!composed.value || composed.value === last) return;
      last = composed.value;
      made.setStyle(last);
    }),
    publish(made),
    effect(() => {
      map.getCanvas().setAttribute("aria-label", t("mapLabel", city.value?.title[language.value] ?? ""));
    }),
    effect(() => {
      const shown = hits.value;
      if (shown && untracked(() => !map.getBounds().contains(shown.at))) map.easeTo({ center: shown.at });
    }),
    followHits(map),
  ];
  return () => {
    for (const stop of stops) stop();
    map.remove();
  };
}

/** Takes the feature under a point into the form that asks, or out of it again. */
function pickInto({ toggle }: Picking, features: readonly MapGeoJSONFeature[]): void {
  // By its area: a label may hang over a neighbour.
  const code = features.find(({ layer }) => layer.id === PICKED)?.properties.code as unknown;
  if (typeof code !== "string") announce(t("nothingHere"));
  else announce(t(toggle(code) === "in" ? "pickedIn" : "pickedOut", code));
}

/** What every map of ours begins with and says to the state. */
export function tied(): Pick<MapOptions, "view" | "bounds" | "onMove" | "onBusy" | "onError"> {
  return {
    view: view.peek(),
    bounds: city.peek()?.bounds ?? null,
    onMove: (where, box) =>
      batch(() => {
        view.value = where;
        zoom.value = where.zoom;
        bounds.value = box;
      }),
    onBusy: (busy) => (mapBusy.value = busy),
    onError: (error) => report(readable(error)),
  };
}

/** Makes a map the map of the page, and moves it where the state says; returns what undoes both. */
export function publish(made: MapHandle): () => void {
  handle.value = made;
  window.wangge = { map: made.map };
  const stop = effect(() => {
    const wanted = view.value;
    if (!wanted) {
      const all = city.peek()?.bounds;
      if (all) made.fit(all);
    } else if (!sameView(wanted, made.view())) {
      made.setView(wanted);
    }
  });
  return () => {
    stop();
    handle.value = null;
    delete window.wangge;
  };
}

/** Equal as far as the address tells them apart. */
function sameView(a: View, b: View): boolean {
  return writeHash({ ...EMPTY, view: a }) === writeHash({ ...EMPTY, view: b });
}

/** A failed tile as the same notice for every tile that fails so. */
function readable(error: { message: string; status?: unknown; statusText?: unknown }): Error {
  if (typeof error.status === "number") return new ApiProblem(String(error.statusText ?? ""), error.status);
  return new Error(t("mapFailed", error.message));
}

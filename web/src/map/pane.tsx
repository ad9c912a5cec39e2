/** The place of the map on the page, with its buttons; without WebGL2 the plain page of the server stands there. */

import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import * as api from "../api";
import { Icon } from "../panels/icons";
import { catalog, city, language, mapBusy, report, style, t } from "../state/store";
import type { MapHandle } from "./create";
import { hasWebGL2 } from "./webgl";

/** The layers whose plain page stands in for the map: what one came to see, else what every city has. */
const PLAIN_LAYER = "hotspots";
const SECOND_LAYER = "grids";

export const plain = signal(!hasWebGL2());
const plainLayer = signal<string | null>(null);
const handle = signal<MapHandle | null>(null);

export function MapPane() {
  return (
    <main class="map-pane" id="map" tabIndex={-1} aria-label={t("map")}>
      {plain.value ? <PlainMap /> : <LiveMap />}
    </main>
  );
}

function LiveMap() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let stop: (() => void) | undefined;
    let gone = false;
    const begin = async () => {
      try {
        const started = await import("./start");
        if (gone || !box.current) return;
        stop = started.startMap(box.current);
        handle.value = started.handle.value;
      } catch (error) {
        // The context may still be refused after the first question; then the plain page is shown, and why is said.
        report(error);
        plain.value = true;
      }
    };
    const wait = effect(() => {
      if (style.value && !stop) void begin();
    });
    return () => {
      gone = true;
      wait();
      stop?.();
    };
  }, []);
  return (
    <>
      <div class="map" ref={box} />
      <div class="map-buttons">
        <button type="button" aria-label={t("zoomIn")} title={t("zoomIn")} onClick={() => handle.value?.map.zoomIn()}>
          <Icon name="plus" />
        </button>
        <button type="button" aria-label={t("zoomOut")} title={t("zoomOut")} onClick={() => handle.value?.map.zoomOut()}>
          <Icon name="minus" />
        </button>
        <button type="button" aria-label={t("wholeCity")} title={t("wholeCity")} onClick={showCity}>
          <Icon name="city" />
        </button>
      </div>
    </>
  );
}

function showCity(): void {
  const all = city.value?.bounds;
  if (all) handle.value?.fit(all);
}

/** Pages of the server that need neither WebGL nor this program: one a layer. */
function PlainMap() {
  const layer = plainLayer.value;
  useEffect(() => {
    mapBusy.value = false;
    // The page of a service's layer is there once the service has run.
    api
      .runs(PLAIN_LAYER)
      .then(({ runs }) => (plainLayer.value ??= runs.length > 0 ? PLAIN_LAYER : SECOND_LAYER))
      .catch((error: unknown) => {
        plainLayer.value ??= SECOND_LAYER;
        report(error);
      });
  }, []);
  return (
    <div class="plain-map">
      <div class="plain-note" role="status">
        <strong>{t("noWebglTitle")}</strong> {t("noWebgl")}
        <label>
          {t("chooseLayer")}{" "}
          <select value={layer ?? ""} onChange={(e) => (plainLayer.value = e.currentTarget.value)}>
            {catalog.value.map(({ id, title }) => (
              <option key={id} value={id}>
                {title[language.value]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {layer && <iframe src={`/maps/${layer}.html?lang=${language.value}`} title={t("plainMap")} />}
    </div>
  );
}

/** The place of the map on the page, with its buttons; without WebGL2 the plain page of the server stands there. */

import { effect, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import * as api from "../api";
import { Icon } from "../panels/icons";
import { catalog, city, language, mapBusy, ownResults, report, runs, style, t } from "../state/store";
import { handle } from "./handle";
import { hasWebGL2 } from "./webgl";

/** The layers whose plain page stands in for the map: what one came to see, else what every city has. */
const PLAIN_LAYER = "hotspots";
const SECOND_LAYER = "grids";

export const plain = signal(!hasWebGL2());
const plainLayer = signal<string | null>(null);

/** A map other than the city's: what makes it in a container, and whether there is what it needs. */
export interface OtherMap {
  load: () => Promise<(container: HTMLElement) => () => void>;
  isReady: () => boolean;
}

const CITY_MAP: OtherMap = {
  load: async () => (await import("./start")).startMap,
  isReady: () => style.value !== null,
};

/** Fetches the drawing code of the map while the page still asks for its city. */
export function prepareMap(): void {
  // Whether it comes is told where the map is made.
  if (!plain.value) import("./start").catch(() => undefined);
}

interface MapPaneProps {
  of?: OtherMap;
  /** What lies on the map, such as a legend of its own. */
  children?: ComponentChildren;
}

export function MapPane({ of = CITY_MAP, children }: MapPaneProps) {
  return (
    <main class="map-pane" id="map" tabIndex={-1} aria-label={t("map")}>
      {plain.value ? <PlainMap /> : <LiveMap of={of} />}
      {children}
    </main>
  );
}

function LiveMap({ of }: { of: OtherMap }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let stop: (() => void) | undefined;
    let gone = false;
    const begin = async () => {
      try {
        const start = await of.load();
        if (gone || !box.current) return;
        stop = start(box.current);
      } catch (error) {
        // The context may still be refused after the first question; then the plain page is shown, and why is said.
        report(error);
        plain.value = true;
      }
    };
    let begun = false;
    const wait = effect(() => {
      if (begun || !of.isReady()) return;
      begun = true;
      void begin();
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

/** Pages of the server that need neither WebGL nor this program: one a layer, the workspace's own result before others. */
function PlainMap() {
  const layer = plainLayer.value;
  useEffect(() => {
    mapBusy.value = false;
    // A workspace with results of its own has none before the first answer.
    if (ownResults.peek() === null) void showUsual();
    return effect(() => {
      const [own] = ownResults.value ?? [];
      if (own) plainLayer.value = own;
    });
  }, []);
  return (
    <div class="plain-map">
      <div class="plain-note" role="status">
        <strong>{t("noWebglTitle")}</strong> {t(ownResults.value ? "noWebglBeside" : "noWebgl")}
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
      {layer && <iframe src={plainPage(layer)} title={t("plainMap")} />}
    </div>
  );
}

/** The page of a service's layer is there once the service has run. */
async function showUsual(): Promise<void> {
  try {
    const found = await api.runs(PLAIN_LAYER);
    plainLayer.value ??= found.runs.length > 0 ? PLAIN_LAYER : SECOND_LAYER;
  } catch (error) {
    plainLayer.value ??= SECOND_LAYER;
    report(error);
  }
}

function plainPage(id: string): string {
  const service = catalog.value.find((layer) => layer.id === id)?.service;
  const run = service ? runs.value[service] : undefined;
  return `/maps/${id}.html${api.query({ lang: language.value, run_id: run })}`;
}

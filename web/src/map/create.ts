/** The MapLibre map: made once, then told what to show. Loaded only where WebGL2 is there. */

import { LngLatBounds, Map as MapLibre, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { MapGeoJSONFeature, MapOptions as MapLibreOptions, PointLike, StyleSpecification, VectorTileSource } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { Bounds } from "../api";
import type { View } from "../state/url";
import { inset } from "./handle";
import { HATCH, hatchImage, hatchRecipe, PIXEL_RATIO } from "./hatch";

setWorkerUrl(workerUrl);

/** How near to a point, in pixels, a click still means the feature. */
const REACH_PX = 4;
const LOOK_MS = 150;

export interface MapOptions {
  container: HTMLElement;
  style: StyleSpecification;
  view: View | null;
  bounds: Bounds | null;
  onMove: (view: View, bounds: Bounds) => void;
  onBusy: (busy: boolean) => void;
  onError: (error: { message: string }) => void;
  onPick: (features: MapGeoJSONFeature[], at: [number, number], byKeyboard: boolean) => void;
}

export interface MapHandle {
  map: MapLibre;
  setStyle: (style: StyleSpecification) => void;
  view: () => View;
  setView: (view: View) => void;
  /** Shows the bounds, no nearer than `maxZoom`. */
  fit: (bounds: Bounds, maxZoom?: number) => void;
}

/** A map with our worker and our hatch, north up and seen from straight above. */
export function plainMap(
  options: Omit<MapLibreOptions, "style"> & { style: StyleSpecification },
): { map: MapLibre; setHatch: (style: StyleSpecification) => void } {
  const map = new MapLibre({
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    maxPitch: 0,
    maxZoom: 19,
    ...options,
  });
  let hatch = hatchRecipe(options.style);
  map.setMissingStyleImageResolver((id) => {
    if (id === HATCH) map.addImage(HATCH, hatchImage(hatch), { pixelRatio: PIXEL_RATIO });
  });
  return {
    map,
    setHatch(style) {
      hatch = hatchRecipe(style);
      if (map.hasImage(HATCH)) map.updateImage(HATCH, hatchImage(hatch));
    },
  };
}

export function createMap(options: MapOptions): MapHandle {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const { container, style } = options;
  const { map, setHatch } = plainMap({ container, style, fadeDuration: still ? 0 : 200, ...startOf(options) });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new ScaleControl({ maxWidth: 110, unit: "metric" }), "bottom-right");

  const moved = () => options.onMove(viewOf(map), boundsOfMap(map));
  map.on("moveend", moved);
  map.on("resize", moved);
  followBusy(map, options.onBusy);
  map.on("error", ({ error }) => options.onError(error));

  const pick = (point: { x: number; y: number }, byKeyboard: boolean) => {
    const box: [PointLike, PointLike] = [
      [point.x - REACH_PX, point.y - REACH_PX],
      [point.x + REACH_PX, point.y + REACH_PX],
    ];
    options.onPick(map.queryRenderedFeatures(box), map.unproject([point.x, point.y]).toArray(), byKeyboard);
  };
  map.on("click", ({ point }) => pick(point, false));
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    // The popup takes the focus within this event; the key must not go on to press its button.
    event.preventDefault();
    pick(map.project(map.getCenter()), true);
  });
  map.once("load", moved);
  // Until a first style has loaded there is nothing to compare a new one with.
  let styled = false;
  map.on("style.load", () => (styled = true));

  return {
    map,
    setStyle(style) {
      setHatch(style);
      retile(map, style);
      map.setStyle(style, { diff: styled });
    },
    view: () => viewOf(map),
    setView({ zoom, lat, lon }) {
      map.jumpTo({ center: [lon, lat], zoom });
    },
    fit(bounds, maxZoom = 17) {
      map.fitBounds(new LngLatBounds(bounds), { padding: inset.value, maxZoom, animate: !still });
    },
  };
}

/** Says when the map begins to load and when all of it is drawn. */
function followBusy(map: MapLibre, onBusy: (busy: boolean) => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    const done = map.loaded() && map.areTilesLoaded();
    timer = done ? undefined : setTimeout(look, LOOK_MS);
    if (done) onBusy(false);
  };
  map.on("dataloading", () => {
    onBusy(true);
    // Not by the event `idle` alone: tiles that come back unchanged are drawn no second time and tell nobody.
    timer ??= setTimeout(look, LOOK_MS);
  });
  map.on("idle", () => onBusy(false));
  map.on("remove", () => clearTimeout(timer));
}

/** Gives sources their new addresses in place; a difference of styles would take them away with their layers. */
function retile(map: MapLibre, style: StyleSpecification): void {
  for (const [name, source] of Object.entries(style.sources)) {
    const present = map.getSource(name);
    if (source.type !== "vector" || present?.type !== "vector" || !source.tiles) continue;
    const vector = present as VectorTileSource;
    if (vector.tiles?.join() !== source.tiles.join()) vector.setTiles(source.tiles);
  }
}

function startOf({ view, bounds }: MapOptions): { center: [number, number]; zoom: number } | { bounds: LngLatBounds; fitBoundsOptions: object } | object {
  if (view) return { center: [view.lon, view.lat], zoom: view.zoom };
  return bounds ? { bounds: new LngLatBounds(bounds), fitBoundsOptions: { padding: inset.value } } : {};
}

function viewOf(map: MapLibre): View {
  const { lat, lng } = map.getCenter();
  return { zoom: map.getZoom(), lat, lon: lng };
}

function boundsOfMap(map: MapLibre): Bounds {
  const box = map.getBounds();
  return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
}


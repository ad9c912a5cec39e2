/** The stops on the map as numbered markers in their unit's colour; loaded with the map only. */

import { effect } from "@preact/signals";
import { Marker } from "maplibre-gl";
import { handle } from "../map/handle";
import { pointedFeature } from "../state/store";
import { colourOf, routes, walkedShown } from "./answer";
import { inkOn, isStop, type Halt, type Route } from "./plan";

interface Shown {
  halt: Halt;
  marker: Marker;
}

/** Keeps the markers those of the routes, of `only` one unit where that is wanted; returns what takes them away. */
export function followMarkers(only: (route: Route) => boolean = () => true): () => void {
  let shown: Shown[] = [];
  const clear = () => {
    shown.forEach(({ marker }) => marker.remove());
    shown = [];
  };
  const mark = () => {
    const pointed = pointedFeature.peek();
    for (const { halt, marker } of shown) marker.getElement().dataset.pointed = String(halt.feature === pointed);
  };
  const draw = effect(() => {
    const map = handle.value?.map;
    const wanted = walkedShown.value ? [] : routes.value.filter(only);
    clear();
    if (!map) return;
    // Where several units halt, the first one lies on top.
    const halts = wanted.flatMap(({ halts }) => halts.filter((halt) => isStop(halt) || halt.kind === "start")).reverse();
    shown = halts.map((halt) => ({ halt, marker: markerOf(halt).addTo(map) }));
    mark();
  });
  const point = effect(() => {
    void pointedFeature.value;
    mark();
  });
  return () => {
    draw();
    point();
    clear();
  };
}

function markerOf(halt: Halt): Marker {
  const element = document.createElement("div");
  const colour = colourOf(halt.unit);
  element.className = halt.kind === "start" ? "start-marker" : "stop-marker";
  element.textContent = halt.number === null ? halt.unit : String(halt.number);
  element.style.background = colour;
  element.style.color = inkOn(colour);
  element.dataset.unit = halt.unit;
  const [lon, lat] = halt.at;
  const marker = new Marker({ element }).setLngLat([lon, lat]);
  // The timetable says all this in words.
  for (const name of ["role", "aria-label", "tabindex"]) element.removeAttribute(name);
  element.setAttribute("aria-hidden", "true");
  element.addEventListener("click", () => {
    pointedFeature.value = halt.feature;
    const rows = document.querySelectorAll<HTMLElement>(`[data-unit] .halt[data-stop]`);
    const row = [...rows].find(({ dataset }) => dataset.stop === halt.code);
    row?.scrollIntoView({ block: "center" });
  });
  return marker;
}

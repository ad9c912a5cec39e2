/** The tried posts on the map, as markers that can be dragged; loaded with the map only. */

import { effect } from "@preact/signals";
import { Marker } from "maplibre-gl";
import { handle } from "../map/handle";
import { t } from "../state/store";
import { movePost, question, type Place } from "./question";

/** Keeps the markers those of the question; returns what takes them away. */
export function followMarkers(): () => void {
  let shown: Marker[] = [];
  const clear = () => {
    shown.forEach((marker) => marker.remove());
    shown = [];
  };
  const stop = effect(() => {
    const map = handle.value?.map;
    const { added } = question.value;
    clear();
    if (!map) return;
    shown = added.map((place, at) => markerAt(place, at).addTo(map));
  });
  return () => {
    stop();
    clear();
  };
}

function markerAt([lon, lat]: Place, at: number): Marker {
  const element = document.createElement("div");
  element.className = "post-marker";
  element.textContent = String(at + 1);
  const marker = new Marker({ element, draggable: true }).setLngLat([lon, lat]);
  // What the library calls a marker is not what this one is.
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", t("addedPost", at + 1));
  element.removeAttribute("tabindex");
  marker.on("dragend", () => {
    const { lng, lat: north } = marker.getLngLat();
    movePost(at, [lng, north]);
  });
  return marker;
}

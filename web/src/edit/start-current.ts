/** Makes the map of today's grids that lies over the editor's own at the left of the divider, and moves with it. */

import type { Map as MapLibre } from "maplibre-gl";
import { plainMap } from "../map/create";
import { composed, currentOf, followBoard } from "./board-map";

export function startCurrent(container: HTMLElement, main: MapLibre): () => void {
  const first = composed.peek();
  if (!first) throw new Error("the map was started before its board was loaded");
  // All hands are on the map below.
  const made = plainMap({ container, style: first, center: main.getCenter(), zoom: main.getZoom(), interactive: false, fadeDuration: 0 });
  const { map } = made;
  // What is drawn here is drawn below as well, and read out there.
  map.getCanvas().removeAttribute("tabindex");
  map.getCanvas().setAttribute("aria-hidden", "true");
  // For whoever takes a picture of the page.
  map.on("dataloading", () => (container.dataset.drawn = "false"));
  map.on("idle", () => (container.dataset.drawn = "true"));
  const follow = () => map.jumpTo({ center: main.getCenter(), zoom: main.getZoom() });
  main.on("move", follow);
  const stop = followBoard({ map, setStyle: (style) => map.setStyle(style) }, first, currentOf);
  return () => {
    stop();
    main.off("move", follow);
    map.remove();
  };
}

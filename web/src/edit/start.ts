/** Makes the editor's map: the board on it, and hands on it. */

import { effect, untracked } from "@preact/signals";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import { createMap } from "../map/create";
import { publish, tied } from "../map/start";
import { city, language, t } from "../state/store";
import { NONE } from "./board";
import { composed, followBoard, shownOf } from "./board-map";
import { cornerFeatures, held, near } from "./corner";
import { SKETCH } from "./draw";
import { followKeys } from "./keys";
import { followPointer } from "./pointer";
import { opened } from "./session";
import { clearSketch, corners, loosened, pointed, sketchFeatures } from "./sketch";
import { toolInHand } from "./tools";

export function startEditor(container: HTMLElement): () => void {
  const first = composed.peek();
  if (!first) throw new Error("the map was started before its board was loaded");
  const made = createMap({ ...tied(), container, style: first, onPick: () => undefined });
  const { map } = made;
  map.boxZoom.disable();
  const stops = [
    publish(made),
    followPointer(map),
    followKeys(map),
    effect(() => {
      // Blocks may have other numbers on a board that was loaded anew.
      void opened.value;
      untracked(() => {
        clearSketch();
        near.value = held.value = null;
        pointed.value = NONE;
      });
    }),
    followBoard(made, first, shownOf, () => untracked(() => drawSketch(map))),
    effect(() => drawSketch(map)),
    followHand(map),
    effect(() => map.getCanvas().setAttribute("aria-label", t("editMapLabel", city.value?.title[language.value] ?? ""))),
  ];
  return () => {
    for (const stop of stops) stop();
    map.remove();
  };
}

function drawSketch(map: MapLibre): void {
  const tool = toolInHand.value;
  // Asked for before there is a source to draw it, so that whoever follows this hears of what changes.
  const sketch = tool === "corner" ? cornerFeatures() : sketchFeatures(corners.value, loosened.value, tool !== "split");
  map.getSource<GeoJSONSource>(SKETCH)?.setData(sketch);
}

/** With a tool in hand the first button is the tool's; as long as the space bar is down it moves the map again. */
function followHand(map: MapLibre): () => void {
  const canvas = map.getCanvas();
  const set = (moves: boolean) => {
    if (moves) map.dragPan.enable();
    else map.dragPan.disable();
    map.getContainer().dataset.hand = moves ? "pan" : toolInHand.peek();
  };
  const stop = effect(() => {
    const tool = toolInHand.value;
    set(tool === "pan");
    if (tool === "pan" || tool === "merge") map.doubleClickZoom.enable();
    else map.doubleClickZoom.disable();
  });
  const onSpace = (event: KeyboardEvent) => {
    if (event.key !== " ") return;
    event.preventDefault();
    set(event.type === "keydown" || toolInHand.peek() === "pan");
  };
  canvas.addEventListener("keydown", onSpace);
  canvas.addEventListener("keyup", onSpace);
  return () => {
    stop();
    canvas.removeEventListener("keydown", onSpace);
    canvas.removeEventListener("keyup", onSpace);
  };
}

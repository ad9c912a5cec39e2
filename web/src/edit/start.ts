/** Makes the editor's map: the board in the city's style, states from the draft, and hands on it. */

import { computed, effect, untracked } from "@preact/signals";
import type { GeoJSONSource, GeoJSONSourceSpecification, Map as MapLibre } from "maplibre-gl";
import { compose } from "../map/compose";
import { createMap } from "../map/create";
import { publish, tied } from "../map/start";
import { city, language, shade, style, t, visible } from "../state/store";
import { NONE } from "./board";
import { choices } from "./choices";
import { BLOCKS, patternImage, PATTERNS, SKETCH, sourcesOf, withBoard } from "./draw";
import { followKeys } from "./keys";
import type { Opened } from "./opened";
import { Painter, type Shown } from "./painter";
import { followPointer } from "./pointer";
import { preview } from "./proposal";
import { recount } from "./draft";
import { ended, onPainted, opened } from "./session";
import { chosen, clearSketch, corners, loosened, pointed, sketchFeatures } from "./sketch";
import { target, toolInHand } from "./tools";

const sources = computed((): Record<string, GeoJSONSourceSpecification> | null => opened.value && sourcesOf(opened.value));

/** The style as it is to be drawn now; null before style and board are here. */
const composed = computed(() => {
  const of = style.value;
  const board = sources.value;
  if (!of || !board) return null;
  const city = compose(of, { visible: visible.value, period: null, runs: {}, selected: null, theme: shade.value });
  return withBoard(city, board, { tone: shade.value, tint: choices.value.tint, traced: choices.value.traced });
});

/** Today's grids as the draft has them. */
const today = computed((): Shown | null => {
  const now = opened.value;
  return (
    now && { grid: now.board.base, sums: recount(now.board, now.board.base).sums, grids: now.board.grids, colour: now.colour }
  );
});

function shownNow(now: Opened): Shown {
  const own = { grid: now.draft.grid, sums: now.draft.sums, grids: now.board.grids, colour: now.colour };
  return preview.value ?? (choices.value.current ? (today.value ?? own) : own);
}

export function startEditor(container: HTMLElement): () => void {
  const first = composed.peek();
  if (!first) throw new Error("the map was started before its board was loaded");
  const made = createMap({ ...tied(), container, style: first, onPick: () => undefined });
  const { map } = made;
  map.boxZoom.disable();

  let painter: Painter | null = null;
  const dress = () => {
    for (const id of Object.keys(PATTERNS) as (keyof typeof PATTERNS)[]) {
      const image = patternImage(id, shade.peek());
      if (map.hasImage(PATTERNS[id])) map.updateImage(PATTERNS[id], image);
      else map.addImage(PATTERNS[id], image, { pixelRatio: 2 });
    }
    painter?.begin();
    drawSketch(map);
  };
  map.on("style.load", dress);

  let drawn = first;
  const stops = [
    publish(made),
    followPointer(map),
    followKeys(map),
    effect(() => {
      const now = opened.value;
      if (!now) return;
      untracked(() => {
        // Blocks may have other numbers now.
        clearSketch();
        pointed.value = NONE;
        painter = new Painter(map, now, shownNow(now), target(), language.value);
        if (isDressed(map)) painter.begin();
      });
    }),
    effect(() => {
      const next = composed.value;
      if (!next || next === drawn) return;
      drawn = next;
      made.setStyle(next);
      // Where the new style was laid over the old one, nothing more is heard of it.
      if (isDressed(map)) dress();
    }),
    effect(() => {
      const now = opened.value;
      if (now) painter?.show(shownNow(now));
    }),
    effect(() => painter?.speak(language.value)),
    effect(() => painter?.aim(target())),
    effect(() => painter?.point(pointed.value)),
    effect(() => painter?.choose(chosen.value)),
    effect(() => {
      ended.value;
      painter?.drawStaleLabels();
    }),
    onPainted((changed) => (changed ? painter?.draw(changed) : painter?.drawAll())),
    effect(() => {
      void [corners.value, loosened.value, toolInHand.value];
      drawSketch(map);
    }),
    followHand(map),
    effect(() => map.getCanvas().setAttribute("aria-label", t("editMapLabel", city.value?.title[language.value] ?? ""))),
  ];
  return () => {
    for (const stop of stops) stop();
    map.remove();
  };
}

function isDressed(map: MapLibre): boolean {
  return map.getSource(BLOCKS) !== undefined;
}

function drawSketch(map: MapLibre): void {
  const closed = toolInHand.peek() !== "split";
  map.getSource<GeoJSONSource>(SKETCH)?.setData(sketchFeatures(corners.peek(), loosened.peek(), closed));
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

/** Lets a map draw the board: in the city's own style, with states from whatever assignment it is to show. */

import { computed, effect, untracked } from "@preact/signals";
import type { GeoJSONSourceSpecification, Map as MapLibre, StyleSpecification } from "maplibre-gl";
import { compose } from "../map/compose";
import { language, shade, style, visible } from "../state/store";
import { choices } from "./choices";
import { recount } from "./draft";
import { BLOCKS, patternImage, PATTERNS, sourcesOf, withBoard } from "./draw";
import type { Opened } from "./opened";
import { Painter, type Shown } from "./painter";
import { preview } from "./proposal";
import { ended, onPainted, opened } from "./session";
import { chosen, pointed } from "./sketch";
import { target } from "./tools";

const sources = computed((): Record<string, GeoJSONSourceSpecification> | null => opened.value && sourcesOf(opened.value));

/** The style as it is to be drawn now; null before style and board are here. */
export const composed = computed(() => {
  const of = style.value;
  const board = sources.value;
  if (!of || !board) return null;
  const city = compose(of, { visible: visible.value, period: null, runs: {}, selected: null, theme: shade.value });
  return withBoard(city, board, { tone: shade.value, tint: choices.value.tint, traced: choices.value.traced });
});

/** Today's grids as the draft has them. */
const today = computed((): Shown | null => {
  const now = opened.value;
  if (!now) return null;
  const grids = [...now.board.grids, ...now.board.ended];
  const wider = { ...now.board, grids };
  return { grid: now.board.base, sums: recount(wider, now.board.base).sums, grids, colour: now.colour };
});

export function currentOf(now: Opened): Shown {
  return today.value ?? draftOf(now);
}

function draftOf({ draft, board, colour }: Opened): Shown {
  return { grid: draft.grid, sums: draft.sums, grids: board.grids, colour };
}

/** What the planner looks at: an alternative, the plan in force, or the draft. */
export function shownOf(now: Opened): Shown {
  return preview.value ?? (choices.value.shown === "current" ? currentOf(now) : draftOf(now));
}

interface Drawn {
  map: MapLibre;
  setStyle: (style: StyleSpecification) => void;
}

/** Keeps a map, made with the style `first`, in step; `onDressed` is told whenever its sources are there anew. */
export function followBoard(
  { map, setStyle }: Drawn,
  first: StyleSpecification,
  shown: (now: Opened) => Shown,
  onDressed: () => void = () => undefined,
): () => void {
  let painter: Painter | null = null;
  const dress = () => {
    for (const id of Object.keys(PATTERNS) as (keyof typeof PATTERNS)[]) {
      const image = patternImage(id, shade.peek());
      if (map.hasImage(PATTERNS[id])) map.updateImage(PATTERNS[id], image);
      else map.addImage(PATTERNS[id], image, { pixelRatio: 2 });
    }
    painter?.begin();
    onDressed();
  };
  map.on("style.load", dress);
  let drawn = first;
  const stops = [
    effect(() => {
      const now = opened.value;
      if (!now) return;
      untracked(() => {
        painter = new Painter(map, now, shown(now), target(), language.value);
        if (isDressed(map)) painter.begin();
      });
    }),
    effect(() => {
      const next = composed.value;
      if (!next || next === drawn) return;
      drawn = next;
      setStyle(next);
      // Where the new style was laid over the old one, nothing more is heard of it.
      if (isDressed(map)) dress();
    }),
    effect(() => {
      const now = opened.value;
      if (now) painter?.show(shown(now));
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
  ];
  return () => {
    for (const stop of stops) stop();
    map.off("style.load", dress);
  };
}

function isDressed(map: MapLibre): boolean {
  return map.getSource(BLOCKS) !== undefined;
}

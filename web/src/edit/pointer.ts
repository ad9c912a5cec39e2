/** Mouse, pen and finger on the map: with a tool in hand the first button draws; the others, wheel and two fingers move. */

import type { Map as MapLibre } from "maplibre-gl";
import type { Position } from "../map/inside";
import { metresPerPixel } from "../map/scale";
import { announce, t } from "../state/store";
import { NONE } from "./board";
import { choices } from "./choices";
import { carry, held, layDown, letGo, lookFor, takeUp } from "./corner";
import { cancelStroke, opened } from "./session";
import { corners, loosened, pointed } from "./sketch";
import {
  addCorner,
  clickAt,
  closeSketch,
  dab,
  isOnCurrent,
  isReady,
  pickAt,
  SKETCHES,
  strokeBegins,
  strokeEnds,
  STROKES,
  toolInHand,
} from "./tools";

/** A press that moves less than this is a click. */
const STILL_PX = 4;

/** This near to a corner the pointer means it. */
const CORNER_PX = 16;

interface Press {
  pointer: number;
  from: Spot;
  last: Spot;
  dragged: boolean;
}

interface Spot {
  x: number;
  y: number;
}

export function followPointer(map: MapLibre): () => void {
  const box = map.getCanvasContainer();
  let press: Press | null = null;
  let frame = 0;

  const spotOf = (event: MouseEvent): Spot => {
    const { left, top } = box.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const place = ({ x, y }: Spot): Position => map.unproject([x, y]).toArray();
  const radius = ({ x, y }: Spot) => choices.peek().radius * metresPerPixel(map.getZoom(), map.unproject([x, y]).lat);
  const paintAt = (spot: Spot) => dab(toolInHand.peek(), place(spot), radius(spot));

  const lookForCorner = (spot: Spot) =>
    lookFor(
      place(spot),
      ([lon, lat]) => {
        const { x, y } = map.project([lon, lat]);
        return Math.hypot(x - spot.x, y - spot.y);
      },
      CORNER_PX,
    );

  /** Between two events the pointer went straight; nothing under it is skipped. */
  const paintAlong = (from: Spot, to: Spot) => {
    const step = Math.max(3, choices.peek().radius / 2);
    const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / step));
    for (let at = 1; at <= steps; at += 1) {
      paintAt({ x: from.x + ((to.x - from.x) * at) / steps, y: from.y + ((to.y - from.y) * at) / steps });
    }
  };

  const drop = () => {
    press = null;
    letGo();
    cancelStroke();
  };

  const onDown = (event: PointerEvent) => {
    const tool = toolInHand.peek();
    if (press) {
      // A second finger: the two of them move the map.
      drop();
      return;
    }
    if (event.button !== 0 || tool === "pan" || map.dragPan.isEnabled()) return;
    const spot = spotOf(event);
    if (event.altKey) {
      pickAt(place(spot));
      return;
    }
    if (isOnCurrent(spot.x, box.clientWidth)) {
      announce(t("onCurrent"));
      return;
    }
    if (!isReady(tool)) return;
    press = { pointer: event.pointerId, from: spot, last: spot, dragged: false };
    box.setPointerCapture(event.pointerId);
    if (STROKES.has(tool)) {
      strokeBegins();
      paintAt(spot);
    } else if (tool === "corner") {
      lookForCorner(spot);
      if (!takeUp()) press = null;
    }
  };

  const onMove = (event: PointerEvent) => {
    const spot = spotOf(event);
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => (pointed.value = opened.peek()?.spots.at(place(spot)) ?? NONE));
    const tool = toolInHand.peek();
    if (!press || press.pointer !== event.pointerId) {
      if (tool === "corner" && !held.peek()) lookForCorner(spot);
      if (SKETCHES.has(tool) && corners.peek().length > 0) loosened.value = place(spot);
      return;
    }
    press.dragged ||= Math.hypot(spot.x - press.from.x, spot.y - press.from.y) > STILL_PX;
    if (STROKES.has(tool)) paintAlong(press.last, spot);
    else if (tool === "corner") carry(place(spot));
    else if (press.dragged && SKETCHES.has(tool) && tool !== "split") {
      if (corners.peek().length === 0) addCorner(place(press.from));
      addCorner(place(spot));
    }
    press.last = spot;
  };

  const onUp = (event: PointerEvent) => {
    if (press?.pointer !== event.pointerId) return;
    const { dragged, last } = press;
    press = null;
    const tool = toolInHand.peek();
    if (STROKES.has(tool)) strokeEnds(tool);
    else if (tool === "corner") {
      // A click that does not drag takes nothing anywhere.
      if (dragged) void layDown();
      else letGo();
    }
    else if (tool === "split") addCorner(place(last));
    else if (dragged && SKETCHES.has(tool)) closeSketch(tool);
    else if (tool === "lasso") addCorner(place(last));
    else clickAt(tool, place(last));
  };

  const onDouble = (event: MouseEvent) => {
    const tool = toolInHand.peek();
    if (!SKETCHES.has(tool)) return;
    event.preventDefault();
    closeSketch(tool);
  };

  const onLeave = () => {
    cancelAnimationFrame(frame);
    if (!press) pointed.value = NONE;
  };

  const onClick = (event: MouseEvent) => {
    if (toolInHand.peek() === "pan") clickAt("pan", place(spotOf(event)));
  };

  map.on("click", ({ originalEvent }) => onClick(originalEvent));
  box.addEventListener("pointerdown", onDown);
  box.addEventListener("pointermove", onMove);
  box.addEventListener("pointerup", onUp);
  box.addEventListener("pointercancel", drop);
  box.addEventListener("pointerleave", onLeave);
  box.addEventListener("dblclick", onDouble);
  return () => {
    cancelAnimationFrame(frame);
    box.removeEventListener("pointerdown", onDown);
    box.removeEventListener("pointermove", onMove);
    box.removeEventListener("pointerup", onUp);
    box.removeEventListener("pointercancel", drop);
    box.removeEventListener("pointerleave", onLeave);
    box.removeEventListener("dblclick", onDouble);
  };
}

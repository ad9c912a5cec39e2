/** The map of the editor: the board on the city's own map, the crosshair and the brush over it. */

import { useEffect, useRef } from "preact/hooks";
import { handle } from "../map/handle";
import type { OtherMap } from "../map/pane";
import { style } from "../state/store";
import { choices } from "./choices";
import { opened } from "./session";
import { cross } from "./sketch";
import { toolInHand } from "./tools";

export const BOARD_MAP: OtherMap = {
  load: async () => (await import("./start")).startEditor,
  isReady: () => style.value !== null && opened.value !== null,
};

/** Where the keyboard works, with the circle of the brush around it. */
export function Crosshair() {
  const mark = useRef<HTMLDivElement>(null);
  const at = cross.value;
  const map = handle.value?.map;
  useEffect(() => {
    if (!map || !at) return undefined;
    const place = () => {
      const { x, y } = map.project([at[0], at[1]]);
      mark.current?.style.setProperty("transform", `translate(${x}px, ${y}px)`);
    };
    place();
    map.on("move", place);
    return () => void map.off("move", place);
  }, [map, at]);
  if (!at || !map) return null;
  const { radius } = choices.value;
  const tool = toolInHand.value;
  return (
    <div class="crosshair" ref={mark} aria-hidden="true">
      {(tool === "brush" || tool === "erase") && <i style={{ width: `${2 * radius}px`, height: `${2 * radius}px` }} />}
    </div>
  );
}

/** The circle that the mouse paints with. */
export function BrushCursor() {
  const circle = useRef<HTMLDivElement>(null);
  const { radius } = choices.value;
  const tool = toolInHand.value;
  const paints = tool === "brush" || tool === "erase";
  const map = handle.value?.map;
  useEffect(() => {
    if (!map || !paints) return undefined;
    const box = map.getCanvasContainer();
    const move = (event: PointerEvent) => {
      const { left, top } = box.getBoundingClientRect();
      circle.current?.style.setProperty("transform", `translate(${event.clientX - left}px, ${event.clientY - top}px)`);
      circle.current?.toggleAttribute("hidden", event.pointerType === "touch");
    };
    const leave = () => circle.current?.toggleAttribute("hidden", true);
    box.addEventListener("pointermove", move);
    box.addEventListener("pointerleave", leave);
    return () => {
      box.removeEventListener("pointermove", move);
      box.removeEventListener("pointerleave", leave);
    };
  }, [map, paints]);
  if (!paints) return null;
  return (
    <div
      class="brush-cursor"
      ref={circle}
      hidden
      aria-hidden="true"
      style={{ width: `${2 * radius}px`, height: `${2 * radius}px`, "--radius-px": `${radius}px` }}
    />
  );
}

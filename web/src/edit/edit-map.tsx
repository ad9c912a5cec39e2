/** The map of the editor: the board on the city's own map, the crosshair and the brush over it. */

import { effect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { handle } from "../map/handle";
import { plain } from "../map/pane";
import { Icon } from "../panels/icons";
import { city, language, mapBusy, report, style, t } from "../state/store";
import { choices } from "./choices";
import { opened } from "./session";
import { showBounds } from "./show";
import { cross } from "./sketch";

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
  const { tool, radius } = choices.value;
  return (
    <div class="crosshair" ref={mark} aria-hidden="true">
      {(tool === "brush" || tool === "erase") && <i style={{ width: `${2 * radius}px`, height: `${2 * radius}px` }} />}
    </div>
  );
}

/** The circle that the mouse paints with. */
export function BrushCursor() {
  const circle = useRef<HTMLDivElement>(null);
  const { tool, radius } = choices.value;
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
  return <div class="brush-cursor" ref={circle} hidden aria-hidden="true" style={{ width: `${2 * radius}px`, height: `${2 * radius}px`, "--radius-px": `${radius}px` }} />;
}

/** The place of the map, with its buttons; what lies over it goes in as children. */
export function EditPane({ children }: { children: ComponentChildren }) {
  return (
    <main class="map-pane edit-pane" id="map" tabIndex={-1} aria-label={t("map")}>
      {plain.value ? <PlainGrids /> : <LiveBoard />}
      {children}
    </main>
  );
}

function LiveBoard() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let stop: (() => void) | undefined;
    let gone = false;
    const begin = async () => {
      try {
        const { startEditor } = await import("./start");
        if (!gone && box.current) stop = startEditor(box.current);
      } catch (error) {
        report(error);
        plain.value = true;
      }
    };
    let begun = false;
    const wait = effect(() => {
      if (!style.value || !opened.value || begun) return;
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
      <div class="map edit-map" ref={box} />
      <div class="map-buttons">
        <button type="button" aria-label={t("zoomIn")} title={t("zoomIn")} onClick={() => handle.value?.map.zoomIn()}>
          <Icon name="plus" />
        </button>
        <button type="button" aria-label={t("zoomOut")} title={t("zoomOut")} onClick={() => handle.value?.map.zoomOut()}>
          <Icon name="minus" />
        </button>
        <button type="button" aria-label={t("wholeCity")} title={t("wholeCity")} onClick={() => showBounds(city.value?.bounds ?? null)}>
          <Icon name="city" />
        </button>
      </div>
    </>
  );
}

/** Without WebGL2 the grids in force are shown as the server draws them; the tables work all the same. */
function PlainGrids() {
  useEffect(() => {
    mapBusy.value = false;
  }, []);
  return (
    <div class="plain-map">
      <div class="plain-note" role="status">
        <strong>{t("noWebglTitle")}</strong> {t("noWebgl")}
      </div>
      <iframe src={`/maps/grids.html?lang=${language.value}`} title={t("plainMap")} />
    </div>
  );
}

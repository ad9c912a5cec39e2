/** Today's grids at the left of a divider that is dragged, or moved by the arrows; the plan's at its right. */

import { useEffect, useRef } from "preact/hooks";
import { handle } from "../map/handle";
import { language, report, t } from "../state/store";
import { choices, choose } from "./choices";
import { previewed, proposals } from "./proposal";
import { opened } from "./session";

const STEP = 2;
const LONG_STEP = 10;

export function Swipe() {
  if (choices.value.shown !== "swipe" || !opened.value || !handle.value) return null;
  return (
    <div class="swipe" style={{ "--divider": `${choices.value.divider}%` }}>
      <CurrentMap />
      <Divider />
    </div>
  );
}

function CurrentMap() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let stop: (() => void) | undefined;
    let gone = false;
    const begin = async () => {
      try {
        const { startCurrent } = await import("./start-current");
        const main = handle.peek()?.map;
        if (!gone && box.current && main) stop = startCurrent(box.current, main);
      } catch (error) {
        // A second map may be refused where one was not; then the two are looked at one after the other.
        report(error);
        choose({ shown: "plan" });
      }
    };
    void begin();
    return () => {
      gone = true;
      stop?.();
    };
  }, []);
  return <div class="swipe-current" ref={box} />;
}

function Divider() {
  const { divider } = choices.value;
  const alternative = previewed.value === null ? undefined : proposals.value?.alternatives[previewed.value];
  const move = (to: number) => choose({ divider: Math.max(0, Math.min(100, Math.round(to))) });
  const onKey = (event: KeyboardEvent) => {
    const long = event.shiftKey ? LONG_STEP : STEP;
    const to = {
      ArrowLeft: divider - long,
      ArrowDown: divider - long,
      ArrowRight: divider + long,
      ArrowUp: divider + long,
      PageDown: divider - LONG_STEP,
      PageUp: divider + LONG_STEP,
      Home: 0,
      End: 100,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  const onPointer = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    if (event.type === "pointerdown") handle.setPointerCapture(event.pointerId);
    else if (!handle.hasPointerCapture(event.pointerId)) return;
    const { left, width } = handle.parentElement!.getBoundingClientRect();
    move((100 * (event.clientX - left)) / width);
  };
  return (
    <>
      <div
        class="swipe-divider"
        role="slider"
        tabIndex={0}
        aria-label={t("divider")}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={divider}
        aria-valuetext={t("dividerAt", divider)}
        onKeyDown={onKey}
        onPointerDown={onPointer}
        onPointerMove={onPointer}
      >
        <i aria-hidden="true" />
      </div>
      <span class="swipe-side" data-side="current" aria-hidden="true">
        {t("showCurrent")}
      </span>
      <span class="swipe-side" data-side="plan" aria-hidden="true">
        {alternative ? alternative.name[language.value] : t("showDraft")}
      </span>
    </>
  );
}

/** The map of the sheet: drawn once at the size of the paper, then kept as a picture, for a canvas does not print well. */

import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Bounds, Feature } from "../api";
import { compose } from "../map/compose";
import { boundsOf, middleOf } from "../map/geometry";
import type { Bar } from "../map/scale";
import { SwatchMark } from "../panels/swatch";
import { city, language, report, runs, style, t, view, visible } from "../state/store";
import { answerLayer, main } from "./answer";
import { legendOf } from "./legend";

/** Dots of the printer for each of the page's pixels: about 240 an inch. */
const SHARPNESS = 2.5;
const BAR_PX = 130;

interface Drawn {
  picture: string;
  bar: Bar;
  /** Where each listed place lies, in shares of the map's width and height; null where it lies outside. */
  marks: ([left: number, top: number] | null)[];
}

interface SheetMapProps {
  /** What the officer's map showed; else the view of the address, else the whole city. */
  box: Bounds | null;
  places: Feature[];
  onDrawn: () => void;
}

export function SheetMap({ box, places, onDrawn }: SheetMapProps) {
  const frame = useRef<HTMLDivElement>(null);
  const drawn = useSignal<Drawn | null>(null);
  useEffect(() => {
    let gone = false;
    const stop = effect(() => {
      const of = style.value;
      if (!of || !frame.current || gone) return;
      gone = true;
      const choices = { visible: visible.peek(), period: null, runs: runs.peek(), selected: null, theme: "light" } as const;
      draw(frame.current, compose(of, choices), box, places)
        .then((made) => {
          drawn.value = made;
          onDrawn();
        })
        .catch((error: unknown) => {
          report(error);
          onDrawn();
        });
    });
    return stop;
  }, []);
  const layer = answerLayer.value;
  return (
    <figure class="sheet-map" aria-label={t("sheetMap")}>
      <div class="sheet-canvas" ref={frame} hidden={drawn.value !== null} />
      {drawn.value && (
        <>
          <img src={drawn.value.picture} alt={t("sheetMap")} />
          {drawn.value.marks.map(
            (mark, at) =>
              mark && (
                <span key={at} class="sheet-mark" style={{ left: `${100 * mark[0]}%`, top: `${100 * mark[1]}%` }}>
                  {at + 1}
                </span>
              ),
          )}
          <div class="sheet-scale" style={{ width: `${drawn.value.bar.px}px` }}>
            {drawn.value.bar.text}
          </div>
        </>
      )}
      <svg class="sheet-north" viewBox="0 0 24 36" role="img" aria-label={t("north")}>
        <path d="M12 2 20 26 12 21 4 26Z" />
        <text x="12" y="35">
          {t("north")}
        </text>
      </svg>
      {layer && (
        <figcaption class="sheet-legend">
          <p class="legend-title">{layer.title[language.value]}</p>
          <ul class="legend">
            {legendOf(layer, main.answer.value?.run.summary ?? {}, language.value).map((row) => (
              <li key={row.label}>
                <SwatchMark swatch={row} />
                <span>{row.label}</span>
              </li>
            ))}
          </ul>
        </figcaption>
      )}
    </figure>
  );
}

async function draw(
  container: HTMLElement,
  composed: ReturnType<typeof compose>,
  box: Bounds | null,
  places: Feature[],
): Promise<Drawn> {
  const [{ plainMap }, { shot }, { scaleBar }] = await Promise.all([
    import("../map/create"),
    import("../map/shot"),
    import("../map/scale"),
  ]);
  const seen = view.peek();
  const bounds = box ?? (seen ? null : (city.peek()?.bounds ?? null));
  const { map } = plainMap({
    container,
    style: composed,
    interactive: false,
    fadeDuration: 0,
    ...(bounds ? { bounds, fitBoundsOptions: { padding: 4 } } : seen && { center: [seen.lon, seen.lat], zoom: seen.zoom }),
  });
  const picture = await shot(map, SHARPNESS);
  const { clientWidth: width, clientHeight: height } = container;
  const marks = places.map(({ geometry }) => {
    const of = geometry && boundsOf(geometry);
    if (!of) return null;
    const { x, y } = map.project(middleOf(of));
    const inside = x >= 0 && y >= 0 && x <= width && y <= height;
    return inside ? ([x / width, y / height] as [number, number]) : null;
  });
  const bar = scaleBar(map.getZoom(), map.getCenter().lat, BAR_PX);
  map.remove();
  return { picture: picture.toDataURL("image/png"), bar, marks };
}

/** The maps of the sheets: one map at the size of the paper, shown each unit's route in turn and kept as pictures. */

import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import { compose, layerIdOf } from "../map/compose";
import type { Bar } from "../map/scale";
import { report, runs, style, visible } from "../state/store";
import { SERVICE, shown } from "./answer";
import { boundsOfRoute, isStop, type Route } from "./plan";

interface Drawn {
  picture: string;
  bar: Bar;
  /** Where the stops lie, in shares of the map's width and height. */
  marks: { number: number; left: number; top: number }[];
}

/** The maps of a run, by unit. */
export const pictures = signal<{ run: number; of: ReadonlyMap<string, Drawn> } | null>(null);

/** Dots of the printer for each of the page's pixels. */
const SHARPNESS = 2;
const BAR_PX = 110;
const PADDING_PX = 26;

export function SheetMaps({ routes }: { routes: readonly Route[] }) {
  const frame = useRef<HTMLDivElement>(null);
  const run = shown.value?.run.run_id ?? null;
  useEffect(() => {
    let begun = false;
    const stop = effect(() => {
      const of = style.value;
      if (!of || !frame.current || begun || run === null || !visible.value.has(SERVICE)) return;
      begun = true;
      const choices = { visible: visible.peek(), period: null, runs: runs.peek(), selected: null, theme: "light" } as const;
      draw(frame.current, compose(of, choices), routes)
        .catch((error: unknown) => {
          report(error);
          return new Map<string, Drawn>();
        })
        .then((made) => void (pictures.value = { run, of: made }));
    });
    return stop;
  }, [run]);
  return <div class="sheet-map sheet-frame" ref={frame} aria-hidden="true" hidden={pictures.value?.run === run} />;
}

async function draw(container: HTMLElement, composed: StyleSpecification, routes: readonly Route[]): Promise<Map<string, Drawn>> {
  const [{ plainMap }, { drawn, shot }, { scaleBar }] = await Promise.all([
    import("../map/create"),
    import("../map/shot"),
    import("../map/scale"),
  ]);
  const { map } = plainMap({ container, style: composed, interactive: false, fadeDuration: 0 });
  const made = new Map<string, Drawn>();
  await drawn(map);
  for (const route of routes) {
    const box = boundsOfRoute(route);
    if (!box) continue;
    for (const layer of composed.layers) if (layerIdOf(layer) === SERVICE) map.setFilter(layer.id, ofUnit(layer, route.unit));
    map.fitBounds(box, { padding: PADDING_PX, maxZoom: 16, animate: false });
    const picture = await shot(map, SHARPNESS);
    const { clientWidth: width, clientHeight: height } = container;
    const marks = route.halts.filter(isStop).map(({ number, at: [lon, lat] }) => {
      const { x, y } = map.project([lon, lat]);
      return { number: number ?? 0, left: x / width, top: y / height };
    });
    made.set(route.unit, { picture: picture.toDataURL("image/png"), bar: scaleBar(map.getZoom(), map.getCenter().lat, BAR_PX), marks });
  }
  map.remove();
  return made;
}

/** The filter of a layer, and of one unit only. */
function ofUnit(layer: LayerSpecification, unit: string): never {
  const own = ["==", ["get", "unit_label"], unit];
  const before = "filter" in layer ? layer.filter : undefined;
  return (before ? ["all", before, own] : own) as never;
}

/** The drawn map as a picture. */

import type { Map as MapLibre } from "maplibre-gl";

const PATIENCE_MS = 20_000;

/** Resolves when every tile is drawn, or when waiting longer would not help. */
export function drawn(map: MapLibre): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    const look = () => {
      if (!map.loaded() || !map.areTilesLoaded()) return void map.once("idle", look);
      clearTimeout(timer);
      resolve();
    };
    map.once("idle", look);
    map.triggerRepaint();
  });
}

/** A copy of the canvas, `scale` pixels for each of the page's. */
export async function shot(map: MapLibre, scale: number): Promise<HTMLCanvasElement> {
  const usual = map.getPixelRatio();
  map.setPixelRatio(scale);
  await drawn(map);
  const copy = await new Promise<HTMLCanvasElement>((resolve) => {
    // Within its frame the drawing is still there to be copied.
    map.once("render", () => {
      const canvas = map.getCanvas();
      const made = document.createElement("canvas");
      made.width = canvas.width;
      made.height = canvas.height;
      made.getContext("2d")?.drawImage(canvas, 0, 0);
      resolve(made);
    });
    map.triggerRepaint();
  });
  map.setPixelRatio(usual);
  return copy;
}

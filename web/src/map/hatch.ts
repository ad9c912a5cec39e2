/** The hatch that marks "too few to say": diagonal strokes as the style describes them, drawn here without a sprite. */

import type { StyleSpecification } from "maplibre-gl";

export const HATCH = "wangge-hatch";
export const PIXEL_RATIO = 2;

export interface HatchRecipe {
  /** Side of the tile that repeats, in pixels of the page. */
  size: number;
  /** Width of a stroke. */
  line: number;
  /** `#rrggbb`. */
  color: string;
}

const PLAIN: HatchRecipe = { size: 8, line: 1, color: "#808080" };

/** How the style wants its hatch; a plain one where it does not say. */
export function hatchRecipe(style: StyleSpecification): HatchRecipe {
  const metadata = style.metadata as Record<string, unknown> | undefined;
  const images = metadata?.["wangge:images"] as Record<string, HatchRecipe> | undefined;
  return images?.[HATCH] ?? PLAIN;
}

/** The pixels of one tile of the hatch: its strokes meet those of its neighbours. */
export function hatchImage({ size, line, color }: HatchRecipe): { width: number; height: number; data: Uint8Array } {
  const side = size * PIXEL_RATIO;
  const stroke = line * PIXEL_RATIO;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)) as [number, number, number];
  const data = new Uint8Array(side * side * 4);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const across = (x + y) % side;
      const distance = Math.min(across, side - across) / Math.SQRT2;
      const cover = Math.max(0, Math.min(1, stroke / 2 + 0.5 - distance));
      data.set([red, green, blue, Math.round(cover * 255)], (y * side + x) * 4);
    }
  }
  return { width: side, height: side, data };
}

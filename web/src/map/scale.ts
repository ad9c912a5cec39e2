/** How far a length on the map is on the ground. */

const EQUATOR_M = 40_075_016.686;
/** Pixels of the whole world at zoom 0. */
const WORLD_PX = 512;

export function metresPerPixel(zoom: number, lat: number): number {
  return (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (WORLD_PX * 2 ** zoom);
}

export interface Bar {
  metres: number;
  px: number;
  /** `500 m`, `2 km`. */
  text: string;
}

/** The longest bar of a round length, 1, 2 or 5 and zeros, that is not longer than `mostPx`. */
export function scaleBar(zoom: number, lat: number, mostPx: number): Bar {
  const perPx = metresPerPixel(zoom, lat);
  const most = perPx * mostPx;
  const ten = 10 ** Math.floor(Math.log10(most));
  const metres = ([5, 2, 1].find((step) => step * ten <= most) ?? 1) * ten;
  return { metres, px: metres / perPx, text: metres >= 1000 ? `${metres / 1000} km` : `${metres} m` };
}

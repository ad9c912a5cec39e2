/** Features of a layer picked on the map into a field of a form: as long as a field asks, a click means in or out. */

import { signal } from "@preact/signals";

export interface Picking {
  /** Id of the field that asks. */
  field: string;
  layer: string;
  codes: readonly string[];
  /** Takes a code in, or out again; says which. */
  toggle: (code: string) => "in" | "out";
}

export const picking = signal<Picking | null>(null);

/** Takes the next place that is pointed at on the map, longitude and latitude; null while nothing asks for one. */
export const placing = signal<((at: [number, number]) => void) | null>(null);

/** The place that a form has drawn, as far as it goes; it lies on the map in the place of a selected feature. */
export const drawn = signal<GeoJSON.Geometry | null>(null);

/** The map once it is made, for whoever moves it or takes its picture. */

import { signal } from "@preact/signals";
import type { MapHandle } from "./create";

/** What lies over the edges of the map, in pixels: where it moves to show something, it stays clear of them. */
export const inset = signal({ top: 24, right: 24, bottom: 24, left: 24 });

/** Null before, and where there is none. */
export const handle = signal<MapHandle | null>(null);

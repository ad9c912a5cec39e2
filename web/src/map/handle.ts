/** The map once it is made, for whoever moves it or takes its picture; null before, and where there is none. */

import { signal } from "@preact/signals";
import type { MapHandle } from "./create";

export const handle = signal<MapHandle | null>(null);

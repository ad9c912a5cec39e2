/** The communities that places are called by. */

import { effect } from "@preact/signals";
import { loadPlaces } from "../hotspots/places";
import { city, report } from "../state/store";

/** Fetches them once there is a city to have any; `onEnd` is called when they are here, or will not come. */
export function followPlaces(onEnd: () => void = () => undefined): void {
  const stop = effect(() => {
    if (!city.value) return;
    queueMicrotask(() => stop());
    loadPlaces()
      .catch((error: unknown) => report(error))
      .finally(onEnd);
  });
}

/** What the server says of a service: asked for once, when there is a city; a server may have no such service. */

import { computed, effect, signal, untracked, type ReadonlySignal } from "@preact/signals";
import * as api from "../api";
import type { Process } from "../api";
import type { Words } from "../panels/numbers";
import { city, language, report } from "./store";

export interface Described {
  /** Null until known. */
  process: ReadonlySignal<Process | null>;
  words: ReadonlySignal<Words>;
  isOffered: ReadonlySignal<boolean>;
  follow: () => void;
}

export function describing(service: string): Described {
  const process = signal<Process | null>(null);
  const isOffered = signal(true);
  const load = (): Promise<void> =>
    api
      .process(service, language.peek())
      .then((found) => void (process.value = found))
      .catch((error: unknown) => {
        if (error instanceof api.ApiProblem && error.status === 404) isOffered.value = false;
        else report(error, () => void load());
      });
  return {
    process,
    words: computed(() => process.value?.["wangge:words"] ?? {}),
    isOffered,
    follow: () => void effect(() => void (city.value && !untracked(() => process.value) && load())),
  };
}

/** The methods there are: which services the server has of those the workspace knows, and what each of them takes. */

import { computed, effect, signal, untracked } from "@preact/signals";
import * as api from "../api";
import type { CatalogLayer, Process, ProcessSummary } from "../api";
import { formFields } from "../form/model";
import type { Words } from "../panels/numbers";
import { catalog, city, language, report } from "../state/store";
import { question } from "./question";

/** In the order in which one asks: where, how dense, since when, again, how sure, how good. */
const KNOWN: readonly string[] = [
  "hotspots",
  "incident_density",
  "emerging_hotspots",
  "near_repeat",
  "space_time_scan",
  "incident_clusters",
  "eighty_twenty",
  "early_warning",
  "network_density",
  "hotspot_evaluation",
  "temporal_profile",
  "before_after",
];
/** The service behind the clock of the week. */
export const CLOCK_SERVICE = "temporal_profile";
/** The service that compares two periods, and the layer of what changed. */
export const DENSITY = "incident_density";
const CHANGE_LAYER = "density_change";

const summaries = signal<ProcessSummary[]>([]);
/** Descriptions by service; they hold both languages where it matters. */
const described = signal<Record<string, Process>>({});

export const methods = computed(() =>
  KNOWN.flatMap((id) => summaries.value.find((summary) => summary.id === id) ?? []),
);
export const method = computed(() => methods.value.find(({ id }) => id === question.value.method) ?? null);
export const hasClock = computed(() => summaries.value.some(({ id }) => id === CLOCK_SERVICE));
export const process = computed<Process | null>(() => described.value[question.value.method] ?? null);
export const words = computed<Words>(() => process.value?.["wangge:words"] ?? {});

const EMPTY: Process["wangge:schema"] = {};

export function schemaOf(service: string): Process["wangge:schema"] | null {
  return described.value[service]?.["wangge:schema"] ?? null;
}

export const fields = computed(() => formFields(process.value?.["wangge:schema"] ?? EMPTY, language.value));

/** Asks for the list once, for the description of the chosen method, and for that of the clock. */
export function followMethods(): void {
  const list = (): Promise<void> =>
    api
      .processes(language.peek())
      .then((found) => void (summaries.value = found.processes))
      .catch((error: unknown) => report(error, () => void list()));
  void list();
  effect(() => void (city.value && describe(question.value.method)));
  effect(() => void (hasClock.value && describe(CLOCK_SERVICE)));
}

function describe(id: string): void {
  if (untracked(() => described.value[id])) return;
  api
    .process(id, language.peek())
    .then((found) => (described.value = { ...described.peek(), [id]: found }))
    .catch((error: unknown) => report(error, () => describe(id)));
}

/** The layer that shows the answer of a service: that of its own name, of the change between two periods the other. */
export function layerOf(service: string, change: boolean): CatalogLayer | null {
  const shown = catalog.value.filter((layer) => layer.service === service);
  const wanted = change ? CHANGE_LAYER : service;
  return shown.find(({ id }) => id === wanted) ?? shown.find(({ id }) => id !== CHANGE_LAYER) ?? null;
}

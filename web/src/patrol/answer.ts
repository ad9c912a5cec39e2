/** The open question to its service: an answer at once, a better one beside it where wanted, and its routes on the map. */

import { batch, computed, effect, signal } from "@preact/signals";
import * as api from "../api";
import type { CatalogLayer, Feature } from "../api";
import { asking, type Answer, type Asked } from "../hotspots/asking";
import { describing } from "../state/described";
import { catalog, city, ownResults, period, report, runs, timeZone } from "../state/store";
import { COLOURS, routesOf, type Route, type Unserved } from "./plan";
import { posts, proposedUnits, postsLoaded } from "./posts";
import { inputsOf, question } from "./question";

export const SERVICE = "patrol_routes";
const MOST_ROWS = 10_000;

const described = describing(SERVICE);
export const { words, isOffered } = described;

const inputs = computed<Record<string, unknown> | null>(() => {
  if (!city.value || !described.process.value || catalog.value.length === 0 || !postsLoaded.value) return null;
  const asked = question.value;
  return inputsOf({ ...asked, units: asked.units ?? proposedUnits(posts.value, asked.unitsCount) }, period.value, timeZone.value);
});

const wanted = computed<Asked | null>(() => inputs.value && { service: SERVICE, inputs: inputs.value, layer: SERVICE });
const betterWanted = computed<Asked | null>(() =>
  inputs.value && question.value.better ? { service: SERVICE, inputs: { ...inputs.value, search: "longer" }, layer: SERVICE } : null,
);

export const main = asking(wanted, () => undefined);
export const better = asking(betterWanted, () => undefined);

/** The better answer as soon as it is here, else the one at once. */
export const shown = computed<Answer | null>(() => {
  const [first, second] = [main.answer.value, better.answer.value];
  if (!question.value.better || !second || better.isStale.value || !first) return first;
  return profitOf(second) > profitOf(first) ? second : first;
});

export const summary = computed(() => (shown.value?.run.summary ?? null) as Summary | null);

export function profitOf(answer: Answer): number {
  return (answer.run.summary as unknown as Summary).profit_share;
}

/** The numbers of the service, as far as the page reads them. */
export interface Summary {
  units_count: number;
  stops_count: number;
  visited_count: number;
  visits_planned_count: number;
  profit_share: number;
  travel_min: number;
  dose_share: number;
  timetable: TimetableRow[];
  dose_table: DoseRow[];
  unserved: Unserved[];
}

export interface TimetableRow {
  unit_label: string;
  unit_kinds: string;
  leave_clock: string;
  back_clock: string;
  stops_count: number;
  distance_km: number;
}

export interface DoseRow {
  stop_code: string;
  visits_count: number;
  planned_count: number;
  dwell_min: number;
  dose_min: number;
  dose: string;
}

/** The rows of the shown answer; those of the one before stay until they are here. */
export const rows = signal<{ run: number; features: Feature[] } | null>(null);
export const routes = computed<Route[]>(() => routesOf(rows.value?.features ?? []));

/** Whether the timetables are those of the question as it is now. */
export const isCurrent = computed(() => !main.isStale.value && rows.value?.run === shown.value?.run.run_id);

export const layer = computed<CatalogLayer | null>(() => catalog.value.find(({ id }) => id === SERVICE) ?? null);

const GREY = "#8d8d8d";

/** The colour of each unit, as the layer draws it. */
export function colourOf(unit: string): string {
  const at = routes.value.findIndex((route) => route.unit === unit);
  const colours = (layer.value?.legend ?? []).filter(({ shape }) => shape === "line").map(({ color }) => color.slice(0, 7));
  return colours[Math.max(at, 0) % COLOURS] ?? GREY;
}

export function isThere(one: CatalogLayer): boolean {
  return one.service !== SERVICE || shown.value !== null;
}

/** What past patrols walked lies on the map instead of the routes. */
export const walkedShown = signal(false);
export const WALKED = "patrol_coverage";

const walkedWanted = computed<Asked | null>(() =>
  city.value && described.process.value && question.value.list === "walked" && catalog.value.some(({ id }) => id === WALKED)
    ? { service: WALKED, inputs: {}, layer: WALKED }
    : null,
);
export const walked = asking(walkedWanted, ({ run }) => (runs.value = { ...runs.peek(), [WALKED]: run.run_id }));

async function fetchRows(run: number, of: AbortSignal): Promise<void> {
  try {
    const found = await api.items(SERVICE, { run_id: run, limit: MOST_ROWS }, of);
    if (!of.aborted) rows.value = { run, features: found.features };
  } catch (error) {
    if (!of.aborted) report(error);
  }
}

export const followWords = described.follow;

/** Draws a run, and fetches its rows. */
export function followRows(run: () => number | null): void {
  effect(() => {
    const id = run();
    if (id === null) return undefined;
    const request = new AbortController();
    batch(() => {
      runs.value = { ...runs.peek(), [SERVICE]: id };
      ownResults.value = [SERVICE];
    });
    void fetchRows(id, request.signal);
    return () => request.abort();
  });
}

/** From now on asks, and draws what is answered. */
export function followAnswer(): void {
  followWords();
  main.follow();
  better.follow();
  walked.follow();
  followRows(() => shown.value?.run.run_id ?? null);
  effect(() => {
    if (!shown.value) return;
    ownResults.value = [walkedShown.value && walked.answer.value ? WALKED : SERVICE];
  });
}

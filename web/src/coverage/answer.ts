/** The open question to its service, and its answer on the map. */

import { computed, effect, signal } from "@preact/signals";
import * as api from "../api";
import type { CatalogLayer, Feature } from "../api";
import { asking, type Asked } from "../hotspots/asking";
import { describing } from "../state/described";
import { catalog, city, ownResults, report, runs } from "../state/store";
import { inputsOf, question } from "./question";

export const SERVICE = "coverage_gaps";
/** Blocks are drawn as areas, everything else as points. */
const AREA_LAYER = "coverage_gaps";
const POINT_LAYER = "coverage_places";
const PAGE = 40;
/** What is not reached in time. */
const GAPS = { coverage_class: "gap,no_street" };

const described = describing(SERVICE);
export const { words, isOffered } = described;

const wanted = computed<Asked | null>(() => {
  if (!city.value || !described.process.value || catalog.value.length === 0) return null;
  const asked = question.value;
  return { service: SERVICE, inputs: inputsOf(asked), layer: asked.demand === "households" ? AREA_LAYER : POINT_LAYER };
});

export const main = asking(wanted, (answer) => {
  runs.value = { ...runs.peek(), [SERVICE]: answer.run.run_id };
  ownResults.value = answer.layer ? [answer.layer] : [];
});

export const summary = computed(() => (main.answer.value?.run.summary ?? null) as Summary | null);

export const answerLayer = computed<CatalogLayer | null>(
  () => catalog.value.find(({ id }) => id === main.answer.value?.layer) ?? null,
);

/** Whether the layer of a selected feature shows the answer that is here. */
export function isThere(layer: CatalogLayer): boolean {
  return layer.service === null || layer.service !== SERVICE || main.answer.value !== null;
}

/** The numbers of the service, as far as the page reads them. */
export interface Summary {
  demand_weight: number;
  covered_weight: number;
  covered_share: number;
  twice_share: number;
  gap_weight: number;
  gaps_count: number;
  places_count: number;
  no_street_count: number;
  unreachable_count: number;
  median_min: number | null;
  p90_min: number | null;
  mean_min: number | null;
  by_ring: { coverage_class: string; demand_weight: number; demand_share: number; places_count: number }[];
  by_post: PostRow[];
  by_community: AreaRow[];
  by_grid: AreaRow[];
  best_sites: SiteRow[];
  change?: Record<ChangeNumber, number | null>;
}

export type ChangeNumber =
  | "covered_weight_before"
  | "covered_weight_after"
  | "gained_weight"
  | "lost_weight"
  | "faster_weight"
  | "slower_weight"
  | "mean_min_before"
  | "mean_min_after";

export interface PostRow {
  post_code: string;
  name_zh: string | null;
  name_en: string | null;
  on_street: boolean;
  is_new: boolean;
  covered_weight: number;
  nearest_weight: number;
  only_weight: number;
  slower_min: number | null;
}

export interface AreaRow {
  community_code?: string;
  grid_code?: string;
  demand_weight: number;
  gap_weight: number;
  covered_share: number;
  mean_min: number | null;
}

export interface SiteRow {
  code: string;
  name_zh: string | null;
  name_en: string | null;
  lon: number;
  lat: number;
  gained_weight: number;
}

/** The places that are not covered, the heaviest first; null before they are here. */
export const gaps = signal<{ features: Feature[]; matched: number | null; after: string | null } | null>(null);

async function fetchGaps(layer: string, run: number, after: string | null, before: Feature[], of: AbortSignal): Promise<void> {
  try {
    const query = { run_id: run, limit: PAGE, where: GAPS, ...(after !== null && { after }) };
    const found = await api.items(layer, query, of);
    if (of.aborted) return;
    const features = [...before, ...found.features];
    gaps.value = { features, matched: found.numberMatched ?? null, after: api.nextPage(found) };
  } catch (error) {
    if (!of.aborted) report(error);
  }
}

export function moreGaps(): void {
  const [answer, shown] = [main.answer.value, gaps.value];
  if (!answer?.layer || !shown?.after) return;
  void fetchGaps(answer.layer, answer.run.run_id, shown.after, shown.features, new AbortController().signal);
}

/** Asks for the words of the service once, then for every question, then for the gaps of every answer. */
export function followAnswer(): void {
  described.follow();
  main.follow();
  effect(() => {
    const answer = main.answer.value;
    if (!answer?.layer) return undefined;
    const request = new AbortController();
    void fetchGaps(answer.layer, answer.run.run_id, null, [], request.signal);
    return () => request.abort();
  });
}

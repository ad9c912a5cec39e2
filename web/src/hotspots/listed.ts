/** The places of the answer as a list: in the service's own order, the most notable first, only those unless all are asked for. */

import { computed, effect, signal } from "@preact/signals";
import * as api from "../api";
import type { CatalogLayer, Feature, ItemQuery } from "../api";
import { findingRow } from "../format";
import { report } from "../state/store";
import { answerLayer, main } from "./answer";
import { question } from "./question";

const PAGE = 50;

export interface Listed {
  run: number;
  features: Feature[];
  /** How many there are in all; null where the server stopped counting. */
  matched: number | null;
  after: string | null;
}

export const listed = signal<Listed | null>(null);

/** Codes of what is nothing out of the ordinary, or not to be told. */
const ORDINARY: ReadonlySet<string> = new Set(["not_significant", "no_neighbours", "no_pattern", "closed", "like_city"]);

/** What the out-of-the-ordinary places of a layer have in common; null where the layer does not tell them from others. */
export function notable(layer: CatalogLayer): Record<string, string> | null {
  const finding = findingRow(layer);
  const codes = Object.keys(finding?.codes ?? {});
  const told = codes.filter((code) => !ORDINARY.has(code));
  if (!finding || told.length === codes.length) return null;
  const hot = told.filter((code) => code.startsWith("hot_"));
  return { [finding.field]: (hot.length > 0 ? hot : told).join(",") };
}

interface Wanted {
  layer: string;
  query: ItemQuery;
}

/** As text, so that what does not change the list does not fetch it again. */
const wanted = computed(() => {
  const layer = answerLayer.value;
  const run = main.answer.value?.run.run_id;
  if (!layer || run === undefined) return null;
  const where = question.value.everything ? null : notable(layer);
  return JSON.stringify({ layer: layer.id, query: { run_id: run, limit: PAGE, ...(where && { where }) } });
});

function read(text: string | null): Wanted | null {
  return text === null ? null : (JSON.parse(text) as Wanted);
}

/** Fetches the first page for every answer. */
export function followList(): void {
  effect(() => {
    const asked = read(wanted.value);
    if (!asked) {
      listed.value = null;
      return undefined;
    }
    const request = new AbortController();
    void fetchPage(asked.layer, asked.query, [], request.signal);
    return () => request.abort();
  });
}

export function listMore(): void {
  const [asked, shown] = [read(wanted.value), listed.value];
  if (!asked || !shown?.after) return;
  void fetchPage(asked.layer, { ...asked.query, after: shown.after }, shown.features, new AbortController().signal);
}

async function fetchPage(layer: string, query: ItemQuery, before: Feature[], signal: AbortSignal): Promise<void> {
  try {
    const found = await api.items(layer, query, signal);
    if (signal.aborted) return;
    listed.value = {
      run: Number(query.run_id),
      features: [...before, ...found.features],
      matched: found.numberMatched ?? null,
      after: api.nextPage(found),
    };
  } catch (error) {
    if (!signal.aborted) report(error);
  }
}

/** What the reader pointed at: the features under a click, one of them shown in the popup. */

import { batch, signal, untracked } from "@preact/signals";
import type { Feature } from "../api";
import { catalog, selected, toldInPanel } from "./store";
import type { FeatureKey } from "./url";

export interface Hit {
  layer: string;
  /** Null for a point that stands for several. */
  id: string | null;
  properties: Record<string, unknown>;
}

export interface Hits {
  at: [lon: number, lat: number];
  all: Hit[];
  index: number;
  /** Whether the popup takes the keyboard's focus: after Enter yes, after a click or a link no. */
  focus: boolean;
}

export const hits = signal<Hits | null>(null);
let takeFocus = false;

/** Shows the features under a point; none closes the popup, and one that a panel tells opens no popup. */
export function pick(all: Hit[], at: [number, number], focus: boolean): void {
  const [first] = all;
  batch(() => {
    if (first?.id && toldInPanel.value.has(first.layer)) {
      hits.value = null;
      selected.value = { layer: first.layer, id: first.id };
      return;
    }
    hits.value = all.length > 0 ? { at, all, index: 0, focus } : null;
    selectShown();
  });
}

/** Turns to another of the features under the same point. */
export function turn(step: number): void {
  const shown = hits.value;
  if (!shown) return;
  batch(() => {
    hits.value = { ...shown, index: (shown.index + step + shown.all.length) % shown.all.length };
    selectShown();
  });
}

/** The whole of the feature that was selected where one had it at hand, so that it is not fetched again. */
let atHand: { layer: string; feature: Feature } | null = null;

/** Selects a feature that is at hand whole. */
export function select(layer: string, feature: Feature): void {
  atHand = { layer, feature };
  selected.value = { layer, id: String(feature.id) };
}

export function featureAtHand({ layer, id }: FeatureKey): Feature | null {
  return atHand?.layer === layer && String(atHand.feature.id) === id ? atHand.feature : null;
}

/** Selects a row of the list; its popup opens and takes the focus. */
export function choose(layer: string, feature: Feature): void {
  batch(() => {
    hits.value = null;
    takeFocus = true;
    select(layer, feature);
  });
}

export function closePopup(): void {
  batch(() => {
    hits.value = null;
    selected.value = null;
  });
}

/** Opens the popup of one feature, unless it is the one that is open. */
export function showHit(hit: Hit, at: [number, number]): void {
  const shown = untracked(() => hits.value);
  const current = shown?.all[shown.index];
  if (current?.layer === hit.layer && current.id === hit.id) return;
  hits.value = { at, all: [hit], index: 0, focus: takeFocus };
  takeFocus = false;
}

function selectShown(): void {
  const shown = hits.value;
  const hit = shown?.all[shown.index];
  selected.value = hit?.id ? { layer: hit.layer, id: hit.id } : null;
}

/** The layer of the catalog that a hit belongs to. */
export function layerOf(hit: Hit) {
  return catalog.value.find(({ id }) => id === hit.layer);
}

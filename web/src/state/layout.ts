/** Which panels are open. On a wide screen they stand beside the map, on a phone one of them lies over it as a sheet. */

import { batch, signal } from "@preact/signals";

export const PANELS = ["layers", "time", "services", "list"] as const;
/** Those of the map, and those that a workspace of its own brings. */
export type Panel = (typeof PANELS)[number] | "question" | "answer";

const NARROW = window.matchMedia("(max-width: 860px)");
/** Panels that share a place, where one at a time can be open. */
const SHARED: readonly (readonly Panel[])[] = [["services", "list"]];

/** Open from the beginning where the screen is wide. */
let usual: readonly Panel[] = [];
export const narrow = signal(NARROW.matches);
export const openPanels = signal<ReadonlySet<Panel>>(new Set());

NARROW.addEventListener("change", ({ matches }) => {
  batch(() => {
    narrow.value = matches;
    openPanels.value = new Set(matches ? [] : usual);
  });
});

export function startPanels(panels: readonly Panel[]): void {
  usual = panels;
  openPanels.value = new Set(narrow.value ? [] : panels);
}

export function isOpen(panel: Panel): boolean {
  return openPanels.value.has(panel);
}

export function openPanel(panel: Panel): void {
  const rivals = SHARED.find((place) => place.includes(panel)) ?? [];
  const kept = [...openPanels.value].filter((other) => !narrow.value && !rivals.includes(other));
  openPanels.value = new Set([...kept, panel]);
}

export function closePanel(panel: Panel): void {
  openPanels.value = new Set([...openPanels.value].filter((other) => other !== panel));
}

export function togglePanel(panel: Panel): void {
  (isOpen(panel) ? closePanel : openPanel)(panel);
}

/** Which panels are open. On a wide screen they stand beside the map, on a phone one of them lies over it as a sheet. */

import { batch, signal } from "@preact/signals";

export const PANELS = ["layers", "time", "services", "list"] as const;
export type Panel = (typeof PANELS)[number];

const NARROW = window.matchMedia("(max-width: 860px)");
/** Services and list share the place at the right. */
const RIGHT: readonly Panel[] = ["services", "list"];

export const narrow = signal(NARROW.matches);
export const openPanels = signal<ReadonlySet<Panel>>(usual(NARROW.matches));

NARROW.addEventListener("change", ({ matches }) => {
  batch(() => {
    narrow.value = matches;
    openPanels.value = usual(matches);
  });
});

function usual(isNarrow: boolean): ReadonlySet<Panel> {
  return new Set<Panel>(isNarrow ? [] : ["layers", "time", "services"]);
}

export function isOpen(panel: Panel): boolean {
  return openPanels.value.has(panel);
}

export function openPanel(panel: Panel): void {
  const kept = [...openPanels.value].filter((other) => !narrow.value && !(RIGHT.includes(panel) && RIGHT.includes(other)));
  openPanels.value = new Set([...kept, panel]);
}

export function closePanel(panel: Panel): void {
  openPanels.value = new Set([...openPanels.value].filter((other) => other !== panel));
}

export function togglePanel(panel: Panel): void {
  (isOpen(panel) ? closePanel : openPanel)(panel);
}

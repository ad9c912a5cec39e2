/** The layer tree as the panel draws it: groups in the server's order, each layer with its swatches. */

import type { CatalogLayer, Group, Language, LegendRow } from "../api";
import type { Word } from "../i18n";
import { usualLayer, type Usual } from "./compose";

export const GROUP_WORDS: Record<Group, Word> = {
  analysis: "groupAnalysis",
  events: "groupEvents",
  units: "groupUnits",
  grid: "groupGrid",
  base: "groupBase",
};

export interface Swatch {
  label: string;
  color: string;
  outline: string | null;
  shape: LegendRow["shape"];
}

export interface TreeLayer {
  id: string;
  title: string;
  note: string | null;
  visible: boolean;
  /** Shown, but only from a nearer zoom than the map has now. */
  tooFar: boolean;
  /** With one class the swatch stands beside the title and needs no words of its own. */
  single: Swatch | null;
  swatches: Swatch[];
}

export interface TreeGroup {
  id: Group;
  layers: TreeLayer[];
}

export function layerTree(
  catalog: CatalogLayer[],
  visible: ReadonlySet<string>,
  zoom: number,
  language: Language,
): TreeGroup[] {
  const groups = new Map<Group, TreeLayer[]>();
  for (const layer of catalog) {
    const swatches = layer.legend.map((row) => ({ ...row, label: row.label[language] }));
    const only = swatches.length === 1 ? swatches[0]! : null;
    const entry: TreeLayer = {
      id: layer.id,
      title: layer.title[language],
      note: layer.note?.[language] ?? null,
      visible: visible.has(layer.id),
      tooFar: visible.has(layer.id) && zoom < layer.minzoom,
      single: only,
      swatches: only ? [] : swatches,
    };
    groups.set(layer.group, [...(groups.get(layer.group) ?? []), entry]);
  }
  // What a reader came for stands first: results and events above the base map, as on the map itself.
  return (Object.keys(GROUP_WORDS) as Group[])
    .filter((id) => groups.has(id))
    .map((id) => ({ id, layers: groups.get(id)! }));
}

/** The chosen layers after one checkbox was turned; null when that is again what the page shows by itself. */
export function toggled(
  catalog: CatalogLayer[],
  visible: ReadonlySet<string>,
  id: string,
  usual: Usual = usualLayer,
): string[] | null {
  const next = new Set(visible);
  if (!next.delete(id)) next.add(id);
  const isUsual = catalog.every((layer) => usual(layer) === next.has(layer.id));
  return isUsual ? null : catalog.filter((layer) => next.has(layer.id)).map((layer) => layer.id);
}

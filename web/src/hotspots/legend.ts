/** The legend of an answer: of a layer that serves several methods, only what this answer holds. */

import type { CatalogLayer, Language, LegendRow } from "../api";
import { findingRow } from "../format";

export interface ShownRow extends Omit<LegendRow, "label"> {
  label: string;
}

/** A row may stand for several findings, one beside the other. */
const BESIDE = / ?[/／] ?/;

/** The row of a legend that stands for a finding, by its words. */
export function rowOf(legend: LegendRow[], said: string, language: Language): LegendRow | null {
  return legend.find(({ label }) => label[language].split(BESIDE).includes(said)) ?? null;
}

/**
 * The rows of a layer's legend whose findings the answer counts, and those that are no finding, such as the mark of few
 * incidents; all rows where the answer counts none.
 */
export function legendOf(layer: CatalogLayer, summary: Record<string, unknown>, language: Language): ShownRow[] {
  const codes = findingRow(layer)?.codes ?? {};
  const counted = countsOf(summary, codes);
  const wordsOf = (wanted: string[]) => new Set(wanted.map((code) => codes[code]?.[language] ?? code));
  const [known, held] = [wordsOf(Object.keys(codes)), wordsOf(counted ?? [])];
  return layer.legend.flatMap((row) => {
    const parts = row.label[language].split(BESIDE);
    const kept = counted ? parts.filter((part) => held.has(part) || !known.has(part)) : parts;
    const label = kept.length === parts.length ? row.label[language] : kept.join(" / ");
    return kept.length > 0 ? [{ ...row, label }] : [];
  });
}

/** The codes that a group of the summary counts; null where no group counts by the codes of the layer. */
function countsOf(summary: Record<string, unknown>, codes: object): string[] | null {
  for (const group of Object.values(summary)) {
    if (typeof group !== "object" || group === null || Array.isArray(group)) continue;
    const counted = Object.entries(group);
    if (counted.length > 0 && counted.every(([code, count]) => code in codes && typeof count === "number")) {
      return counted.filter(([, count]) => count > 0).map(([code]) => code);
    }
  }
  return null;
}

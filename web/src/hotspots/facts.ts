/** The numbers that matter of an answer: from what, how large the cells, how corrected, how inferred. */

import type { Language, Provenance } from "../api";
import { formatNumber } from "../format";
import { withoutUnit } from "../form/model";
import { say } from "../i18n";
import { named, textOf, type Words } from "../panels/numbers";

export interface Fact {
  name: string;
  label: string;
  text: string;
}

/** In the order in which they are read. What the service chose itself counts more than what it was told. */
const TELLING: readonly string[] = [
  "unit",
  "lattice_m",
  "bandwidth_m",
  "edge_correction",
  "eps_m",
  "min_incidents",
  "distance_m",
  "step_days",
  "reach_m",
  "alpha",
  "correction",
  "inference",
  "permutations",
];
/** Not told where they play no part, or where another of them says as much. */
const ONLY_WITH: Record<string, [name: string, value: unknown]> = {
  unit: ["unit", "grids"],
  lattice_m: ["unit", "lattice"],
  permutations: ["inference", "permutation"],
};

export function factsOf({ n, parameters, choices }: Provenance, words: Words, language: Language, timeZone: string): Fact[] {
  const known: Record<string, unknown> = { ...parameters, ...choices };
  const facts: Fact[] = [{ name: "n", label: say(language, "incidentsUsed"), text: formatNumber(n, language) }];
  for (const name of TELLING) {
    const value = known[name];
    if (value === null || value === undefined) continue;
    const [other, wanted] = ONLY_WITH[name] ?? [];
    if (other !== undefined && other in known && known[other] !== wanted) continue;
    const [, unit] = withoutUnit(name);
    const text = textOf(name, value, words, { language, timeZone });
    facts.push({ name, label: named(name, words, language), text: unit && typeof value === "number" ? `${text} ${unit}` : text });
  }
  return facts;
}

/** How many rows took no part, of the frame that the answer is about. */
export function leftOutCount({ left_out: rows }: Provenance): number {
  return rows.filter(({ frame }) => frame === "incidents").reduce((sum, { count }) => sum + count, 0);
}

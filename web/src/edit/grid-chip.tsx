/** The colour of a grid as the map has it. */

import { shade } from "../state/store";
import { NONE } from "./board";
import { opened } from "./session";
import { GRIDS, INK } from "./palette";

export function GridChip({ grid }: { grid: number }) {
  const colour = grid === NONE ? INK[shade.value].loose : GRIDS[shade.value][opened.value?.colour[grid] ?? 0]!;
  return <span class="grid-chip" style={{ background: colour }} aria-hidden="true" />;
}

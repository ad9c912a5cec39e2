/** Blocks and grids told in a sentence: to whoever points at them, and to whoever only hears them. */

import type { Language } from "../api";
import { formatNumber } from "../format";
import { say } from "../i18n";
import { deviation } from "./balance";
import { NONE, type Band } from "./board";
import { blockName, gridName } from "./names";
import type { Opened } from "./opened";

export function describeBlock({ board, draft }: Opened, block: number, language: Language): string {
  if (block === NONE) return say(language, "nothingHere");
  const grid = draft.grid[block]!;
  const households = formatNumber(board.measure.households[block]!, language);
  const where = grid === NONE ? say(language, "noGrid") : gridName(board.grids[grid]!, language);
  return say(language, "blockIs", blockName(board, block), households, where);
}

/** `+12 %`, `−40 %`: how far a load is from the target. */
export function deviationText(load: number, band: Band, language: Language): string {
  const share = deviation(load, band);
  return new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en-GB", {
    style: "percent",
    maximumFractionDigits: 0,
    signDisplay: "exceptZero",
  }).format(share);
}

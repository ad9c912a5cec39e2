/** What blocks and grids are called, in the reader's language. */

import type { Language } from "../api";
import { formatNumber } from "../format";
import { language } from "../state/store";
import { loadOf } from "./balance";
import type { Band, Board, GridInfo } from "./board";

export function gridName(grid: GridInfo, language: Language): string {
  return grid[`name_${language}`] ?? grid.name_zh ?? grid.name_en ?? grid.code;
}

/** The part of a grid's code that tells it from others of its community. */
export function shortCode({ code, community_code }: GridInfo): string {
  const prefix = community_code ?? "";
  return prefix !== "" && code.startsWith(prefix) && code.length > prefix.length ? code.slice(prefix.length) : code;
}

/** Short enough for a map: what tells a dedicated grid is its name, any other its number. */
export function nameOnMap(grid: GridInfo, language: Language): string {
  return grid.kind === "dedicated" ? gridName(grid, language) : shortCode(grid);
}

/** The load, with a sign where it is too little or too much: no reader needs the colour. */
export function loadText(load: number, kind: GridInfo["kind"], band: Band): string {
  const sign = { under: " ▼", in: "", over: " ▲" }[loadOf(load, kind, band)];
  return `${formatNumber(Math.round(load), "en")}${sign}`;
}

/** A share as the page writes it, one digit after the point; what is there at all is never written as nothing. */
export function percent(share: number): string {
  const locale = language.value === "zh" ? "zh-CN" : "en-GB";
  const format = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  return share > 0 && share < LEAST_SHARE ? `<${format.format(LEAST_SHARE)}` : format.format(share);
}

const LEAST_SHARE = 0.001;

/** A block's code without what it shares with its community. */
export function blockName({ code, community }: Pick<Board, "code" | "community">, block: number): string {
  const prefix = community[block] ?? "";
  const whole = code[block]!;
  return prefix !== "" && whole.startsWith(prefix) && whole.length > prefix.length ? whole.slice(prefix.length) : whole;
}

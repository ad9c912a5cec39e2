/** Numbers and choices of a result as rows of a table, in the server's words. */

import type { Language, Text } from "../api";
import { formatDay, formatInstant, formatNamed, formatValue, type Reader } from "../format";
import { plain, withoutUnit } from "../form/model";
import { say } from "../i18n";

export type Words = Record<string, Text>;

export interface NumberRow {
  name: string;
  label: string;
  text: string;
}

/** Numbers that belong together under one name. */
export interface NumberPart {
  name: string;
  label: string;
  values: Record<string, unknown>;
}

/** Rows of the same kind under one name. */
export interface NumberTable {
  name: string;
  label: string;
  columns: { name: string; label: string }[];
  rows: { texts: string[]; at: [lon: number, lat: number] | null }[];
}

/** Names of parts of a whole. */
const SHARE = /(^|_)(share|rate)(_(low|high))?$/;

/** What a name or value is called; its own name where no word is known. */
export function named(name: string, words: Words, language: Language): string {
  return words[name]?.[language] ?? plain(name);
}

export function numberRows(
  values: Record<string, unknown>,
  words: Words,
  reader: Reader,
): { rows: NumberRow[]; parts: NumberPart[]; tables: NumberTable[] } {
  const rows: NumberRow[] = [];
  const parts: NumberPart[] = [];
  const tables: NumberTable[] = [];
  for (const [name, value] of Object.entries(values)) {
    const label = named(name, words, reader.language);
    if (isObject(value)) parts.push({ name, label, values: value });
    else if (isRows(value)) tables.push({ name, label, ...tableOf(value, words, reader) });
    else rows.push({ name, label, text: withUnit(name, label, value, textOf(name, value, words, reader)) });
  }
  return { rows, parts, tables };
}

/** Where a row is, which nobody reads as numbers. */
const PLACE = new Set(["lon", "lat"]);
/** What a row is called and is stands before its numbers; the server keeps no order. */
const FIRST = ["name", "label", "kind", "role", "code"];

function tableOf(rows: Record<string, unknown>[], words: Words, reader: Reader): Pick<NumberTable, "columns" | "rows"> {
  const other = reader.language === "zh" ? "_en" : "_zh";
  const names = [...new Set(rows.flatMap(Object.keys))].filter((name) => !PLACE.has(name) && !name.endsWith(other));
  const told = names.filter((name) => rows.some((row) => row[name] !== null && row[name] !== undefined && row[name] !== ""));
  told.sort((a, b) => placeOf(a) - placeOf(b));
  return {
    columns: told.map((name) => ({ name, label: named(name.replace(/_(zh|en)$/, ""), words, reader.language) })),
    rows: rows.map((row) => ({
      texts: told.map((name) => textOf(name, row[name], words, reader)),
      at: typeof row.lon === "number" && typeof row.lat === "number" ? [row.lon, row.lat] : null,
    })),
  };
}

function placeOf(name: string): number {
  const at = FIRST.findIndex((first) => name === first || name.startsWith(`${first}_`));
  return at < 0 ? FIRST.length : at;
}

function isRows(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

/** A number with the unit that its name ends in, unless the words for it say the unit already. */
function withUnit(name: string, label: string, value: unknown, text: string): string {
  const [, unit] = withoutUnit(name);
  return unit && typeof value === "number" && !/[(（]/.test(label) ? `${text} ${unit}` : text;
}

export function textOf(name: string, value: unknown, words: Words, reader: Reader): string {
  const { language } = reader;
  if (value === null || value === undefined || value === "") return say(language, "empty");
  if (Array.isArray(value)) {
    const texts = value.map((one) => textOf(name, one, words, reader));
    return texts.length === 0 ? say(language, "empty") : texts.join(language === "zh" ? "、" : ", ");
  }
  if (typeof value === "number") {
    if (!SHARE.test(name)) return formatNamed(name, value, language);
    return formatValue(value, { field: name, title: { zh: name, en: name }, format: "pct" }, reader);
  }
  if (typeof value === "boolean") return say(language, value ? "yes" : "no");
  const text = isObject(value) ? JSON.stringify(value) : String(value);
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return formatInstant(text, reader);
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return formatDay(text, language);
  return words[text]?.[language] ?? text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

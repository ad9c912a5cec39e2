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
): { rows: NumberRow[]; parts: NumberPart[] } {
  const rows: NumberRow[] = [];
  const parts: NumberPart[] = [];
  for (const [name, value] of Object.entries(values)) {
    const label = named(name, words, reader.language);
    if (isObject(value)) parts.push({ name, label, values: value });
    else rows.push({ name, label, text: withUnit(name, label, value, textOf(name, value, words, reader)) });
  }
  return { rows, parts };
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

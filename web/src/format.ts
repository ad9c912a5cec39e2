/** Values as a person reads them. */

import type { CatalogLayer, Feature, Format, Language, PopupRow } from "./api";
import { say } from "./i18n";

const LOCALE: Record<Language, string> = { zh: "zh-CN", en: "en-GB" };

/** Names of p and q values. */
const PROBABILITY = /(^|_)[pq]$/;
/** Nobody needs a p to more places. */
const LEAST_P = 0.0001;

export interface Reader {
  language: Language;
  timeZone: string;
}

/** A number by what its name says it is: of a p that is as good as nothing, only that. */
export function formatNamed(name: string, value: number, language: Language): string {
  return PROBABILITY.test(name) && value > 0 && value < LEAST_P ? `< ${LEAST_P}` : formatNumber(value, language);
}

/** Smaller ones are written as powers of ten. */
const TINY = 1e-4;

export function formatNumber(value: number, language: Language): string {
  if (value !== 0 && Math.abs(value) < TINY) return value.toExponential(1);
  const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 };
  return new Intl.NumberFormat(LOCALE[language], digits).format(value);
}

export function formatDay(day: string, language: Language): string {
  const at = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return day;
  return new Intl.DateTimeFormat(LOCALE[language], { dateStyle: "medium", timeZone: "UTC" }).format(at);
}

export function formatInstant(value: string | number, { language, timeZone }: Reader): string {
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return String(value);
  const style = { dateStyle: "medium", timeStyle: "short", timeZone } as const;
  return new Intl.DateTimeFormat(LOCALE[language], style).format(at);
}

/** One value of a popup or table, by the format that the layer declares for it. */
export function formatValue(value: unknown, row: PopupRow, reader: Reader): string {
  if (!hasValue(value)) return say(reader.language, "empty");
  if (typeof value === "boolean") return say(reader.language, value ? "yes" : "no");
  return BY_FORMAT[row.format](value, row, reader);
}

const BY_FORMAT: Record<Format, (value: unknown, row: PopupRow, reader: Reader) => string> = {
  text: (value) => String(value),
  int: (value, _, { language }) => numeric(value, (n) => new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits: 0 }).format(n)),
  real: (value, { field }, { language }) => numeric(value, (n) => formatNamed(field, n, language)),
  pct: (value, _, { language }) =>
    numeric(value, (n) => new Intl.NumberFormat(LOCALE[language], { style: "percent", maximumFractionDigits: 1 }).format(n)),
  date: (value, _, { language }) => formatDay(String(value).slice(0, 10), language),
  instant: (value, _, reader) => formatInstant(typeof value === "number" ? value : String(value), reader),
  code: (value, row, { language }) => row.codes?.[String(value)]?.[language] ?? String(value),
};

function numeric(value: unknown, format: (n: number) => string): string {
  const number = Number(value);
  return Number.isFinite(number) ? format(number) : String(value);
}

/** The name that a feature has of its own, in the reader's language if there is one; null where it has none. */
export function nameOf({ properties }: Pick<Feature, "properties">, language: Language): string | null {
  for (const field of [`name_${language}`, "name", `name_${language === "zh" ? "en" : "zh"}`]) {
    const value = properties[field];
    if (typeof value === "string" && value !== "") return value;
  }
  return null;
}

/** Fields of codes that say what was found, before those that merely describe. */
const FINDING = /_class$|^significance$|^role$/;

/** The row of a layer that says what was found, such as that a place is hot; null where the layer has no classes. */
export function findingRow(layer: CatalogLayer): PopupRow | null {
  const codes = layer.popup.filter(({ format }) => format === "code");
  return codes.find(({ field }) => FINDING.test(field)) ?? codes[0] ?? null;
}

export function findingOf({ properties }: Pick<Feature, "properties">, layer: CatalogLayer, reader: Reader): string | null {
  const row = findingRow(layer);
  return row && hasValue(properties[row.field]) ? formatValue(properties[row.field], row, reader) : null;
}

/**
 * What a feature is called: its name in the reader's language, else its code, its kind, its first value, its number.
 * The code of a computed place means nothing to a reader, so there the finding comes before it.
 */
export function titleOf(feature: Pick<Feature, "id" | "properties">, layer: CatalogLayer, reader: Reader): string {
  const { properties } = feature;
  const name = nameOf(feature, reader.language);
  if (name) return name;
  const code = layer.service ? null : properties.code;
  if (typeof code === "string" && code !== "") return code;
  const rows = [...layer.popup.filter(({ format }) => format === "code"), ...layer.popup];
  const telling = rows.find(({ field }) => hasValue(properties[field]));
  if (telling) return formatValue(properties[telling.field], telling, reader);
  return say(reader.language, "unnamed", String(feature.id ?? ""));
}

export interface Value {
  name: string;
  text: string;
  /** A number says nothing without its name. */
  number: boolean;
}

/** The rows of a popup or list that hold a value and do not repeat the title. */
export function valuesOf(properties: Record<string, unknown>, layer: CatalogLayer, title: string, reader: Reader): Value[] {
  return layer.popup
    .filter(({ field }) => hasValue(properties[field]))
    .map((row) => ({
      name: row.title[reader.language],
      text: formatValue(properties[row.field], row, reader),
      number: row.format === "int" || row.format === "real" || row.format === "pct",
    }))
    .filter(({ text, number }) => number || text !== title);
}

function hasValue(value: unknown): boolean {
  return value !== null && value !== undefined && value !== "";
}

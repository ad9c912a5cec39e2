/** A form from a JSON Schema: which fields, with which words, limits and first values; and back to inputs. */

import type { JsonSchema, Language } from "../api";
import { instantOf } from "../state/time";

export interface Option {
  value: string;
  label: string;
  /** What is sent when it is chosen. */
  raw: unknown;
}

export type FieldKind = "number" | "integer" | "boolean" | "text" | "choice" | "choices" | "list" | "numbers" | "instant" | "date" | "place" | "json";

export interface Field {
  name: string;
  title: string;
  description: string;
  kind: FieldKind;
  unit: string | null;
  nullable: boolean;
  required: boolean;
  /** For whoever knows the method; folded away. */
  advanced: boolean;
  /** The layer whose features the values are codes of; null where they are anything else. */
  layer: string | null;
  initial: FieldValue;
  options: Option[];
  minimum: number | null;
  maximum: number | null;
  exclusiveMinimum: number | null;
  exclusiveMaximum: number | null;
}

/** What a control holds: text for most, the chosen values for several. */
export type FieldValue = string | boolean | string[];
export type FieldValues = Record<string, FieldValue>;

export interface FieldProblem {
  word: "isRequired" | "badNumber" | "badInteger" | "badJson" | "tooSmall" | "tooLarge" | "above" | "below";
  limit?: number;
}

/** Ends of parameter names that say the unit; the longest is looked for first. */
const UNITS: Record<string, string> = {
  _per_km2: "/km²",
  _km2: "km²",
  _kmh: "km/h",
  _min: "min",
  _deg: "°",
  _days: "d",
  _m2: "m²",
  _km: "km",
  _m: "m",
  _s: "s",
  _h: "h",
};

const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/;

export function formFields(schema: JsonSchema, language: Language): Field[] {
  const definitions = asSchema(schema.$defs);
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.entries(asSchema(schema.properties)).map(([name, property]) =>
    fieldOf(name, asSchema(property), definitions, required.has(name), language),
  );
}

function fieldOf(name: string, property: JsonSchema, definitions: JsonSchema, required: boolean, language: Language): Field {
  const { schema, nullable } = resolve(property, definitions);
  const options = optionsOf(schema, definitions, language);
  const kind = kindOf(schema, options);
  const [stem, unit] = withoutUnit(name);
  return {
    name,
    title: words(schema["wangge:title"], language) ?? titleOf(schema.title, name, stem),
    // Names of other parameters are set in backticks there, for readers of the code.
    description: (words(schema["wangge:description"], language) ?? words(schema.description, language) ?? "").replaceAll("`", ""),
    kind,
    unit: unitOf(schema) ?? (kind === "number" || kind === "integer" ? unit : null),
    nullable,
    required,
    advanced: schema["wangge:advanced"] === true,
    layer: typeof schema["wangge:layer"] === "string" ? schema["wangge:layer"] : null,
    initial: initialOf(schema.default, kind, options),
    options,
    minimum: numberOr(schema.minimum),
    maximum: numberOr(schema.maximum),
    exclusiveMinimum: numberOr(schema.exclusiveMinimum),
    exclusiveMaximum: numberOr(schema.exclusiveMaximum),
  };
}

/** Follows references and takes `null` out of a union; what stands beside them (title, default) wins. */
function resolve(property: JsonSchema, definitions: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  let schema = property;
  let nullable = false;
  for (let depth = 0; depth < 8; depth += 1) {
    const { $ref, anyOf, oneOf, allOf, ...beside } = schema;
    const union = (anyOf ?? oneOf) as JsonSchema[] | undefined;
    if (typeof $ref === "string") {
      schema = { ...asSchema(definitions[$ref.split("/").at(-1) ?? ""]), ...beside };
    } else if (Array.isArray(allOf) && allOf.length === 1) {
      schema = { ...asSchema(allOf[0]), ...beside };
    } else if (Array.isArray(union)) {
      const others = union.filter((branch) => branch.type !== "null");
      nullable ||= others.length < union.length;
      if (others.length !== 1) return { schema: beside, nullable };
      schema = { ...others[0], ...beside };
    } else {
      break;
    }
  }
  return { schema, nullable };
}

function kindOf(schema: JsonSchema, options: Option[]): FieldKind {
  if (schema.type === "array") {
    const items = asSchema(schema.items);
    if (options.length > 0) return "choices";
    if (items.type === "number" || items.type === "integer") return "numbers";
    return items.type === "string" ? "list" : "json";
  }
  if (options.length > 0) return "choice";
  if (schema.format === "geojson-geometry") return "place";
  if (schema.type === "string") {
    if (schema.format === "date-time") return "instant";
    return schema.format === "date" ? "date" : "text";
  }
  if (schema.type === "number" || schema.type === "integer" || schema.type === "boolean") return schema.type;
  return "json";
}

function optionsOf(schema: JsonSchema, definitions: JsonSchema, language: Language): Option[] {
  const of = schema.type === "array" ? resolve(asSchema(schema.items), definitions).schema : schema;
  const values = Array.isArray(of.enum) ? of.enum : "const" in of ? [of.const] : [];
  const labels = asSchema(of["wangge:labels"] ?? schema["wangge:labels"]);
  return values
    .filter((raw) => raw !== null)
    .map((raw) => ({ value: String(raw), raw, label: words(labels[String(raw)], language) ?? plain(String(raw)) }));
}

function initialOf(given: unknown, kind: FieldKind, options: Option[]): FieldValue {
  if (kind === "choices") return Array.isArray(given) ? given.map(String) : [];
  if (kind === "boolean") return given === true;
  if (given === undefined || given === null) return "";
  if (kind === "list") return Array.isArray(given) ? given.join("\n") : "";
  if (kind === "numbers") return Array.isArray(given) ? given.join(", ") : "";
  if (kind === "json" || kind === "place") return JSON.stringify(given);
  if (kind === "choice") return options.find((option) => option.raw === given)?.value ?? "";
  return String(given);
}

/**
 * The inputs that the values give, or what is wrong with each field; empty fields are left to the server's default.
 * Times are those of the city's clock.
 */
export function collect(
  fields: Field[],
  values: FieldValues,
  timeZone: string,
): { inputs: Record<string, unknown>; problems: Record<string, FieldProblem> } {
  const inputs: Record<string, unknown> = {};
  const problems: Record<string, FieldProblem> = {};
  for (const field of fields) {
    const value = values[field.name] ?? field.initial;
    if (value === "" || (Array.isArray(value) && value.length === 0)) {
      if (field.required && !field.nullable) problems[field.name] = { word: "isRequired" };
      else if (field.nullable) inputs[field.name] = null;
      else if (["choices", "list", "numbers"].includes(field.kind)) inputs[field.name] = [];
      continue;
    }
    const read = readField(field, value, timeZone);
    if ("problem" in read) problems[field.name] = read.problem;
    else inputs[field.name] = read.input;
  }
  return { inputs, problems };
}

function readField(field: Field, value: FieldValue, timeZone: string): { input: unknown } | { problem: FieldProblem } {
  if (typeof value === "boolean") return { input: value };
  if (Array.isArray(value)) return { input: field.options.filter((o) => value.includes(o.value)).map((o) => o.raw) };
  switch (field.kind) {
    case "number":
    case "integer":
      return readNumber(field, value);
    case "choice":
      return { input: field.options.find((option) => option.value === value)?.raw };
    case "list":
      return { input: linesOf(value) };
    case "numbers": {
      const numbers = value.split(/[\s,，、;；]+/).filter((part) => part !== "").map(Number);
      return numbers.every(Number.isFinite) ? { input: numbers } : { problem: { word: "badNumber" } };
    }
    case "instant":
      return { input: LOCAL_TIME.test(value) ? instantOf(value, timeZone) : value };
    case "place":
    case "json":
      try {
        return { input: JSON.parse(value) as unknown };
      } catch {
        return { problem: { word: "badJson" } };
      }
    default:
      return { input: value };
  }
}

export function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

function readNumber(field: Field, text: string): { input: number } | { problem: FieldProblem } {
  const number = Number(text);
  if (!Number.isFinite(number)) return { problem: { word: "badNumber" } };
  if (field.kind === "integer" && !Number.isInteger(number)) return { problem: { word: "badInteger" } };
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = field;
  if (minimum !== null && number < minimum) return { problem: { word: "tooSmall", limit: minimum } };
  if (maximum !== null && number > maximum) return { problem: { word: "tooLarge", limit: maximum } };
  if (exclusiveMinimum !== null && number <= exclusiveMinimum) return { problem: { word: "above", limit: exclusiveMinimum } };
  if (exclusiveMaximum !== null && number >= exclusiveMaximum) return { problem: { word: "below", limit: exclusiveMaximum } };
  return { input: number };
}

function unitOf(schema: JsonSchema): string | null {
  const unit = schema["x-ogc-unit"] ?? schema.unit;
  return typeof unit === "string" ? unit : null;
}

export function withoutUnit(name: string): [stem: string, unit: string | null] {
  const end = Object.keys(UNITS).find((suffix) => name.endsWith(suffix));
  return end ? [name.slice(0, -end.length), UNITS[end]!] : [name, null];
}

/** pydantic titles a parameter after its name ("Lattice M"); then the name without its unit reads better. */
function titleOf(title: unknown, name: string, stem: string): string {
  const automatic = name.split("_").join(" ").toLowerCase();
  return typeof title === "string" && title.toLowerCase() !== automatic ? title : plain(stem);
}

export function plain(name: string): string {
  const text = name.replaceAll("_", " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Words as they come: one text for everybody, or one for each language. */
function words(value: unknown, language: Language): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && language in value) {
    return String((value as Record<Language, unknown>)[language]);
  }
  return null;
}

function numberOr(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function asSchema(value: unknown): JsonSchema {
  return typeof value === "object" && value !== null ? (value as JsonSchema) : {};
}

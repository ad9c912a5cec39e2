/** From the question to the parameters of a service. */

import { collect, type Field, type FieldProblem, type FieldValues } from "../form/model";
import { addDays, instantOf, type Period } from "../state/time";
import { ANY_TIME, type Clock } from "./clock";
import type { Question } from "./question";

/** Parameters that the workspace has controls of its own for; the form of a method shows the others. */
const OWN: readonly string[] = [
  "categories",
  "occurred_from",
  "occurred_before",
  "weekdays",
  "hours",
  "compare_from",
  "compare_before",
];

export interface Days {
  /** Null is all of the time. */
  first: Period | null;
  /** Only where two periods are compared. */
  second: Period | null;
  /** The days that hold the city's events. */
  extent: Period | null;
  timeZone: string;
}

export function ownFields(fields: Field[]): Field[] {
  return fields.filter(({ name }) => !OWN.includes(name));
}

/** The form's values that settings of the address mean. */
export function valuesOf(fields: Field[], settings: Record<string, string>): FieldValues {
  const values: FieldValues = {};
  for (const { name, kind } of fields) {
    const text = settings[name];
    if (text === undefined) continue;
    values[name] = kind === "boolean" ? text === "true" : kind === "choices" ? text.split("|").filter(Boolean) : text;
  }
  return values;
}

/** The settings that the form's values mean: those that are not as the method has them. */
export function settingsOf(fields: Field[], values: FieldValues): Record<string, string> {
  const text = (value: unknown) => (Array.isArray(value) ? value.join("|") : String(value));
  const settings: Record<string, string> = {};
  for (const { name, initial } of fields) {
    const value = values[name];
    if (value !== undefined && text(value) !== text(initial)) settings[name] = text(value);
  }
  return settings;
}

/** What is sent to a service for a question; parameters that it does not have are left away. */
export function inputsOf(
  fields: Field[],
  question: Pick<Question, "categories" | "clock" | "settings">,
  days: Days,
): { inputs: Record<string, unknown>; problems: Record<string, FieldProblem> } {
  const form = ownFields(fields);
  const { inputs, problems } = collect(form, valuesOf(form, question.settings), days.timeZone);
  const takes = new Map(fields.map((field) => [field.name, field]));
  const set = (name: string, value: unknown) => {
    if (value !== null && takes.has(name)) inputs[name] = value;
  };
  set("categories", question.categories);
  set("weekdays", question.clock.days?.map((day) => day + 1) ?? null);
  set("hours", question.clock.hours);
  const isRequired = takes.get("occurred_from")?.required ?? false;
  const first = days.first ?? (isRequired ? days.extent : null);
  set("occurred_from", first && startOf(first, days.timeZone));
  set("occurred_before", first && endOf(first, days.timeZone));
  set("compare_from", days.second && startOf(days.second, days.timeZone));
  set("compare_before", days.second && endOf(days.second, days.timeZone));
  return { inputs, problems };
}

/** The same incidents at any time of the week: what the clock itself is drawn from. */
export function atAnyTime<Q extends { clock: Clock }>(question: Q): Q {
  return { ...question, clock: ANY_TIME };
}

/** The first instant of a period. */
export function startOf(period: Period, timeZone: string): string {
  return instantOf(`${period.from}T00:00`, timeZone);
}

/** The first instant after a period. */
export function endOf(period: Period, timeZone: string): string {
  return instantOf(`${addDays(period.to, 1)}T00:00`, timeZone);
}

/** The open question to its service and its answer on the map; and the clock of the week, asked for beside it. */

import { computed } from "@preact/signals";
import { formFields } from "../form/model";
import { catalog, city, extent, ownResults, period, runs, selected, timeZone, toldInPanel, usual } from "../state/store";
import type { Period } from "../state/time";
import { asking, type Answer, type Asked } from "./asking";
import { weightsOf } from "./clock";
import { comparedPeriod } from "./compare";
import { atAnyTime, inputsOf, type Days } from "./inputs";
import { CLOCK_SERVICE, DENSITY, fields, hasClock, layerOf, method, process, schemaOf } from "./methods";
import { question } from "./question";

/** The second period, where the method compares two; or why there is none. */
export const comparison = computed(() => {
  const { compare, method } = question.value;
  if (!compare || !extent.value || method !== DENSITY) return null;
  return comparedPeriod(compare, period.value, extent.value);
});
export const second = computed<Period | null>(() => {
  const compared = comparison.value;
  return compared && "period" in compared ? compared.period : null;
});
/** What is shown of a comparison; null where there is none. */
export const side = computed(() => (second.value ? question.value.side : null));

/** The days that the shown answer is about. */
export const shownPeriod = computed(() => (side.value === "b" ? second.value : period.value));

function days(): Days {
  return {
    first: shownPeriod.value,
    second: side.value === "difference" ? second.value : null,
    extent: extent.value,
    timeZone: timeZone.value,
  };
}

const asked = computed(() => {
  if (!city.value || !method.value || !process.value || catalog.value.length === 0) return null;
  return inputsOf(fields.value, question.value, days());
});

/** Fields of the method's own form that cannot be sent as they are. */
export const problems = computed(() => asked.value?.problems ?? {});

const wanted = computed<Asked | null>(() => {
  const { method } = question.value;
  if (!asked.value || Object.keys(asked.value.problems).length > 0) return null;
  const layer = layerOf(method, side.value === "difference")?.id ?? null;
  return { service: method, inputs: asked.value.inputs, layer };
});

const clockWanted = computed<Asked | null>(() => {
  const schema = schemaOf(CLOCK_SERVICE);
  if (!city.value || !hasClock.value || !schema) return null;
  const of = { ...atAnyTime(question.value), settings: {} };
  const { inputs } = inputsOf(formFields(schema, "en"), of, { ...days(), second: null });
  return { service: CLOCK_SERVICE, inputs, layer: null };
});

let shownBefore: Answer | null = null;

export const main = asking(wanted, (answer) => {
  runs.value = { ...runs.peek(), [answer.service]: answer.run.run_id };
  ownResults.value = answer.layer ? [answer.layer] : [];
  toldInPanel.value = new Set(answer.layer ? [answer.layer] : []);
  // Places of an earlier answer have numbers of their own.
  if (shownBefore && shownBefore.run.run_id !== answer.run.run_id && selected.peek()?.layer === shownBefore.layer) {
    selected.value = null;
  }
  shownBefore = answer;
});
export const clockAsked = asking(clockWanted, () => {});

/** How many incidents there are in each hour of the week; null until known. */
export const weights = computed(() => weightsOf(clockAsked.answer.value?.run.summary.clock));

/** The layer of the answer on the map. */
export const answerLayer = computed(() => {
  const shown = main.answer.value?.layer ?? null;
  return catalog.value.find(({ id }) => id === shown) ?? null;
});

/** From now on asks. The results on the map are those of the question, none before the first answer. */
export function followQuestion(): void {
  ownResults.value = [];
  // The borders of the grids would cut the cells of a result to pieces.
  usual.value = (layer) => layer.visible && layer.group !== "grid";
  main.follow();
  clockAsked.follow();
}

/** Whether a feature of a layer can be asked for: of results, only those of the answer that is shown. */
export function isThere(layer: { id: string; service: string | null }): boolean {
  return layer.service === null || main.answer.value?.layer === layer.id;
}

import { describe, expect, it } from "vitest";
import { formFields } from "../src/form/model";
import { ANY_TIME } from "../src/hotspots/clock";
import { comparedPeriod } from "../src/hotspots/compare";
import { inputsOf, ownFields, settingsOf, valuesOf, type Days } from "../src/hotspots/inputs";
import { readQuestion, USUAL, writeQuestion, type Question } from "../src/hotspots/question";
import { hashParts, joinParts } from "../src/state/url";

const EXTENT = { from: "2023-07-01", to: "2026-06-30" };

const FULL: Question = {
  method: "incident_density",
  categories: ["theft", "a,b&c=网格#"],
  clock: { days: [0, 4, 5], hours: [0, 1, 22, 23] },
  compare: { from: "2025-01-01", to: "2025-03-31" },
  side: "b",
  settings: { bandwidth_m: "250", origins: "patrol|import", label: "x:y,z" },
  everything: true,
};

const round = (question: Question) => readQuestion(hashParts(joinParts(writeQuestion(question))));

describe("the question in the address", () => {
  it("comes back as it was written", () => {
    expect(round(FULL)).toEqual(FULL);
    expect(round({ ...FULL, compare: "year" }).compare).toBe("year");
    expect(round({ ...FULL, compare: "previous", side: "a" })).toMatchObject({ compare: "previous", side: "a" });
  });

  it("needs no words for what is usual", () => {
    expect(writeQuestion(USUAL)).toEqual([]);
    expect(round(USUAL)).toEqual(USUAL);
  });

  it("counts days from 1, Monday first, as the server does, and writes runs", () => {
    expect(new Map(writeQuestion(FULL)).get("days")).toBe("1,5-6");
    expect(new Map(writeQuestion(FULL)).get("hours")).toBe("0-1,22-23");
  });

  it.each([
    "#method=Hot%20Spots",
    "#kinds=",
    "#kinds=%E0%A4%A",
    "#days=0",
    "#days=1-7",
    "#days=8,9",
    "#hours=24,99",
    "#hours=0-23",
    "#hours=x",
    "#with=2025-02-30/2025-03-01",
    "#with=never",
    "#show=c",
    "#set=Bad Name:1,novalue,:3",
    "#list=some",
  ])("takes what it does not understand as not given: %s", (hash) => {
    expect(readQuestion(hashParts(hash))).toEqual(USUAL);
  });
});

describe("the second period", () => {
  const may = { from: "2025-05-01", to: "2025-05-31" };

  it("is as long as the first and ends the day before it", () => {
    expect(comparedPeriod("previous", may, EXTENT)).toEqual({ period: { from: "2025-03-31", to: "2025-04-30" } });
    expect(comparedPeriod("previous", { from: "2024-03-01", to: "2024-03-01" }, EXTENT)).toEqual({
      period: { from: "2024-02-29", to: "2024-02-29" },
    });
  });

  it("is the same dates a year before, of a leap day the day before", () => {
    expect(comparedPeriod("year", may, EXTENT)).toEqual({ period: { from: "2024-05-01", to: "2024-05-31" } });
    expect(comparedPeriod("year", { from: "2024-02-29", to: "2024-03-01" }, { ...EXTENT, from: "2020-01-01" })).toEqual({
      period: { from: "2023-02-28", to: "2023-03-01" },
    });
  });

  it("is the officer's own where it was chosen", () => {
    expect(comparedPeriod(may, null, EXTENT)).toEqual({ period: may });
  });

  it("does not exist before all of the time, nor before the first day of the data", () => {
    expect(comparedPeriod("previous", null, EXTENT)).toEqual({ problem: "needsPeriod" });
    expect(comparedPeriod("year", { from: "2024-06-30", to: "2024-07-31" }, EXTENT)).toEqual({ problem: "beforeData" });
    expect(comparedPeriod("year", { from: "2024-07-01", to: "2024-07-31" }, EXTENT)).toHaveProperty("period");
  });
});

const integers = (minimum: number) => ({ anyOf: [{ items: { type: "integer", minimum }, type: "array" }, { type: "null" }], default: null });
const instant = { anyOf: [{ format: "date-time", type: "string" }, { type: "null" }], default: null };
const FIELDS = formFields(
  {
    properties: {
      categories: { anyOf: [{ items: { type: "string", enum: ["theft", "noise"] }, type: "array" }, { type: "null" }], default: null },
      origins: { items: { type: "string", enum: ["public_report", "patrol", "import"] }, type: "array", default: ["public_report", "import"] },
      occurred_from: instant,
      occurred_before: instant,
      weekdays: integers(1),
      hours: integers(0),
      compare_from: instant,
      compare_before: instant,
      lattice_m: { type: "number", default: 300, exclusiveMinimum: 0 },
      steps_m: { items: { type: "number" }, type: "array", default: [100, 200] },
      exact: { type: "boolean", default: true },
    },
  },
  "en",
);
const DAYS: Days = { first: null, second: null, extent: EXTENT, timeZone: "Asia/Shanghai" };

describe("from the question to the parameters", () => {
  it("says nothing of what is not chosen", () => {
    expect(inputsOf(FIELDS, USUAL, DAYS)).toEqual({
      inputs: { origins: ["public_report", "import"], lattice_m: 300, steps_m: [100, 200], exact: true },
      problems: {},
    });
  });

  it("gives days as the city's whole days, and the clock as the server counts", () => {
    const asked = { ...USUAL, categories: ["theft"], clock: { days: [0, 6], hours: [22, 23] } };
    const first = { from: "2025-05-01", to: "2025-05-31" };
    expect(inputsOf(FIELDS, asked, { ...DAYS, first }).inputs).toMatchObject({
      categories: ["theft"],
      weekdays: [1, 7],
      hours: [22, 23],
      occurred_from: "2025-04-30T16:00:00.000Z",
      occurred_before: "2025-05-31T16:00:00.000Z",
    });
  });

  it("compares only where there is something to compare with", () => {
    const second = { from: "2024-05-01", to: "2024-05-31" };
    expect(inputsOf(FIELDS, USUAL, { ...DAYS, second }).inputs).toMatchObject({
      compare_from: "2024-04-30T16:00:00.000Z",
      compare_before: "2024-05-31T16:00:00.000Z",
    });
  });

  it("leaves away what a service does not have, and gives the whole time where it must have one", () => {
    const few = formFields({ properties: { occurred_from: { format: "date-time", type: "string" }, lattice_m: { type: "number" } }, required: ["occurred_from"] }, "en");
    expect(inputsOf(few, { ...USUAL, categories: ["theft"], clock: { days: [1], hours: null } }, DAYS).inputs).toEqual({
      occurred_from: "2023-06-30T16:00:00.000Z",
    });
  });

  it("holds the settings of the method, and says which of them are wrong", () => {
    const settings = { lattice_m: "250", origins: "patrol", exact: "false", steps_m: "50, 75" };
    expect(inputsOf(FIELDS, { ...USUAL, settings }, DAYS).inputs).toEqual({
      lattice_m: 250,
      origins: ["patrol"],
      exact: false,
      steps_m: [50, 75],
    });
    expect(inputsOf(FIELDS, { ...USUAL, settings: { lattice_m: "-1" } }, DAYS).problems).toEqual({
      lattice_m: { word: "above", limit: 0 },
    });
  });
});

describe("the form of a method", () => {
  const form = ownFields(FIELDS);

  it("has only what the workspace does not control itself", () => {
    expect(form.map(({ name }) => name)).toEqual(["origins", "lattice_m", "steps_m", "exact"]);
  });

  it("remembers in the address what differs from the usual, and nothing else", () => {
    const settings = { lattice_m: "250", origins: "patrol|import", exact: "false" };
    expect(settingsOf(form, valuesOf(form, settings))).toEqual(settings);
    expect(settingsOf(form, { lattice_m: "300", origins: ["public_report", "import"], exact: true, gone: "x" })).toEqual({});
    expect(valuesOf(form, { gone: "1" })).toEqual({});
  });
});

describe("any time", () => {
  it("asks for no day and no hour", () => {
    expect(inputsOf(FIELDS, { ...USUAL, clock: ANY_TIME }, DAYS).inputs).not.toHaveProperty("hours");
  });
});

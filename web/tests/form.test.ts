import { describe, expect, it } from "vitest";
import type { JsonSchema } from "../src/api";
import { collect, formFields, type Field } from "../src/form/model";

/** As pydantic writes it: references, unions with null, titles after the names. */
const SCHEMA: JsonSchema = {
  $defs: { Kind: { enum: ["lattice", "grids"], title: "Kind", type: "string" } },
  properties: {
    lattice_m: { default: 300, description: "Side of a cell.", exclusiveMinimum: 0, maximum: 5000, title: "Lattice M", type: "number" },
    reach_m: { anyOf: [{ minimum: 50, type: "number" }, { type: "null" }], default: null, title: "Reach M" },
    permutations_count: { default: 999, minimum: 99, title: "Permutations Count", type: "integer" },
    unit: { $ref: "#/$defs/Kind", default: "lattice" },
    side: { anyOf: [{ const: "hot", type: "string" }, { type: "null" }], default: null },
    include_patrol: { default: false, title: "Include Patrol", type: "boolean" },
    categories: { default: [], items: { enum: ["theft", "noise"], type: "string" }, title: "Categories", type: "array" },
    codes: { default: ["a", "b"], items: { type: "string" }, title: "Codes", type: "array" },
    since: { anyOf: [{ format: "date-time", type: "string" }, { type: "null" }], default: null, title: "Since" },
    on: { format: "date", type: "string", title: "On" },
    label: { title: "What to call it", type: "string" },
    bands_m: { default: [100, 200], items: { type: "number" }, title: "Bands M", type: "array" },
    shape: { anyOf: [{ type: "string" }, { type: "number" }], default: "x" },
  },
  required: ["on", "label"],
};

const ZONE = "Asia/Shanghai";
const fields = formFields(SCHEMA, "en");
const field = (name: string): Field => fields.find((one) => one.name === name)!;

describe("fields of a schema", () => {
  it("come in the schema's order, each with its kind", () => {
    expect(fields.map(({ name, kind }) => [name, kind])).toEqual([
      ["lattice_m", "number"],
      ["reach_m", "number"],
      ["permutations_count", "integer"],
      ["unit", "choice"],
      ["side", "choice"],
      ["include_patrol", "boolean"],
      ["categories", "choices"],
      ["codes", "list"],
      ["since", "instant"],
      ["on", "date"],
      ["label", "text"],
      ["bands_m", "numbers"],
      ["shape", "json"],
    ]);
  });

  it("say their unit beside the number instead of in the name", () => {
    expect(field("lattice_m")).toMatchObject({ title: "Lattice", unit: "m", initial: "300", description: "Side of a cell." });
    expect(field("permutations_count")).toMatchObject({ unit: null, title: "Permutations count" });
    expect(field("label")).toMatchObject({ title: "What to call it", unit: null });
  });

  it("know what may be left empty", () => {
    expect(field("reach_m")).toMatchObject({ nullable: true, minimum: 50, initial: "" });
    expect(field("on")).toMatchObject({ nullable: false, required: true });
  });

  it("follow references and single values to their options", () => {
    expect(field("unit")).toMatchObject({ initial: "lattice", options: [{ value: "lattice" }, { value: "grids" }] });
    expect(field("side").options.map(({ value }) => value)).toEqual(["hot"]);
    expect(field("categories").options.map(({ value }) => value)).toEqual(["theft", "noise"]);
  });

  it("speak the reader's language where the schema does", () => {
    const property = {
      type: "string",
      enum: ["lattice"],
      title: "Unit Kind",
      description: "Help",
      "wangge:title": { zh: "单元", en: "Unit" },
      "wangge:description": { zh: "说明", en: "Help" },
      "wangge:advanced": true,
      "wangge:labels": { lattice: { zh: "方格", en: "Square cells" } },
    };
    const [zh] = formFields({ properties: { unit: property } }, "zh");
    expect(zh).toMatchObject({ title: "单元", description: "说明", advanced: true, options: [{ label: "方格" }] });
  });
});

describe("inputs from what was filled in", () => {
  const filled = { on: "2025-01-01", label: "x" };

  it("give the defaults when nothing was touched, and null where nothing was set", () => {
    expect(collect(fields, filled, ZONE)).toEqual({
      inputs: {
        lattice_m: 300,
        reach_m: null,
        permutations_count: 999,
        unit: "lattice",
        side: null,
        include_patrol: false,
        categories: [],
        codes: ["a", "b"],
        since: null,
        on: "2025-01-01",
        label: "x",
        bands_m: [100, 200],
        shape: "x",
      },
      problems: {},
    });
  });

  it("have the types of the schema", () => {
    const { inputs } = collect(fields, {
      ...filled,
      lattice_m: "2.5e2",
      categories: ["noise"],
      codes: " one \n\n two ",
      since: "2025-01-01T08:00:00Z",
      bands_m: "50、 75.5",
      shape: "[1, 2]",
    }, ZONE);
    expect(inputs).toMatchObject({
      lattice_m: 250,
      categories: ["noise"],
      codes: ["one", "two"],
      since: "2025-01-01T08:00:00Z",
      bands_m: [50, 75.5],
      shape: [1, 2],
    });
  });

  it("take a time without a zone by the city's clock", () => {
    expect(collect(fields, { ...filled, since: "2025-01-01T08:00" }, ZONE).inputs.since).toBe("2025-01-01T00:00:00.000Z");
  });

  it.each([
    [{ lattice_m: "0" }, "lattice_m", "above"],
    [{ lattice_m: "5001" }, "lattice_m", "tooLarge"],
    [{ lattice_m: "wide" }, "lattice_m", "badNumber"],
    [{ reach_m: "49" }, "reach_m", "tooSmall"],
    [{ permutations_count: "99.5" }, "permutations_count", "badInteger"],
    [{ label: "" }, "label", "isRequired"],
    [{ bands_m: "50, x" }, "bands_m", "badNumber"],
    [{ shape: "{" }, "shape", "badJson"],
  ])("are refused with the reason: %o", (values, name, word) => {
    const { inputs, problems } = collect(fields, { ...filled, ...values }, ZONE);
    expect(problems).toMatchObject({ [name]: { word } });
    expect(inputs).not.toHaveProperty(name);
  });
});

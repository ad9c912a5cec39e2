/** A form drawn from a JSON Schema. */

import { language, t } from "../state/store";
import { LayerPicker } from "./layer-picker";
import type { Field, FieldProblem, FieldValue, FieldValues } from "./model";
import { PlacePicker } from "./place-picker";

interface SchemaFormProps {
  /** Put before the ids, so that two forms may stand on one page. */
  prefix: string;
  fields: Field[];
  /** Read and written as a whole: a signal, or whatever else remembers. */
  values: { value: FieldValues };
  problems: Record<string, FieldProblem>;
}

/** More choices than this stand in a list that opens. */
const MOST_RADIOS = 4;
/** More of them fold away behind how many are chosen. */
const MOST_CHECKS = 6;

export function SchemaFields(props: SchemaFormProps) {
  const usual = props.fields.filter((field) => !field.advanced);
  const advanced = props.fields.filter((field) => field.advanced);
  return (
    <>
      <Fields {...props} fields={usual} />
      {advanced.length > 0 && (
        <details class="advanced" open={advanced.some((field) => field.name in props.problems) || undefined}>
          <summary>{t("advanced")}</summary>
          <Fields {...props} fields={advanced} />
        </details>
      )}
    </>
  );
}

function Fields({ prefix, fields, values, problems }: SchemaFormProps) {
  return (
    <div class="fields">
      {fields.map((field) => (
        <FieldRow
          key={field.name}
          id={`${prefix}-${field.name}`}
          field={field}
          value={values.value[field.name] ?? field.initial}
          problem={problems[field.name] ?? null}
          onChange={(value) => (values.value = { ...values.value, [field.name]: value })}
        />
      ))}
    </div>
  );
}

interface FieldRowProps {
  id: string;
  field: Field;
  value: FieldValue;
  problem: FieldProblem | null;
  onChange: (value: FieldValue) => void;
}

interface ControlProps extends FieldRowProps {
  describedBy: string | undefined;
}

function FieldRow(props: FieldRowProps) {
  const { id, field, problem } = props;
  const describedBy = [field.description && `${id}-help`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  const several = field.kind === "choices" || isRadio(field);
  const Group = several ? "fieldset" : "div";
  const control = <Control {...props} describedBy={describedBy} />;
  return (
    <Group class="field" data-field={field.name} aria-describedby={several ? describedBy : undefined}>
      {field.kind === "boolean" ? (
        <label class="check">
          {control}
          <span>{field.title}</span>
        </label>
      ) : (
        <>
          {several ? <legend>{label(field)}</legend> : <label for={id}>{label(field)}</label>}
          {control}
        </>
      )}
      {field.description && (
        <p class="hint" id={`${id}-help`}>
          {field.description}
        </p>
      )}
      {problem && (
        <p class="field-problem" id={`${id}-problem`}>
          {problemText(problem)}
        </p>
      )}
    </Group>
  );
}

function label(field: Field) {
  return (
    <>
      {field.title}
      {field.required && <span class="required"> · {t("required")}</span>}
    </>
  );
}

function Control(props: ControlProps) {
  const { id, field, value, problem, onChange, describedBy } = props;
  const common = { id, "aria-describedby": describedBy, "aria-invalid": problem !== null };
  const text = typeof value === "string" ? value : "";
  switch (field.kind) {
    case "boolean":
      return <input {...common} type="checkbox" checked={value === true} onChange={(e) => onChange(e.currentTarget.checked)} />;
    case "choices":
      return <Checks {...props} />;
    case "choice":
      return isRadio(field) ? <Radios {...props} /> : <Select {...props} />;
    case "list":
    case "json":
      return field.layer ? (
        <LayerPicker {...common} layer={field.layer} title={field.title} value={text} onChange={onChange} />
      ) : (
        <textarea
          {...common}
          rows={3}
          placeholder={field.kind === "list" ? t("oneALine") : undefined}
          value={text}
          onInput={(e) => onChange(e.currentTarget.value)}
        />
      );
    case "place":
      return <PlacePicker {...common} value={text} onChange={onChange} />;
    case "number":
    case "integer":
      return (
        <span class="with-unit">
          <input
            {...common}
            type="text"
            inputMode={field.kind === "integer" ? "numeric" : "decimal"}
            placeholder={field.nullable ? t("notSet") : undefined}
            value={text}
            onInput={(e) => onChange(e.currentTarget.value.trim())}
          />
          {field.unit && <span class="unit">{field.unit}</span>}
        </span>
      );
    case "instant":
    case "date":
      return (
        <input
          {...common}
          type={field.kind === "date" ? "date" : "datetime-local"}
          value={text}
          onInput={(e) => onChange(e.currentTarget.value)}
        />
      );
    case "numbers":
    case "text":
      return <input {...common} type="text" value={text} onInput={(e) => onChange(e.currentTarget.value)} />;
  }
}

function Radios({ id, field, value, onChange }: ControlProps) {
  const options = field.nullable ? [{ value: "", label: t("notSet") }, ...field.options] : field.options;
  return (
    <div class="radios">
      {options.map((option) => (
        <label class="pill" key={option.value}>
          <input type="radio" name={id} checked={value === option.value} onChange={() => onChange(option.value)} />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  );
}

function Checks(props: ControlProps) {
  const { field, value } = props;
  if (field.options.length <= MOST_CHECKS) return <CheckList {...props} />;
  const count = Array.isArray(value) ? value.length : 0;
  return (
    <details class="fold">
      <summary>{count === 0 ? t(field.nullable ? "all" : "noneChosen") : t("chosenCount", count)}</summary>
      <CheckList {...props} />
    </details>
  );
}

function CheckList({ field, value, onChange }: ControlProps) {
  const chosen = Array.isArray(value) ? value : [];
  const turn = (one: string) => onChange(chosen.includes(one) ? chosen.filter((v) => v !== one) : [...chosen, one]);
  return (
    <div class="radios">
      {field.options.map((option) => (
        <label class="pill" key={option.value}>
          <input type="checkbox" checked={chosen.includes(option.value)} onChange={() => turn(option.value)} />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  );
}

function Select({ id, field, value, problem, onChange, describedBy }: ControlProps) {
  return (
    <select
      id={id}
      aria-describedby={describedBy}
      aria-invalid={problem !== null}
      value={String(value)}
      onChange={(e) => onChange(e.currentTarget.value)}
    >
      {(field.nullable || field.initial === "") && <option value="">{t("notSet")}</option>}
      {field.options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

function isRadio(field: Field): boolean {
  return field.kind === "choice" && field.options.length <= MOST_RADIOS;
}

function problemText({ word, limit }: FieldProblem): string {
  const number = limit?.toLocaleString(language.value) ?? "";
  switch (word) {
    case "tooSmall":
    case "tooLarge":
    case "above":
    case "below":
      return t(word, number);
    case "badNumber":
    case "badInteger":
    case "badJson":
    case "isRequired":
      return t(word);
  }
}

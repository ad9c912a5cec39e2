/** The methods to choose from: a row of choices, on a phone a list that opens. */

import { useEffect, useRef } from "preact/hooks";
import { narrow } from "../state/layout";
import { language, t } from "../state/store";
import { methods } from "./methods";
import { askBy, question } from "./question";

export function MethodsBar() {
  const chosen = question.value.method;
  const known = methods.value.map(({ id, "wangge:titles": titles }) => ({ id, title: titles[language.value] }));
  return (
    <section class="methods-bar" aria-label={t("method")}>
      {narrow.value ? <Opening known={known} chosen={chosen} /> : <Row known={known} chosen={chosen} />}
    </section>
  );
}

interface ChoiceProps {
  known: { id: string; title: string }[];
  chosen: string;
}

function Opening({ known, chosen }: ChoiceProps) {
  return (
    <label class="methods">
      <span>{t("method")}</span>
      <select value={chosen} onChange={(e) => askBy(e.currentTarget.value)}>
        {known.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

function Row({ known, chosen }: ChoiceProps) {
  const row = useRef<HTMLFieldSetElement>(null);
  useEffect(() => {
    row.current?.querySelector(".method:has(:checked)")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [chosen, known.length]);
  return (
    <fieldset class="methods" ref={row}>
      <legend>{t("method")}</legend>
      {known.map(({ id, title }) => (
        <label key={id} class="method">
          <input type="radio" name="method" value={id} checked={chosen === id} onChange={() => askBy(id)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}

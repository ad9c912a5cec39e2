/** The kinds of incidents as chips: all, or the chosen ones. A city with kinds of its own types them. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../api";
import { Icon } from "../panels/icons";
import { named } from "../panels/numbers";
import { language, report, t } from "../state/store";
import { fields, words } from "./methods";
import { ask, question } from "./question";
import { categoriesText } from "./subject";

/** From so many incidents the kinds of an open city are suggested. */
const SAMPLE = 500;

export function Categories() {
  const chosen = question.value.categories;
  const known = fields.value.find(({ name }) => name === "categories")?.options ?? [];
  return (
    <section class="ask" aria-labelledby="title-categories">
      <div class="ask-head">
        <h3 id="title-categories">{t("categories")}</h3>
        <span class="ask-now">{categoriesText(chosen, words.value, language.value)}</span>
      </div>
      {known.length > 0 ? <Chips known={known} chosen={chosen} /> : <OpenChips chosen={chosen ?? []} />}
    </section>
  );
}

function Chips({ known, chosen }: { known: { value: string; label: string }[]; chosen: string[] | null }) {
  return (
    <div class="chips" role="group" aria-labelledby="title-categories">
      <button type="button" class="chip" aria-pressed={chosen === null} onClick={() => ask({ categories: null })}>
        {t("clockAll")}
      </button>
      {known.map(({ value, label }) => (
        <button
          type="button"
          class="chip"
          key={value}
          aria-pressed={chosen?.includes(value) ?? false}
          onClick={() => ask({ categories: turned(chosen, value, known.length) })}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

/** With nothing chosen all count, so the first one chosen stands alone; all chosen one by one are all again. */
function turned(chosen: string[] | null, one: string, all: number): string[] | null {
  const next = chosen?.includes(one) ? chosen.filter((other) => other !== one) : [...(chosen ?? []), one];
  return next.length === 0 || next.length === all ? null : next;
}

function OpenChips({ chosen }: { chosen: string[] }) {
  const typed = useSignal("");
  const suggested = useSignal<string[]>([]);
  useEffect(() => {
    const request = new AbortController();
    api
      .items("incidents", { limit: SAMPLE }, request.signal)
      .then(({ features }) => {
        suggested.value = [...new Set(features.map(({ properties }) => String(properties.category)))].sort();
      })
      .catch((error: unknown) => report(error));
    return () => request.abort();
  }, []);
  const add = (event: Event) => {
    event.preventDefault();
    const one = typed.value.trim();
    if (one !== "" && !chosen.includes(one)) ask({ categories: [...chosen, one] });
    typed.value = "";
  };
  const take = (one: string) => {
    const left = chosen.filter((other) => other !== one);
    ask({ categories: left.length > 0 ? left : null });
  };
  return (
    <>
      {chosen.length > 0 && (
        <div class="chips" role="group" aria-labelledby="title-categories">
          {chosen.map((one) => (
            <button
              type="button"
              class="chip"
              key={one}
              aria-pressed="true"
              aria-label={t("removeNamed", named(one, words.value, language.value))}
              onClick={() => take(one)}
            >
              {named(one, words.value, language.value)}
              <Icon name="close" />
            </button>
          ))}
        </div>
      )}
      <form class="add" onSubmit={add}>
        <input
          type="text"
          list="known-categories"
          aria-label={t("addCategory")}
          placeholder={t("addCategory")}
          value={typed.value}
          onInput={(e) => (typed.value = e.currentTarget.value)}
        />
        <datalist id="known-categories">
          {suggested.value.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
        <button type="submit" class="button">
          {t("add")}
        </button>
      </form>
    </>
  );
}

/** The question: whom, by which means, from which posts, within how many minutes; and what if posts stood otherwise. */

import { useSignal } from "@preact/signals";
import { Icon } from "../panels/icons";
import { PanelTop } from "../hotspots/panel-top";
import { catalog, language, t } from "../state/store";
import { ask, DEMANDS, MODES, question, readRings } from "./question";
import { WhatIf } from "./what-if";

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const USUAL_RINGS = "1, 3, 5";

export function QuestionPanel() {
  return (
    <section class="panel question" id="panel-question" aria-labelledby="title-question">
      <PanelTop panel="question" title={t("question")} />
      <div class="panel-body">
        <Whom />
        <How />
        <Rings key={String(question.value.rings)} />
        <Kinds />
        <WhatIf />
      </div>
    </section>
  );
}

function Whom() {
  return (
    <section class="ask" aria-labelledby="title-whom">
      <div class="ask-head">
        <h3 id="title-whom">{t("whom")}</h3>
      </div>
      <div class="segments whom" role="group" aria-labelledby="title-whom">
        {DEMANDS.map((demand) => (
          <button type="button" key={demand} aria-pressed={question.value.demand === demand} onClick={() => ask({ demand })}>
            {t(`demand_${demand}`)}
          </button>
        ))}
      </div>
    </section>
  );
}

function How() {
  const { mode, hour } = question.value;
  return (
    <section class="ask" aria-labelledby="title-how">
      <div class="ask-head">
        <h3 id="title-how">{t("how")}</h3>
      </div>
      <div class="ask-row">
        <div class="segments" role="group" aria-labelledby="title-how">
          {MODES.map((one) => (
            <button type="button" key={one} aria-pressed={mode === one} onClick={() => ask({ mode: one })}>
              {t(`mode_${one}`)}
            </button>
          ))}
        </div>
        <label class="ask-inline">
          <span>{t("hourOfDay")}</span>
          <select value={hour ?? ""} onChange={({ currentTarget: { value } }) => ask({ hour: value === "" ? null : Number(value) })}>
            <option value="">{t("freeFlow")}</option>
            {HOURS.map((one) => (
              <option key={one} value={one}>{`${one}:00`}</option>
            ))}
          </select>
        </label>
      </div>
    </section>
  );
}

function Rings() {
  const { rings } = question.value;
  const bad = useSignal(false);
  const take = (text: string) => {
    const read = text.trim() === "" ? null : readRings(text);
    bad.value = text.trim() !== "" && read === null;
    if (!bad.value) ask({ rings: read });
  };
  return (
    <section class="ask">
      <div class="ask-head">
        <h3>
          <label for="rings">{t("ringsLabel")}</label>
        </h3>
      </div>
      <div class="ask-row">
        <input
          id="rings"
          class="ask-text"
          inputMode="decimal"
          value={rings ? rings.join(", ") : ""}
          placeholder={USUAL_RINGS}
          aria-describedby="rings-hint"
          aria-invalid={bad.value}
          onChange={({ currentTarget }) => take(currentTarget.value)}
        />
        {rings && (
          <button type="button" class="button" onClick={() => ask({ rings: null })}>
            {t("ringsUsual")}
          </button>
        )}
      </div>
      <p class="hint" id="rings-hint" role={bad.value ? "alert" : undefined}>
        {t(bad.value ? "ringsBad" : "ringsHint")}
      </p>
    </section>
  );
}

/** The kinds of posts there are, by the layer that draws them. */
function Kinds() {
  const row = catalog.value.find(({ id }) => id === "posts")?.popup.find(({ field }) => field === "kind");
  const codes = Object.entries(row?.codes ?? {});
  if (codes.length < 2) return null;
  const chosen = question.value.kinds;
  const toggle = (code: string) => {
    const now = chosen ?? codes.map(([one]) => one);
    const next = now.includes(code) ? now.filter((one) => one !== code) : [...now, code];
    ask({ kinds: next.length === 0 || next.length === codes.length ? null : next });
  };
  return (
    <section class="ask" aria-labelledby="title-kinds">
      <div class="ask-head">
        <h3 id="title-kinds">{t("fromPosts")}</h3>
        <span class="ask-now">{chosen ? "" : t("allKinds")}</span>
      </div>
      <div class="kinds" role="group" aria-labelledby="title-kinds">
        {codes.map(([code, title]) => (
          <button type="button" class="kind" key={code} aria-pressed={!chosen || chosen.includes(code)} onClick={() => toggle(code)}>
            {(!chosen || chosen.includes(code)) && <Icon name="check" />}
            {title[language.value]}
          </button>
        ))}
      </div>
    </section>
  );
}

/** What the method shows and what it does not, and on what its answer rests. */

import { formatInstant } from "../format";
import { named } from "../panels/numbers";
import { NumbersTable } from "../panels/numbers-table";
import { language, reader, t, timeZone } from "../state/store";
import { main } from "./answer";
import { factsOf, leftOutCount } from "./facts";
import { method, words } from "./methods";

export function MethodCard() {
  const shown = method.value;
  const answer = main.answer.value;
  if (!shown) return null;
  const of = answer?.service === shown.id ? answer.run.provenance : null;
  return (
    <section class="method-card" aria-label={t("cardMore")}>
      <p class="card-text">{shown["wangge:card"][language.value]}</p>
      {of && (
        <dl class="facts">
          {factsOf(of, words.value, language.value, timeZone.value).map(({ name, label, text }) => (
            <div key={name}>
              <dt>{label}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      )}
      {of && (
        <details class="account">
          <summary>{t("leftOutCount", leftOutCount(of))}</summary>
          <ul>
            {of.left_out.map(({ frame, reason, count }) => (
              <li key={`${frame} ${reason}`}>{t("leftOutRow", count, named(reason, words.value, language.value))}</li>
            ))}
            {of.left_out.length === 0 && <li>{t("nothingLeftOut")}</li>}
          </ul>
          {of.period && (
            <p class="hint">
              {t("dataPeriod")} {t("range", formatInstant(of.period[0], reader.value), formatInstant(of.period[1], reader.value))}
            </p>
          )}
          <NumbersTable caption={t("choices")} values={of.choices} words={words.value} />
          <NumbersTable caption={t("parameters")} values={of.parameters} words={words.value} />
        </details>
      )}
    </section>
  );
}

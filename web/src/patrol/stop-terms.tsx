/** What one stop asks for of its own: how long, how often, at what time of day, and by whom. */

import { t } from "../state/store";
import { changeTerms, DWELL, isClock, MOST_VISITS, NO_TERMS, question, type AskedStop, type StopTerms } from "./question";
import { KindOptions } from "./unit-kinds";

interface TermsProps {
  stop: AskedStop;
  stops: readonly AskedStop[];
  name: string;
}

export function StopTermsLine({ stop, stops, name }: TermsProps) {
  const { dwell, visits, from, to, kinds } = stop.terms ?? NO_TERMS;
  const change = (next: Partial<StopTerms>) => changeTerms(stops, stop.code, next);
  return (
    <div class="stop-terms" role="group" aria-label={t("patrolTermsOf", name)}>
      <Count
        title={t("patrolTermsStay")}
        value={dwell ?? question.value.dwell}
        least={DWELL.least}
        most={DWELL.most}
        onChange={(n) => change({ dwell: n === question.value.dwell ? null : n })}
      />
      <Count title={t("patrolTermsVisits")} value={visits} least={1} most={MOST_VISITS} onChange={(n) => change({ visits: n })} />
      <Clock title={t("patrolTermsFrom")} value={from} onChange={(clock) => change({ from: clock })} />
      <Clock title={t("patrolTermsTo")} value={to} onChange={(clock) => change({ to: clock })} />
      <label class="ask-inline stop-terms-kinds">
        <span>{t("patrolTermsKinds")}</span>
        <select value={kinds.join("+")} onChange={({ currentTarget: { value } }) => change({ kinds: value === "" ? [] : value.split("+") })}>
          <option value="">{t("patrolTermsAnyKind")}</option>
          <KindOptions now={kinds} />
        </select>
      </label>
    </div>
  );
}

interface CountProps {
  title: string;
  value: number;
  least: number;
  most: number;
  onChange: (n: number) => void;
}

function Count({ title, value, least, most, onChange }: CountProps) {
  const take = (n: number) => Number.isFinite(n) && onChange(Math.min(Math.max(Math.round(n), least), most));
  return (
    <label class="ask-inline">
      <span>{title}</span>
      <input type="number" min={least} max={most} value={value} onChange={({ currentTarget }) => take(currentTarget.valueAsNumber)} />
    </label>
  );
}

function Clock({ title, value, onChange }: { title: string; value: string | null; onChange: (clock: string | null) => void }) {
  return (
    <label class="ask-inline">
      <span>{title}</span>
      <input type="time" value={value ?? ""} onChange={({ currentTarget: { value: clock } }) => onChange(isClock(clock) ? clock : null)} />
    </label>
  );
}

/** Who goes: units with a label, a kind, a post to start from and a shift of their own. */

import { useSignal } from "@preact/signals";
import { plain } from "../map/pane";
import { Icon } from "../panels/icons";
import { placing } from "../state/picking";
import { t } from "../state/store";
import { colourOf } from "./answer";
import { postAt, postName, posts, proposedUnits } from "./posts";
import { ask, changeUnit, freeLabel, isClock, MINUTES, MOST_UNITS, question, rounded, type AskedUnit } from "./question";
import { KindOptions } from "./unit-kinds";

export function UnitsPanel() {
  const { units } = question.value;
  return (
    <section class="ask" aria-labelledby="title-units">
      <div class="ask-head">
        <h3 id="title-units">{t("patrolUnits")}</h3>
        <span class="ask-now">{t(units ? "patrolUnitsOwn" : "patrolUnitsProposed")}</span>
      </div>
      {units ? <OwnUnits units={units} /> : <Proposed />}
    </section>
  );
}

/** The units that are asked for now, proposed or one's own. */
export function unitsNow(): readonly AskedUnit[] {
  return question.value.units ?? proposedUnits(posts.value, question.value.unitsCount) ?? [];
}

function Proposed() {
  const { unitsCount } = question.value;
  return (
    <>
      <div class="ask-row">
        <label class="ask-inline">
          <span>{t("patrolUnitsCount")}</span>
          <input
            type="number"
            min={1}
            max={MOST_UNITS}
            value={unitsCount}
            onChange={({ currentTarget: { valueAsNumber: n } }) => ask({ unitsCount: Math.min(Math.max(Math.round(n) || 1, 1), MOST_UNITS) })}
          />
        </label>
        <button type="button" class="button" disabled={posts.value.length === 0} onClick={() => ask({ units: unitsNow() })}>
          {t("patrolUnitEdit")}
        </button>
      </div>
      <ul class="unit-chips">
        {unitsNow().map(({ label, at }) => {
          const post = postAt(at);
          return (
            <li key={label}>
              <i style={{ background: colourOf(label) }} aria-hidden="true" />
              {label} · {post && postName(post)}
            </li>
          );
        })}
      </ul>
    </>
  );
}

function OwnUnits({ units }: { units: readonly AskedUnit[] }) {
  const add = () => {
    const last = units[units.length - 1];
    if (last) ask({ units: [...units, { ...last, label: freeLabel(units) }] });
  };
  return (
    <>
      <ul class="units">
        {units.map((unit, at) => (
          <UnitRow key={at} unit={unit} at={at} units={units} />
        ))}
      </ul>
      <div class="ask-row">
        <button type="button" class="button with-icon" disabled={units.length >= MOST_UNITS} onClick={add}>
          <Icon name="plus" />
          {t("patrolUnitAdd")}
        </button>
        <button type="button" class="button" onClick={() => ask({ units: null, unitsCount: Math.min(units.length, MOST_UNITS) })}>
          {t("patrolBackToProposal")}
        </button>
      </div>
    </>
  );
}

interface UnitRowProps {
  unit: AskedUnit;
  at: number;
  units: readonly AskedUnit[];
}

function UnitRow({ unit, at, units }: UnitRowProps) {
  const taken = useSignal(false);
  const name = t("patrolUnitName", unit.label);
  const change = (next: Partial<AskedUnit>) => changeUnit(units, at, next);
  const relabel = (text: string) => {
    const label = text.trim().slice(0, 60);
    taken.value = label !== unit.label && (label === "" || units.some((other) => other.label === label));
    if (!taken.value && label !== unit.label) change({ label });
  };
  return (
    <li class="unit" aria-label={name}>
      <div class="unit-line">
        <i style={{ background: colourOf(unit.label) }} aria-hidden="true" />
        <input
          type="text"
          class="unit-label"
          maxLength={60}
          value={unit.label}
          aria-label={`${name}: ${t("patrolLabel")}`}
          aria-invalid={taken.value}
          onChange={({ currentTarget }) => relabel(currentTarget.value)}
        />
        <KindSelect unit={unit} name={name} onChange={(kinds) => change({ kinds })} />
        <button
          type="button"
          class="icon-button"
          disabled={units.length < 2}
          aria-label={t("patrolUnitRemove", unit.label)}
          title={t("patrolUnitRemove", unit.label)}
          onClick={() => ask({ units: units.filter((_, i) => i !== at) })}
        >
          <Icon name="close" />
        </button>
      </div>
      {taken.value && (
        <p class="hint" role="alert">
          {t("patrolLabelTaken")}
        </p>
      )}
      <div class="unit-line">
        <PostSelect unit={unit} name={name} onChange={(place) => change({ at: place })} />
        {!plain.value && <PointAt label={unit.label} onPoint={(place) => change({ at: place })} />}
      </div>
      <div class="unit-line">
        <label class="ask-inline">
          <span>{t("patrolStart")}</span>
          <input
            type="time"
            value={unit.start ?? question.value.start}
            onChange={({ currentTarget: { value } }) => isClock(value) && change({ start: value === question.value.start ? null : value })}
          />
        </label>
        <label class="ask-inline">
          <span>{t("patrolLong")}</span>
          <MinutesInput value={unit.minutes ?? question.value.minutes} onChange={(n) => change({ minutes: n === question.value.minutes ? null : n })} />
        </label>
      </div>
    </li>
  );
}

export function MinutesInput({ value, onChange }: { value: number; onChange: (minutes: number) => void }) {
  const take = (n: number) => Number.isFinite(n) && onChange(Math.min(Math.max(Math.round(n), MINUTES.least), MINUTES.most));
  return (
    <input
      type="number"
      min={MINUTES.least}
      max={MINUTES.most}
      step={15}
      value={value}
      onChange={({ currentTarget }) => take(currentTarget.valueAsNumber)}
    />
  );
}

function KindSelect({ unit, name, onChange }: { unit: AskedUnit; name: string; onChange: (kinds: string[]) => void }) {
  return (
    <select
      value={unit.kinds.join("+")}
      aria-label={`${name}: ${t("patrolKind")}`}
      onChange={({ currentTarget }) => onChange(currentTarget.value.split("+"))}
    >
      <KindOptions now={unit.kinds} />
    </select>
  );
}

function PostSelect({ unit, name, onChange }: { unit: AskedUnit; name: string; onChange: (place: AskedUnit["at"]) => void }) {
  const here = postAt(unit.at);
  const take = (id: string) => {
    const post = posts.value.find(({ feature }) => String(feature.id) === id);
    if (post) onChange(post.at);
  };
  return (
    <select
      class="unit-post"
      value={here ? String(here.feature.id) : ""}
      aria-label={`${name}: ${t("patrolFrom")}`}
      onChange={({ currentTarget }) => take(currentTarget.value)}
    >
      {!here && <option value="">{t("patrolFromPlace")}</option>}
      {posts.value.map((post) => (
        <option key={post.feature.id} value={String(post.feature.id)}>
          {postName(post)}
        </option>
      ))}
    </select>
  );
}

function PointAt({ label, onPoint }: { label: string; onPoint: (place: AskedUnit["at"]) => void }) {
  const point = () => {
    placing.value = (at) => {
      placing.value = null;
      onPoint(rounded(at));
    };
    document.querySelector<HTMLElement>("#map canvas")?.focus();
  };
  const text = t("patrolFromPoint", label);
  return (
    <button type="button" class="icon-button" aria-label={text} title={text} onClick={point}>
      <Icon name="target" />
    </button>
  );
}


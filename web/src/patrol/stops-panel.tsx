/** Where to: the proposal, or stops of one's own picked from the hotspots and on the map. */

import { useSignal } from "@preact/signals";
import * as api from "../api";
import type { Feature } from "../api";
import { boundsOf, middleOf } from "../map/geometry";
import { plain } from "../map/pane";
import { handle } from "../map/handle";
import { Icon } from "../panels/icons";
import { placing } from "../state/picking";
import { announce, report, t } from "../state/store";
import { routes, summary } from "./answer";
import { stopsOf } from "./plan";
import { ask, CHECKPOINT_USES, freeCode, MOST_STOPS, question, removeStop, rounded, type AskedStop, type Place } from "./question";
import { stopName } from "./said";
import { StopTermsLine } from "./stop-terms";

const CLOSE_ZOOM = 15;
const MOST_LISTED = 60;
const HOT = { significance: "hot_99,hot_95,hot_90" };

export function StopsPanel() {
  const { stops, hotspots, checkpoints } = question.value;
  return (
    <section class="ask" aria-labelledby="title-stops">
      <div class="ask-head">
        <h3 id="title-stops">{t("patrolStops")}</h3>
      </div>
      <div class="segments" role="group" aria-label={t("patrolStopsFrom")}>
        <button type="button" aria-pressed={stops === null} onClick={() => ask({ stops: null })}>
          {t("patrolStopsProposed")}
        </button>
        <button type="button" aria-pressed={stops !== null} disabled={stops === null && proposal().length === 0} onClick={() => stops ?? ask({ stops: proposal() })}>
          {t("patrolStopsOwn")}
        </button>
      </div>
      <div class="ask-row stops-row">
        {stops === null && (
          <label class="ask-inline">
            <span>{t("patrolMost")}</span>
            <input
              type="number"
              min={1}
              max={MOST_STOPS}
              value={hotspots}
              onChange={({ currentTarget: { valueAsNumber: n } }) => ask({ hotspots: Math.min(Math.max(Math.round(n) || 1, 1), MOST_STOPS) })}
            />
          </label>
        )}
        <label class="ask-inline">
          <span>{t("patrolCheckpoints")}</span>
          <select
            value={checkpoints}
            onChange={({ currentTarget: { value } }) => ask({ checkpoints: CHECKPOINT_USES.find((one) => one === value) ?? "must" })}
          >
            {CHECKPOINT_USES.map((one) => (
              <option key={one} value={one}>
                {t(`patrolCheckpoints_${one}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {!plain.value && <PointButton />}
      <StopList stops={stops ?? proposal()} />
      <HotspotPicker />
    </section>
  );
}

/** The stops of the answer, as one would ask for them. */
function proposal(): AskedStop[] {
  return stopsOf(routes.value, summary.value?.unserved ?? []);
}

function addStop(at: Place, code: string | null, weight: number): void {
  const stops = question.value.stops ?? proposal();
  if (stops.length >= MOST_STOPS) return;
  ask({ stops: [...stops, { code: code ?? freeCode(stops), at: rounded(at), weight, must: code === null }] });
  announce(t("patrolStopAdded"));
}

/** What a stop is worth that nobody counted anything at: as much as the middle one. */
function usualWeight(): number {
  const weights = (question.value.stops ?? proposal()).map(({ weight }) => weight).sort((a, b) => a - b);
  return weights[Math.floor(weights.length / 2)] ?? 1;
}

function PointButton() {
  const pointing = placing.value !== null;
  const point = () => {
    placing.value = (at) => {
      placing.value = null;
      addStop(at, null, usualWeight());
    };
    document.querySelector<HTMLElement>("#map canvas")?.focus();
  };
  return (
    <>
      <button type="button" class="button with-icon" aria-pressed={pointing} onClick={() => (pointing ? (placing.value = null) : point())}>
        <Icon name={pointing ? "close" : "plus"} />
        {t(pointing ? "stopPointing" : "patrolStopAdd")}
      </button>
      {pointing && (
        <p class="hint" role="status">
          {t("patrolPointing")}
        </p>
      )}
    </>
  );
}

function StopList({ stops }: { stops: readonly AskedStop[] }) {
  if (stops.length === 0) return null;
  return (
    <details class="how stop-list" open={question.value.stops !== null}>
      <summary>{t("patrolStopsCount", stops.length)}</summary>
      <ul>
        {stops.map((stop) => (
          <StopRow key={stop.code} stop={stop} stops={stops} />
        ))}
      </ul>
    </details>
  );
}

function StopRow({ stop, stops }: { stop: AskedStop; stops: readonly AskedStop[] }) {
  const isOpen = useSignal(stop.terms !== undefined);
  const name = stopName(stop);
  const [lon, lat] = stop.at;
  const toggle = () => ask({ stops: stops.map((one) => (one.code === stop.code ? { ...one, must: !one.must } : one)) });
  return (
    <li>
      <button type="button" class="stop-name" title={t("showIt")} onClick={() => handle.value?.fit([lon, lat, lon, lat], CLOSE_ZOOM)}>
        {name} <span class="hint">{t("patrolWeight", stop.weight)}</span>
      </button>
      <button type="button" class="chip" aria-pressed={stop.must} aria-label={t("patrolMustOf", name)} onClick={toggle}>
        {t("patrolMust")}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-expanded={isOpen.value}
        aria-label={t("patrolTermsOf", name)}
        title={t("patrolTermsOf", name)}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        <Icon name="time" />
      </button>
      <button
        type="button"
        class="icon-button"
        disabled={stops.length < 2}
        aria-label={t("patrolStopRemove", name)}
        title={t("patrolStopRemove", name)}
        onClick={() => removeStop(stops, stop.code)}
      >
        <Icon name="close" />
      </button>
      {isOpen.value && <StopTermsLine stop={stop} stops={stops} name={name} />}
    </li>
  );
}

/** The hot places of the latest run of the service of hotspots, fetched when somebody looks. */
function HotspotPicker() {
  const found = useSignal<Feature[] | null>(null);
  const load = async () => {
    if (found.value) return;
    try {
      const { runs } = await api.runs("hotspots");
      const [latest] = runs;
      if (!latest) {
        found.value = [];
        return;
      }
      const query = { run_id: latest.id, limit: MOST_LISTED, where: HOT };
      found.value = (await api.items("hotspots", query, new AbortController().signal)).features;
    } catch (error) {
      report(error);
    }
  };
  const taken = new Set((question.value.stops ?? proposal()).map(({ code }) => code));
  return (
    <details class="how stop-list" onToggle={({ currentTarget }) => currentTarget.open && void load()}>
      <summary>{t("patrolFromHotspots")}</summary>
      {found.value?.length === 0 && <p class="hint">{t("patrolNoHotspots")}</p>}
      <ul>
        {found.value?.map((feature) => (
          <HotspotRow key={feature.id} feature={feature} taken={taken} />
        ))}
      </ul>
    </details>
  );
}

function HotspotRow({ feature, taken }: { feature: Feature; taken: ReadonlySet<string> }) {
  const box = feature.geometry && boundsOf(feature.geometry);
  if (!box) return null;
  const code = `H-${String(feature.properties.code)}`;
  const name = stopName({ code, at: middleOf(box) });
  const weight = Number(feature.properties.incidents_count ?? 1);
  return (
    <li>
      <button type="button" class="stop-name" title={t("showIt")} onClick={() => handle.value?.fit(box, CLOSE_ZOOM)}>
        {name} <span class="hint">{t("patrolWeight", weight)}</span>
      </button>
      <button
        type="button"
        class="icon-button"
        disabled={taken.has(code)}
        aria-label={t("patrolHotspotAdd", name)}
        title={t("patrolHotspotAdd", name)}
        onClick={() => addStop(middleOf(box), code, weight)}
      >
        <Icon name={taken.has(code) ? "check" : "plus"} />
      </button>
    </li>
  );
}

/** Alternatives side by side: what each moves, how even it is, how long its borders are; one is looked at, one taken. */

import { useSignal } from "@preact/signals";
import { formatNumber } from "../format";
import { language, t } from "../state/store";
import { choices } from "./choices";
import {
  ask,
  askedAt,
  asking,
  cancelAsking,
  failure,
  forget,
  previewed,
  proposals,
  seed,
  takeAlternative,
  WAYS,
  ways,
  type Alternative,
  type Bounds,
  type Score,
  type Way,
} from "./proposal";
import { percent } from "./names";
import { ended, isEditable, isPlanners, opened } from "./session";
import { showBlocks } from "./show";
import { Sign } from "./signs";

const WAY_WORDS = {
  fewest_moves: { name: "wayFewest", hint: "wayFewestHint" },
  even: { name: "wayEven", hint: "wayEvenHint" },
  compact: { name: "wayCompact", hint: "wayCompactHint" },
  fresh: { name: "wayFresh", hint: "wayFreshHint" },
} as const satisfies Record<Way, { name: string; hint: string }>;

export function ProposalPanel() {
  return (
    <div class="panel-scroll">
      <p class="hint">{t("proposalHint")}</p>
      {!isPlanners.value && <p class="hint">{t("readOnly")}</p>}
      <Wishes />
      {asking.value && (
        <div class="job" role="status">
          <p class="job-title">
            {t("proposalRuns")} <span class="job-message">{wayOf(asking.value.message)}</span>
          </p>
          <progress max={1} value={asking.value.share} aria-label={t("progress")} />
          <button type="button" class="button" onClick={cancelAsking}>
            {t("cancel")}
          </button>
        </div>
      )}
      {failure.value && (
        <div class="job job-failed" role="alert">
          {failure.value}
        </div>
      )}
      {proposals.value && <Alternatives />}
    </div>
  );
}

/** The server tells its progress as `way: words`; which way it is at is enough, and has a name in both languages. */
function wayOf(message: string): string {
  const way = WAYS.find((one) => message.startsWith(one));
  return way ? t(WAY_WORDS[way].name) : "";
}

function Wishes() {
  const toggle = (way: Way) => {
    const kept = WAYS.filter((one) => (one === way ? !ways.value.includes(way) : ways.value.includes(one)));
    if (kept.length > 0) ways.value = kept;
  };
  return (
    <form
      class="wishes"
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      <fieldset>
        <legend>{t("alternatives")}</legend>
        {WAYS.map((way) => (
          <label key={way} class="check way">
            <input type="checkbox" checked={ways.value.includes(way)} onChange={() => toggle(way)} />
            <span>
              {t(WAY_WORDS[way].name)}
              <small>{t(WAY_WORDS[way].hint)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <div class="wishes-foot">
        <label class="seed" title={t("seedHint")}>
          {t("seed")}
          <input
            type="number"
            min={0}
            max={999_999}
            step={1}
            value={seed.value}
            onInput={(event) => (seed.value = Math.max(0, Math.round(Number(event.currentTarget.value))))}
          />
        </label>
        <button class="button primary" disabled={asking.value !== null || !isEditable.value}>
          {t("askProposal")}
        </button>
      </div>
    </form>
  );
}

const NUMBERS = [
  { of: "out_of_band_count", word: "numberOut", format: "count" },
  { of: "loose_pieces_count", word: "numberLoose", format: "count" },
  { of: "moved_households_count", word: "numberMoved", format: "count" },
  { of: "moved_households_share", word: "numberMovedShare", format: "share" },
  { of: "changed_grids_count", word: "numberChanged", format: "count" },
  { of: "worst_deviation_share", word: "numberWorst", format: "share" },
  { of: "load_cv_share", word: "numberSpread", format: "share" },
  { of: "cut_m", word: "numberCut", format: "km" },
  { of: "compactness", word: "numberCompact", format: "ratio" },
] as const satisfies readonly { of: keyof Score; word: string; format: string }[];

function Alternatives() {
  const { alternatives, before } = proposals.value!;
  const isOld = ended.value !== askedAt.value;
  return (
    <>
      <h3>{t("alternativesFound", alternatives.length)}</h3>
      {isOld && <p class="hint">{t("proposalsStale")}</p>}
      <div class="table-wide">
        <table class="alternatives">
          <thead>
            <tr>
              <td />
              <th scope="col">{t("draftItself")}</th>
              {alternatives.map(({ way, name }, at) => (
                <th scope="col" key={way} data-shown={previewed.value === at}>
                  {name[language.value]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {NUMBERS.map(({ of, word, format }) => (
              <tr key={of} data-number={of}>
                <th scope="row">{t(word)}</th>
                <td>{said(before[of], format)}</td>
                {alternatives.map((one, at) => (
                  <td key={at} data-shown={previewed.value === at} data-best={one[of] === best(alternatives, of)}>
                    {said(one[of], format)}
                  </td>
                ))}
              </tr>
            ))}
            <tr class="alternative-actions">
              <th scope="row">
                <span class="unseen">{t("columnActions")}</span>
              </th>
              <td />
              {alternatives.map((one, at) => (
                <td key={one.way} data-shown={previewed.value === at}>
                  <Actions one={one} at={at} />
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </div>
      <Remarks alternatives={alternatives} />
      <Limits bounds={alternatives[previewed.value ?? 0]?.bounds ?? null} />
      <button type="button" class="link" onClick={forget}>
        {t("forgetProposals")}
      </button>
    </>
  );
}

function Actions({ one: { name, moves, way }, at }: { one: Alternative; at: number }) {
  return (
    <>
      <button
        type="button"
        class="button"
        aria-pressed={previewed.value === at}
        aria-label={t("previewNamed", name[language.value])}
        title={t("previewNamed", name[language.value])}
        onClick={() => (previewed.value = previewed.value === at ? null : at)}
      >
        <Sign name="eye" />
      </button>
      <button
        type="button"
        class="button primary"
        data-way={way}
        aria-label={t("takeNamed", name[language.value])}
        disabled={!isEditable.value || Object.keys(moves).length === 0}
        onClick={() => void takeAlternative(at)}
      >
        {t("take")}
      </button>
    </>
  );
}

/** Alternatives for which there is no reason. */
function Remarks({ alternatives }: { alternatives: readonly Alternative[] }) {
  const remarks = alternatives.flatMap(({ name, improved, dominated_by }) => {
    if (!improved) return [t("notImproved", name[language.value])];
    const better = alternatives.find(({ way }) => way === dominated_by);
    return better ? [t("isDominated", name[language.value], better.name[language.value])] : [];
  });
  return (
    <>
      {remarks.map((remark) => (
        <p class="hint" key={remark}>
          {remark}
        </p>
      ))}
    </>
  );
}

/** The better end of a column: all of these are better when smaller, but compactness. */
function best(alternatives: readonly Alternative[], of: keyof Score): number | null {
  if (alternatives.length < 2) return null;
  const values = alternatives.map((one) => one[of]);
  return of === "compactness" ? Math.max(...values) : Math.min(...values);
}

function said(value: number, format: (typeof NUMBERS)[number]["format"]): string {
  if (format === "count") return formatNumber(value, language.value);
  if (format === "km") return t("kilometres", (value / 1000).toFixed(1));
  if (format === "ratio") return value.toFixed(3);
  return percent(value);
}

const SOME = 6;

/** What no plan could better, whoever draws it; and where balance is impossible, by name. */
function Limits({ bounds }: { bounds: Bounds | null }) {
  const all = useSignal(false);
  if (!bounds) return null;
  const { must_move_load, flow_load, islands } = bounds;
  const shown = all.value ? islands : islands.slice(0, SOME);
  const show = (codes: readonly string[]) => {
    const now = opened.peek();
    if (now) showBlocks(codes.flatMap((code) => now.blockAt.get(code) ?? []));
  };
  return (
    <section class="bounds">
      <h3>{t("bounds")}</h3>
      <dl class="rows">
        {must_move_load !== null && (
          <div>
            <dt>{t("boundMoved")}</dt>
            <dd>{t("atLeast", t("householdsCount", Math.round(must_move_load)))}</dd>
          </div>
        )}
        {flow_load !== null && (
          <div>
            <dt>{t("boundFlow")}</dt>
            <dd>{t("atLeast", t("householdsCount", Math.round(flow_load)))}</dd>
          </div>
        )}
      </dl>
      {islands.length > 0 && (
        <>
          <p class="hint">{t("islandsHint", islands.length)}</p>
          <ul class="islands">
            {shown.map(({ message, blocks }) => (
              <li key={message.en}>
                <button type="button" class="warning" onClick={() => show(blocks)} title={t("showSpot")}>
                  {message[language.value]}
                </button>
              </li>
            ))}
          </ul>
          {islands.length > shown.length && (
            <button type="button" class="link" onClick={() => (all.value = true)}>
              {t("showAll", islands.length)}
            </button>
          )}
        </>
      )}
    </section>
  );
}

/** On the map while an alternative is looked at, or the plan in force. */
export function ShownBanner() {
  const at = previewed.value;
  const one = at === null ? undefined : proposals.value?.alternatives[at];
  if (!opened.value) return null;
  if (one) {
    return (
      <div class="shown-banner" role="status">
        {t("previewOf", one.name[language.value])}
        <button type="button" class="button primary" disabled={!isEditable.value} onClick={() => void takeAlternative(at!)}>
          {t("take")}
        </button>
        <button type="button" class="button" onClick={() => (previewed.value = null)}>
          {t("backToDraft")}
        </button>
      </div>
    );
  }
  if (choices.value.shown !== "current") return null;
  return (
    <div class="shown-banner" role="status">
      {t("showingCurrent")}
    </div>
  );
}

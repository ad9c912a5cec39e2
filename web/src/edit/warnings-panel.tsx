/** What is wrong with the plan: at once what the page sees by itself, below it what the server found in the saved plan. */

import { useSignal } from "@preact/signals";
import { formatNumber } from "../format";
import { language, t } from "../state/store";
import { NONE } from "./board";
import { Attach, CheckRow } from "./check-row";
import { isChecking, problems } from "./checks";
import type { ServerProblem } from "./http";
import { gridName } from "./names";
import { opened, touched } from "./session";
import { showBlocks } from "./show";
import { KINDS, type Kind, type Warning } from "./warnings";

const KIND_WORDS = {
  loose: "warnLoose",
  split: "warnSplit",
  straddles: "warnStraddles",
  over: "warnOver",
  under: "warnUnder",
  empty: "warnEmpty",
} as const satisfies Record<Kind, string>;

/** So many of a kind are listed before the reader asks for more. */
const SOME = 12;

export function WarningsPanel() {
  touched.value;
  const warnings = opened.value?.warnings;
  return (
    <div class="panel-scroll">
      {warnings?.count() === 0 && <p class="all-well">{t("noWarnings")}</p>}
      {KINDS.map((kind) => {
        const some = warnings?.ofKind(kind) ?? [];
        return some.length > 0 && <KindList key={kind} kind={kind} warnings={some} />;
      })}
      <ServerChecks />
    </div>
  );
}

function KindList({ kind, warnings }: { kind: Kind; warnings: readonly Warning[] }) {
  const all = useSignal(false);
  const shown = all.value ? warnings : warnings.slice(0, SOME);
  return (
    <section class="warnings" data-kind={kind}>
      <h3>
        {t(KIND_WORDS[kind])} <span class="count">{warnings.length}</span>
      </h3>
      <ul>
        {shown.map((warning) => (
          <li key={warning.grid}>
            <WarningRow warning={warning} />
          </li>
        ))}
      </ul>
      {warnings.length > shown.length && (
        <button type="button" class="link" onClick={() => (all.value = true)}>
          {t("showAll", warnings.length)}
        </button>
      )}
    </section>
  );
}

function WarningRow({ warning }: { warning: Warning }) {
  const now = opened.value;
  if (!now) return null;
  const { grid, kind, blocks, count } = warning;
  const name = grid === NONE ? t("noGrid") : gridName(now.board.grids[grid]!, language.value);
  const load = () => t(now.board.countsHouseholds ? "householdsCount" : "loadCount", count);
  const said = {
    loose: () => t("blocksCount", count),
    split: () => t("piecesCount", count, blocks.length),
    straddles: () => t("communitiesCount", count),
    over: load,
    under: load,
    empty: () => t("noBlocks"),
  }[kind]();
  return (
    <div class="warning-row">
      <button
        type="button"
        class="warning"
        disabled={blocks.length === 0}
        onClick={() => showBlocks(blocks)}
        title={t("showSpot")}
      >
        <span>{name}</span>
        <small>{said}</small>
      </button>
      {kind === "split" && <Attach grid={grid} />}
    </div>
  );
}

/** Rules that the page itself watches with every stroke; the server's word on them would say the same once more. */
const WATCHED = new Set(["assigned", "contiguous", "one_community", "load_band"]);

function ServerChecks() {
  const found = problems.value?.filter(({ rule }) => !WATCHED.has(rule));
  if (!found) return isChecking.value ? <p class="hint">{t("checking")}</p> : null;
  const rules = [...new Set(found.map(({ rule }) => rule))];
  return (
    <section class="checks" aria-busy={isChecking.value}>
      <h3>{t("serverChecks")}</h3>
      {found.length === 0 && <p class="all-well">{t("checksPassed")}</p>}
      {rules.map((rule) => (
        <RuleList key={rule} found={found.filter((problem) => problem.rule === rule)} />
      ))}
    </section>
  );
}

function RuleList({ found }: { found: readonly ServerProblem[] }) {
  const all = useSignal(false);
  const shown = all.value ? found : found.slice(0, SOME);
  return (
    <div class="warnings" data-rule={found[0]!.rule}>
      <h4>
        {found[0]!.title[language.value]} <span class="count">{found.length}</span>
      </h4>
      <ul>
        {shown.map((problem) => (
          <li key={problem.message.en}>
            <CheckRow problem={problem} />
          </li>
        ))}
      </ul>
      {found.length > shown.length && (
        <button type="button" class="link" onClick={() => (all.value = true)}>
          {t("showAll", found.length)}
        </button>
      )}
    </div>
  );
}

/** The number that the tab shows. */
export function warningsCount(): string {
  touched.value;
  return formatNumber(opened.value?.warnings.count() ?? 0, "en");
}

/** The answer: how many are reached in time, what a change would do, and the lists behind it. */

import { exportPath } from "../api";
import { findingRow } from "../format";
import { rowOf } from "../hotspots/legend";
import { PanelTop } from "../hotspots/panel-top";
import { Icon } from "../panels/icons";
import { FailedJob, OpenJob } from "../panels/job-state";
import { named } from "../panels/numbers";
import { mayExport } from "../state/account";
import { copyLink } from "../state/share";
import { language, t } from "../state/store";
import { Areas } from "./areas";
import { answerLayer, isOffered, main, SERVICE, summary, words, type Summary } from "./answer";
import { Gaps } from "./gaps";
import { PostsTable } from "./posts-table";
import { ask, LISTS, question } from "./question";
import { minutesText, shareText, weightText } from "./said";
import { Sites } from "./sites";

export function AnswerPanel() {
  const said = summary.value;
  return (
    <section class="panel answer" id="panel-answer" aria-labelledby="title-answer">
      <PanelTop panel="answer" title={t("answer")} />
      <div class="panel-body" data-stale={main.isStale.value}>
        {!isOffered.value && <p class="hint">{t("coverageOff")}</p>}
        <State />
        {said && (
          <>
            <Headline said={said} />
            {said.change && <Change said={said} />}
            <Rings said={said} />
            <Lists />
            <Ways />
          </>
        )}
      </div>
    </section>
  );
}

function State() {
  const failed = main.failure.value;
  if (failed) return <FailedJob failure={failed} words={words.value} retry={main.retry} />;
  const open = main.open.value;
  return open && <OpenJob status={open.status} stale={main.answer.value !== null} />;
}

function Headline({ said }: { said: Summary }) {
  return (
    <section class="headline" aria-label={t("headline")}>
      <p class="headline-main">
        <strong data-number="covered">{shareText(said.covered_share)}</strong> {t("inTime")}
      </p>
      <dl class="facts">
        <div>
          <dt>{t("inGaps")}</dt>
          <dd data-number="gap">{weightText(said.gap_weight)}</dd>
        </div>
        <div>
          <dt>{t("twiceCovered")}</dt>
          <dd>{shareText(said.twice_share)}</dd>
        </div>
        <div>
          <dt>{t("meanTime")}</dt>
          <dd>{t("minutesShort", minutesText(said.mean_min))}</dd>
        </div>
        <div>
          <dt>{t("nineOfTen")}</dt>
          <dd>{t("minutesShort", minutesText(said.p90_min))}</dd>
        </div>
      </dl>
    </section>
  );
}

function Change({ said }: { said: Summary }) {
  const change = said.change;
  if (!change) return null;
  const [gained, lost] = [change.gained_weight ?? 0, change.lost_weight ?? 0];
  return (
    <section class="change" aria-labelledby="title-change" role="status">
      <h3 id="title-change">{t("wouldChange")}</h3>
      <ul>
        {gained > 0 && <li class="better">{t("gained", weightText(gained))}</li>}
        {lost > 0 && <li class="worse">{t("lost", weightText(lost))}</li>}
        {gained === 0 && lost === 0 && <li>{t("noGainNoLoss")}</li>}
        <li>
          {t(
            "coveredFromTo",
            shareText((change.covered_weight_before ?? 0) / said.demand_weight),
            shareText((change.covered_weight_after ?? 0) / said.demand_weight),
          )}
        </li>
        <li>{t("meanFromTo", minutesText(change.mean_min_before), minutesText(change.mean_min_after))}</li>
      </ul>
    </section>
  );
}

/** The colour of a ring as the map has it; none before there is a map's style. */
function ringColour(ring: string): string | undefined {
  const layer = answerLayer.value;
  const label = layer && findingRow(layer)?.codes?.[ring]?.[language.value];
  return label ? rowOf(layer.legend, label, language.value)?.color : undefined;
}

function Rings({ said }: { said: Summary }) {
  return (
    <section aria-labelledby="title-rings">
      <h3 class="section-title" id="title-rings">
        {t("byRing")}
      </h3>
      <div class="ring-bar" aria-hidden="true">
        {said.by_ring.map(({ coverage_class, demand_share }) => (
          <span key={coverage_class} style={{ flexGrow: Math.max(demand_share, 0.004), background: ringColour(coverage_class) }} />
        ))}
      </div>
      <table class="table rings">
        <tbody>
          {said.by_ring.map(({ coverage_class, demand_weight, demand_share }) => (
            <tr key={coverage_class}>
              <th scope="row">
                <span class="ring-mark" style={{ background: ringColour(coverage_class) }} aria-hidden="true" />
                {named(coverage_class, words.value, language.value)}
              </th>
              <td data-number="true">{weightText(demand_weight)}</td>
              <td data-number="true">{shareText(demand_share)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const LIST_OF = { gaps: Gaps, posts: PostsTable, areas: Areas, sites: Sites } as const;

function Lists() {
  const { list } = question.value;
  const Shown = LIST_OF[list];
  return (
    <section class="lists" aria-label={t("lists")}>
      <div class="segments" role="group" aria-label={t("lists")}>
        {LISTS.map((one) => (
          <button type="button" key={one} aria-pressed={list === one} data-list={one} onClick={() => ask({ list: one })}>
            {t(`list_${one}`)}
          </button>
        ))}
      </div>
      <Shown />
    </section>
  );
}

/** The ways out of the page: the places as files, the question as a link. */
function Ways() {
  const answer = main.answer.value;
  if (!answer) return null;
  return (
    <section aria-labelledby="title-export">
      <h3 class="section-title" id="title-export">
        {t("export")}
      </h3>
      <div class="exports">
        {(["csv", "gpkg"] as const).filter(mayExport).map((format) => (
          <a class="button" key={format} href={exportPath(SERVICE, format, answer.run.run_id)} download>
            <Icon name="download" />
            {format === "csv" ? "CSV" : "GeoPackage"}
          </a>
        ))}
        <button type="button" class="button" onClick={() => void copyLink()}>
          <Icon name="link" />
          {t("exportLink")}
        </button>
      </div>
    </section>
  );
}

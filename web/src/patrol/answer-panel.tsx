/** The answer: how much of what could be visited is, and the timetables and lists behind it. */

import { exportPath } from "../api";
import { shareText } from "../coverage/said";
import { PanelTop } from "../hotspots/panel-top";
import { Icon } from "../panels/icons";
import { OpenJob, Problems } from "../panels/job-state";
import { mayExport } from "../state/account";
import { copyLink } from "../state/share";
import { t } from "../state/store";
import { better, isCurrent, isOffered, main, profitOf, routes, SERVICE, shown, summary, words, type Summary } from "./answer";
import { Dose } from "./dose";
import { undo } from "./moves";
import { ask, LISTS, nextSeed, question, show } from "./question";
import { minutesText, stopName } from "./said";
import { phoneAddress, Timetables } from "./timetables";
import { Unserved, unservedStop } from "./unserved";
import { Walked } from "./walked";

export function AnswerPanel() {
  const said = summary.value;
  return (
    <section class="panel answer" id="panel-answer" aria-labelledby="title-answer">
      <PanelTop panel="answer" title={t("answer")} />
      <div class="panel-body" data-stale={!isCurrent.value} data-run={shown.value?.run.run_id}>
        {!isOffered.value && <p class="hint">{t("patrolOff")}</p>}
        <State />
        {said && (
          <>
            <Headline said={said} />
            <Better />
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
  if (failed) {
    const parts = readable(failed.message);
    return (
      <div class="job job-failed" role="alert">
        <p class="job-title">
          <Icon name="warning" />
          {t("patrolCannot")}
        </p>
        <ul class="missing">
          {parts.map((part) => (
            <li key={part}>{part}</li>
          ))}
          <Problems failure={failed} words={words.value} />
        </ul>
        {question.value.orders.length > 0 && (
          <button type="button" class="button primary" onClick={undo}>
            {t("patrolUndo")}
          </button>
        )}
        <button type="button" class="button" onClick={main.retry}>
          {t("askAgain")}
        </button>
      </div>
    );
  }
  const open = main.open.value;
  return open && <OpenJob status={open.status} stale={main.answer.value !== null} />;
}

/** What the server says is wrong, one thing a line; stops by their names instead of their codes. */
function readable(message: string): string[] {
  const stops = [...routes.value.flatMap(({ halts }) => halts), ...(summary.value?.unserved ?? []).map(unservedStop)];
  const names = new Map(stops.flatMap((stop) => (stop.code === null ? [] : [[stop.code, stopName(stop)] as const])));
  // A code may be the beginning of another one.
  const codes = [...names].sort(([a], [b]) => b.length - a.length);
  const said = codes.reduce((text, [code, name]) => text.replaceAll(code, name), message.replace(/^patrol_routes: /, ""));
  return said.split(/; |；|(?<=kept): |(?<=保持)：/);
}

function Headline({ said }: { said: Summary }) {
  return (
    <section class="headline" aria-label={t("headline")}>
      <p class="headline-main">
        <strong data-number="share">{shareText(said.profit_share)}</strong> {t("patrolShare")}
      </p>
      <p class="hint">{t("patrolBoundHint")}</p>
      <dl class="facts">
        <div>
          <dt>{t("patrolVisited")}</dt>
          <dd data-number="visited">{t("patrolVisitedOf", said.visited_count, said.stops_count)}</dd>
        </div>
        <div>
          <dt>{t("patrolDoseMet")}</dt>
          <dd>{shareText(said.dose_share)}</dd>
        </div>
        <div>
          <dt>{t("patrolTravel")}</dt>
          <dd>{t("minutesShort", minutesText(said.travel_min))}</dd>
        </div>
      </dl>
    </section>
  );
}

/** A longer search as a job of its own; what was answered at once stays meanwhile. */
function Better() {
  const { better: wanted } = question.value;
  const [first, second, open] = [main.answer.value, better.answer.value, better.open.value];
  if (wanted && open) {
    return (
      <div class="job better" role="status">
        <p class="job-title">{t("patrolBetterRunning")}</p>
        <progress max={100} value={open.status?.status === "running" ? open.status.progress : undefined} aria-label={t("progress")} />
        <button
          type="button"
          class="button small"
          onClick={() => {
            better.cancel();
            ask({ better: false });
          }}
        >
          {t("patrolBetterStop")}
        </button>
      </div>
    );
  }
  const done = wanted && first && second && !better.isStale.value && !better.failure.value;
  return (
    <>
      {done && (
        <p class="better-told" role="status">
          {profitOf(second) > profitOf(first)
            ? t("patrolBetterHere", shareText(profitOf(first)), shareText(profitOf(second)))
            : t("patrolBetterSame")}
        </p>
      )}
      {wanted && better.failure.value && <p role="alert">{better.failure.value.message}</p>}
      <div class="exports">
        {!done && (
          <button type="button" class="button" disabled={main.isStale.value} onClick={() => ask({ better: true })}>
            {t("patrolBetter")}
          </button>
        )}
        <button type="button" class="button" title={t("patrolSeedHint")} onClick={nextSeed}>
          {t("patrolSeed")}
        </button>
      </div>
    </>
  );
}

const LIST_OF = { routes: Timetables, unserved: Unserved, dose: Dose, walked: Walked } as const;

function Lists() {
  const { list } = question.value;
  const Shown = LIST_OF[list];
  const missing = summary.value?.unserved.length ?? 0;
  return (
    <section class="lists" aria-label={t("patrolLists")}>
      <div class="segments" role="group" aria-label={t("patrolLists")}>
        {LISTS.map((one) => (
          <button type="button" key={one} aria-pressed={list === one} data-list={one} onClick={() => show(one)}>
            {t(`patrolList_${one}`)}
            {one === "unserved" && missing > 0 && ` ${missing}`}
          </button>
        ))}
      </div>
      <Shown />
    </section>
  );
}

/** The ways out of the page: routes as files, the question as a link, a sheet and a phone's page a unit. */
function Ways() {
  const answer = shown.value;
  if (!answer) return null;
  const { run_id: run } = answer.run;
  return (
    <section aria-labelledby="title-export">
      <h3 class="section-title" id="title-export">
        {t("export")}
      </h3>
      <div class="exports">
        {(["gpx", "csv", "gpkg"] as const).filter(mayExport).map((format) => (
          <a class="button" key={format} href={exportPath(SERVICE, format, run)} download>
            <Icon name="download" />
            {format === "gpkg" ? "GeoPackage" : format.toUpperCase()}
          </a>
        ))}
        <button type="button" class="button" onClick={() => void copyLink()}>
          <Icon name="link" />
          {t("exportLink")}
        </button>
      </div>
      <a class="button primary print-link" data-run={run} href={sheetAddress()} target="_blank" onClick={renew}>
        <Icon name="print" />
        {t("patrolSheets")}
      </a>
      <h4 class="section-title">{t("patrolPhone")}</h4>
      <ul class="phone-links">
        {routes.value.map(({ unit }) => (
          <li key={unit}>
            <a href={phoneAddress(run, unit)}>{t("patrolUnitName", unit)}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function sheetAddress(): string {
  return `/print/patrol${location.hash || "#"}`;
}

/** The address of the page changes without this being drawn anew; the link follows it when it is used. */
function renew(event: MouseEvent): void {
  if (event.currentTarget instanceof HTMLAnchorElement) event.currentTarget.href = sheetAddress();
}

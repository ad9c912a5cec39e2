/** The workspace `/patrol`: the question at the left, its routes on the map, timetables at the right. */

import { effect } from "@preact/signals";
import type { CatalogLayer, LegendRow } from "../api";
import { shareText } from "../coverage/said";
import { say } from "../i18n";
import { usualLayer } from "../map/compose";
import { inset } from "../map/handle";
import { LegendOf } from "../map/legend-card";
import { MapPane, plain, prepareMap } from "../map/pane";
import { PanelBar } from "../panels/bar";
import { QuestionSkips } from "../panels/skips";
import { StatusBar } from "../panels/status";
import { isOpen, narrow, startPanels, type Panel } from "../state/layout";
import { followSelection } from "../state/load";
import { announce, catalog, t, usual } from "../state/store";
import { syncAddress } from "../state/sync";
import { hashParts } from "../state/url";
import type { Workspace } from "../workspaces";
import { colourOf, followAnswer, isThere, layer, main, routes, shown, summary, walked, WALKED, walkedShown, type Summary } from "./answer";
import { AnswerPanel } from "./answer-panel";
import { followFocus } from "./moves";
import { followPlaces } from "../hotspots/places";
import { followPosts } from "./posts";
import { KEEPER, question } from "./question";
import { QuestionPanel } from "./question-panel";
import "../styles/hotspots.css";
import "../styles/question.css";
import "../styles/answer.css";
import "../styles/coverage.css";
import "../styles/patrol.css";
import "../styles/patrol-asked.css";

const CAPTION_PX = 84;
const PANELS: readonly Panel[] = ["question", "answer"];
/** What would lie over the routes without saying anything of them. */
const QUIET: ReadonlySet<string> = new Set(["incidents", "key_units", "rentals", "grids"]);

export const WORKSPACE: Workspace = {
  start() {
    prepareMap();
    startPanels(PANELS);
    inset.value = { ...inset.value, top: CAPTION_PX };
    // Where units start is marked by themselves; all posts are shown while one chooses among them.
    usual.value = (one) => (one.id === "posts" ? question.value.units !== null : usualLayer(one) && !QUIET.has(one.id));
    KEEPER.read(hashParts(location.hash));
    syncAddress(KEEPER);
    followPosts();
    followAnswer();
    followSelection(isThere);
    followPlaces();
    followFocus();
    sayAnswers();
    if (!plain.value) void import("./markers").then(({ followMarkers }) => followMarkers());
  },
  title: "patrolTitle",
  View: Patrol,
  SkipLinks: QuestionSkips,
};

function answeredText({ units_count, visited_count, stops_count, profit_share }: Summary): string {
  return t("patrolAnswered", units_count, visited_count, stops_count, shareText(profit_share));
}

/** Tells whoever cannot see the map that its answer has come. */
function sayAnswers(): void {
  effect(() => {
    const said = summary.value;
    if (said) announce(answeredText(said));
  });
}

function Patrol() {
  const legend = walkedShown.value ? (catalog.value.find(({ id }) => id === WALKED) ?? null) : legendLayer();
  const told = (walkedShown.value ? walked.answer.value : shown.value)?.run.summary ?? {};
  return (
    <>
      <div class="workspace hotspots coverage patrol">
        {narrow.value && <PanelBar panels={PANELS} />}
        {isOpen("question") && <QuestionPanel />}
        <MapPane>
          {!plain.value && <Caption />}
          {!plain.value && <LegendOf layer={legend} summary={told} />}
        </MapPane>
        {isOpen("answer") && <AnswerPanel />}
      </div>
      <StatusBar />
    </>
  );
}

/** The layer with a row for each unit that there is, instead of for each colour. */
function legendLayer(): CatalogLayer | null {
  const row = (unit: string): LegendRow => ({
    label: { zh: say("zh", "patrolUnitName", unit), en: say("en", "patrolUnitName", unit) },
    color: colourOf(unit),
    outline: null,
    shape: "line",
  });
  return layer.value && { ...layer.value, legend: routes.value.map(({ unit }) => row(unit)), note: null };
}

/** On the map: when, how long, by which means, and what comes of it. */
function Caption() {
  const { start, minutes, mode } = question.value;
  const said = summary.value;
  return (
    <div class="map-caption">
      <div>
        <p class="map-subject">{t("patrolSubject", start, minutes, t(`mode_${mode}`))}</p>
        {said && <p class="hint">{answeredText(said)}</p>}
      </div>
      {main.open.value && <progress aria-label={t("asking")} />}
    </div>
  );
}

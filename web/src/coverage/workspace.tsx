/** The workspace `/coverage`: the question at the left, its answer on the map and at the right. */

import { effect } from "@preact/signals";
import { LegendOf } from "../map/legend-card";
import { inset } from "../map/handle";
import { MapPane, plain, prepareMap } from "../map/pane";
import { usualLayer } from "../map/compose";
import { PanelBar } from "../panels/bar";
import { QuestionSkips } from "../panels/skips";
import { StatusBar } from "../panels/status";
import { followPlaces } from "../hotspots/places";
import { isOpen, narrow, startPanels, type Panel } from "../state/layout";
import { followSelection } from "../state/load";
import { announce, t, usual } from "../state/store";
import { syncAddress } from "../state/sync";
import { hashParts } from "../state/url";
import type { Workspace } from "../workspaces";
import { answerLayer, followAnswer, isThere, main, summary } from "./answer";
import { AnswerPanel } from "./answer-panel";
import { KEEPER, question } from "./question";
import { QuestionPanel } from "./question-panel";
import { shareText, weightText } from "./said";
import "../styles/hotspots.css";
import "../styles/question.css";
import "../styles/answer.css";
import "../styles/coverage.css";

const CAPTION_PX = 84;
const PANELS: readonly Panel[] = ["question", "answer"];

export const WORKSPACE: Workspace = {
  start() {
    prepareMap();
    startPanels(PANELS);
    inset.value = { ...inset.value, top: CAPTION_PX };
    usual.value = (layer) => usualLayer(layer) || layer.id === "posts";
    KEEPER.read(hashParts(location.hash));
    syncAddress(KEEPER);
    followAnswer();
    followSelection(isThere);
    followPlaces();
    sayAnswers();
    if (!plain.value) void import("./markers").then(({ followMarkers }) => followMarkers());
  },
  title: "coverageTitle",
  View: Coverage,
  SkipLinks: QuestionSkips,
};

/** Tells whoever cannot see the map that its answer has come. */
function sayAnswers(): void {
  effect(() => {
    const said = summary.value;
    if (said) announce(t("answeredCoverage", shareText(said.covered_share), weightText(said.gap_weight)));
  });
}

function Coverage() {
  return (
    <>
      <div class="workspace hotspots coverage">
        {narrow.value && <PanelBar panels={PANELS} />}
        {isOpen("question") && <QuestionPanel />}
        <MapPane>
          {!plain.value && <Caption />}
          {!plain.value && <LegendOf layer={answerLayer.value} summary={main.answer.value?.run.summary ?? {}} />}
        </MapPane>
        {isOpen("answer") && <AnswerPanel />}
      </div>
      <StatusBar />
    </>
  );
}

/** On the map: whom, how, within which minutes, and how many that are. */
function Caption() {
  const { demand, mode, rings } = question.value;
  const choices = main.answer.value?.run.provenance.choices.rings_min;
  const within = rings ?? (Array.isArray(choices) ? choices : []);
  const said = summary.value;
  return (
    <div class="map-caption">
      <div>
        <p class="map-subject">
          {t("coverageSubject", t(`demand_${demand}`), t(`mode_${mode}`), t("within", within.join(" / ")))}
        </p>
        {said && <p class="hint">{t("answeredCoverage", shareText(said.covered_share), weightText(said.gap_weight))}</p>}
      </div>
      {main.open.value && <progress aria-label={t("asking")} />}
    </div>
  );
}

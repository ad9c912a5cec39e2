/** The workspace `/hotspots`: the question at the left, its answer on the map and at the right. */

import { effect } from "@preact/signals";
import { inset } from "../map/handle";
import { MapPane, plain, prepareMap } from "../map/pane";
import { PanelBar } from "../panels/bar";
import { QuestionSkips } from "../panels/skips";
import { StatusBar } from "../panels/status";
import { isOpen, narrow, startPanels, type Panel } from "../state/layout";
import { followSelection } from "../state/load";
import { announce, language, t } from "../state/store";
import { syncAddress } from "../state/sync";
import { hashParts } from "../state/url";
import type { Workspace } from "../workspaces";
import { AnswerPanel } from "./answer-panel";
import { followQuestion, isThere, main } from "./answer";
import { LegendCard, MapCaption } from "./legend-card";
import { followList } from "./listed";
import { followMethods, method } from "./methods";
import { MethodsBar } from "./methods-bar";
import { followPlaces } from "./places";
import { KEEPER } from "./question";
import { QuestionPanel } from "./question-panel";
import "../styles/hotspots.css";
import "../styles/question.css";
import "../styles/answer.css";

/** How much of the map its caption covers. */
const CAPTION_PX = 84;
const PANELS: readonly Panel[] = ["question", "answer"];

export const WORKSPACE: Workspace = {
  start() {
    prepareMap();
    startPanels(PANELS);
    inset.value = { ...inset.value, top: CAPTION_PX };
    KEEPER.read(hashParts(location.hash));
    syncAddress(KEEPER);
    followMethods();
    followQuestion();
    followList();
    followSelection(isThere);
    followPlaces();
    sayAnswers();
  },
  title: "hotspotsTitle",
  View: Hotspots,
  SkipLinks: QuestionSkips,
};

/** Tells whoever cannot see the map that its answer has come. */
function sayAnswers(): void {
  effect(() => {
    const answer = main.answer.value;
    const title = method.peek()?.["wangge:titles"][language.peek()];
    if (answer && title) announce(t("answered", title, answer.run.provenance.n));
  });
}

function Hotspots() {
  return (
    <>
      <MethodsBar />
      <div class="workspace hotspots">
        {narrow.value && <PanelBar panels={PANELS} />}
        {isOpen("question") && <QuestionPanel />}
        <MapPane>
          {!plain.value && <MapCaption />}
          {!plain.value && <LegendCard />}
        </MapPane>
        {isOpen("answer") && <AnswerPanel />}
      </div>
      <StatusBar />
    </>
  );
}

/** The workspace `/hotspots`: the question at the left, its answer on the map and at the right. */

import { effect } from "@preact/signals";
import { inset } from "../map/handle";
import { MapPane, plain, prepareMap } from "../map/pane";
import { jump, PanelBar } from "../panels/bar";
import { StatusBar } from "../panels/status";
import { isOpen, narrow, openPanel, startPanels, type Panel } from "../state/layout";
import { followSelection } from "../state/load";
import { announce, city, language, report, t } from "../state/store";
import { syncAddress } from "../state/sync";
import { hashParts } from "../state/url";
import type { Workspace } from "../workspaces";
import { AnswerPanel } from "./answer-panel";
import { followQuestion, isThere, main } from "./answer";
import { LegendCard, MapCaption } from "./legend-card";
import { followList } from "./listed";
import { followMethods, method } from "./methods";
import { MethodsBar } from "./methods-bar";
import { loadPlaces } from "./places";
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
  SkipLinks,
};

/** The names of places, once there is a city to have any. */
function followPlaces(): void {
  const stop = effect(() => {
    if (!city.value) return;
    queueMicrotask(() => stop());
    loadPlaces().catch((error: unknown) => report(error));
  });
}

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

function SkipLinks() {
  const skip = (panel: Panel) => (event: Event) => {
    openPanel(panel);
    jump(event, `#title-${panel}`);
  };
  return (
    <nav class="skip" aria-label={t("skip")}>
      <button type="button" onClick={skip("question")}>
        {t("skipToQuestion")}
      </button>
      <button type="button" onClick={skip("answer")}>
        {t("skipToAnswer")}
      </button>
      {!plain.value && (
        <a href="#map" onClick={(event) => jump(event, "#map canvas")}>
          {t("skipToMap")}
        </a>
      )}
    </nav>
  );
}

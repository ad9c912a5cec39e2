/** The workspace `/edit`: the list of plans, and `/edit/{plan}`, where one of them is redrawn. */

import { effect } from "@preact/signals";
import { jump } from "../panels/bar";
import { city, t, usual } from "../state/store";
import { syncAddress } from "../state/sync";
import { hashParts } from "../state/url";
import type { Workspace } from "../workspaces";
import { followProblems } from "./checks";
import { choose, KEEPER } from "./choices";
import { followComparison } from "./compare";
import { Editor } from "./editor";
import { followUndoKeys } from "./keys";
import { sayUnsent, watchSession } from "./others";
import { followPlans, PlanList } from "./plan-list";
import { openPlan } from "./session";
import "../styles/hotspots.css";
import "../styles/plans.css";
import "../styles/edit.css";
import "../styles/edit-map.css";
import "../styles/balance.css";
import "../styles/edit-panels.css";

/** The city's own layers that help to redraw it; more can be laid under the board. */
const USUAL_LAYERS = new Set(["water_areas", "segments", "communities_outline", "communities"]);

const plan = Number(/^\/edit\/(\d{1,15})\/?$/.exec(location.pathname)?.[1] ?? NaN);

export const WORKSPACE: Workspace = {
  start() {
    usual.value = ({ id }) => USUAL_LAYERS.has(id);
    KEEPER.read(hashParts(location.hash));
    syncAddress(KEEPER);
    if (Number.isNaN(plan)) followPlans();
    else begin(plan);
  },
  title: "editTitle",
  View: Number.isNaN(plan) ? PlanList : Editor,
  SkipLinks,
};

function begin(id: number): void {
  watchSession();
  followUndoKeys();
  followProblems();
  followComparison();
  const stop = effect(() => {
    if (!city.value) return;
    queueMicrotask(() => stop());
    void openPlan(id).then((isOpen) => isOpen && sayUnsent(id));
  });
}

function SkipLinks() {
  if (Number.isNaN(plan)) return null;
  return (
    <nav class="skip" aria-label={t("skip")}>
      <a href="#map" onClick={(event) => jump(event, "#map canvas")}>
        {t("skipToMap")}
      </a>
      <button type="button" onClick={(event) => jump(event, ".tools [aria-pressed=true]")}>
        {t("skipToTools")}
      </button>
      <button
        type="button"
        onClick={(event) => {
          choose({ tab: "balance" });
          jump(event, ".balance");
        }}
      >
        {t("skipToBalance")}
      </button>
    </nav>
  );
}

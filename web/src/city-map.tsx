/** The workspace `/map`: layers, time, services and list around the map. */

import { MapPane, plain, prepareMap } from "./map/pane";
import { LayersPanel } from "./panels/layers";
import { ListPanel } from "./panels/list";
import { jump, PanelBar } from "./panels/bar";
import { followServices, ServicesPanel } from "./panels/services";
import { StatusBar } from "./panels/status";
import { TimePanel } from "./panels/time";
import { isOpen, openPanel, PANELS, startPanels } from "./state/layout";
import { followSelection } from "./state/load";
import { t } from "./state/store";
import { PAGE, syncAddress } from "./state/sync";
import type { Workspace } from "./workspaces";

export const WORKSPACE: Workspace = {
  start() {
    prepareMap();
    startPanels(["layers", "time", "services"]);
    syncAddress(PAGE);
    followSelection();
    followServices();
  },
  title: "pageTitle",
  View: CityMap,
  SkipLinks,
};

function CityMap() {
  if (plain.value) {
    return (
      <>
        <div class="workspace workspace-plain">
          <MapPane />
        </div>
        <StatusBar />
      </>
    );
  }
  const right = isOpen("services") ? "services" : isOpen("list") ? "list" : null;
  return (
    <>
      <div class="workspace" data-left={isOpen("layers")} data-right={right !== null}>
        <PanelBar panels={PANELS} />
        {isOpen("layers") && <LayersPanel />}
        <MapPane />
        {isOpen("time") && <TimePanel />}
        {right === "services" && <ServicesPanel />}
        {right === "list" && <ListPanel />}
      </div>
      <StatusBar />
    </>
  );
}

function SkipLinks() {
  if (plain.value) return null;
  return (
    <nav class="skip" aria-label={t("skip")}>
      <a href="#map" onClick={(event) => jump(event, "#map canvas")}>
        {t("skipToMap")}
      </a>
      <button
        type="button"
        onClick={(event) => {
          openPanel("list");
          jump(event, "#panel-list select");
        }}
      >
        {t("skipToList")}
      </button>
    </nav>
  );
}

/** `/edit/{plan}`: tools at the left, the board on the map, the panels at the right. */

import { MapPane, plain } from "../map/pane";
import { StatusBar } from "../panels/status";
import { t } from "../state/store";
import { ClashDialog } from "./clash-dialog";
import { BOARD_MAP, BrushCursor, Crosshair } from "./edit-map";
import { EditLegend, PointedCard, ShownSwitch } from "./map-controls";
import { listHref, PlanBar } from "./plan-bar";
import { ShownBanner } from "./proposal-panel";
import { missing } from "./session";
import { SidePanel } from "./side-panel";
import { Swipe } from "./swipe";
import { ToolBar } from "./tool-bar";
import { ToolOptions } from "./tool-options";

export function Editor() {
  if (missing.value) {
    return (
      <main class="plan-list">
        <p>{t("noSuchPlan")}</p>
        <p>
          <a href={listHref()}>{t("allPlans")}</a>
        </p>
      </main>
    );
  }
  return (
    <>
      <PlanBar />
      <div class="workspace editor">
        <ToolBar />
        <MapPane of={BOARD_MAP}>
          {!plain.value && (
            <>
              <Swipe />
              <Crosshair />
              <BrushCursor />
              <div class="map-tops">
                <ToolOptions />
                <ShownSwitch />
              </div>
              <ShownBanner />
              <EditLegend />
              <PointedCard />
            </>
          )}
        </MapPane>
        <SidePanel />
      </div>
      <StatusBar />
      <ClashDialog />
    </>
  );
}

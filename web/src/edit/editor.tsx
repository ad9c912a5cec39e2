/** `/edit/{plan}`: tools at the left, the board on the map, the panels at the right. */

import { plain } from "../map/pane";
import { StatusBar } from "../panels/status";
import { t } from "../state/store";
import { ClashDialog } from "./clash-dialog";
import { BrushCursor, Crosshair, EditPane } from "./edit-map";
import { EditLegend, PointedCard, ShownSwitch } from "./map-controls";
import { listHref, PlanBar } from "./plan-bar";
import { ShownBanner } from "./proposal-panel";
import { missing } from "./session";
import { SidePanel } from "./side-panel";
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
        <EditPane>
          {!plain.value && (
            <>
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
        </EditPane>
        <SidePanel />
      </div>
      <StatusBar />
      <ClashDialog />
    </>
  );
}

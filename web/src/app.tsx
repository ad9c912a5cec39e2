/** The whole page: the bar at the top, the panels, the map between them, the line at the bottom. */

import { MapPane, plain } from "./map/pane";
import { NoCity } from "./panels/empty";
import { Header } from "./panels/header";
import { Icon } from "./panels/icons";
import { LayersPanel } from "./panels/layers";
import { ListPanel } from "./panels/list";
import { Notices } from "./panels/notices";
import { ServicesPanel } from "./panels/services";
import { StatusBar } from "./panels/status";
import { TimePanel } from "./panels/time";
import type { Word } from "./i18n";
import { isOpen, openPanel, PANELS, togglePanel, type Panel } from "./state/layout";
import { started } from "./state/load";
import { city, t } from "./state/store";

const PANEL_WORDS: Record<Panel, Word & ("layers" | "time" | "services" | "inView")> = {
  layers: "layers",
  time: "time",
  services: "services",
  list: "inView",
};

export function App() {
  return (
    <>
      {city.value && !plain.value && <SkipLinks />}
      <Header />
      {started.value === "ready" && (city.value ? <CityMap /> : <NoCity />)}
      {started.value === "loading" && <p class="starting">{t("loading")}</p>}
      <Notices />
    </>
  );
}

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
        <PanelBar />
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

/** Opens and closes the panels; at the side of a wide screen, at the bottom of a phone. */
function PanelBar() {
  return (
    <nav class="panel-bar" aria-label={t("panels")}>
      {PANELS.map((panel) => {
        const name = t(PANEL_WORDS[panel]);
        return (
          <button
            type="button"
            key={panel}
            aria-expanded={isOpen(panel)}
            aria-controls={`panel-${panel}`}
            onClick={() => togglePanel(panel)}
          >
            <Icon name={panel} />
            <span>{name}</span>
          </button>
        );
      })}
    </nav>
  );
}

/** Moves the keyboard's focus without touching the address, which holds the state. */
function jump(event: Event, target: string): void {
  event.preventDefault();
  requestAnimationFrame(() => document.querySelector<HTMLElement>(target)?.focus());
}

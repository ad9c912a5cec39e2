/** The rail that opens and closes the panels; at the side of a wide screen, at the bottom of a phone. */

import type { Word } from "../i18n";
import { isOpen, togglePanel, type Panel } from "../state/layout";
import { t } from "../state/store";
import { Icon } from "./icons";

const PANEL_WORDS = {
  layers: "layers",
  time: "time",
  services: "services",
  list: "inView",
  question: "question",
  answer: "answer",
} as const satisfies Record<Panel, Word>;

export function PanelBar({ panels }: { panels: readonly Panel[] }) {
  return (
    <nav class="panel-bar" aria-label={t("panels")}>
      {panels.map((panel) => {
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
export function jump(event: Event, target: string): void {
  event.preventDefault();
  requestAnimationFrame(() => document.querySelector<HTMLElement>(target)?.focus());
}

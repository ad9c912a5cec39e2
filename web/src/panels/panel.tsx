/** The head that every panel has: its title, what one can do with the whole of it, and the way out. */

import type { ComponentChildren } from "preact";
import { closePanel, type Panel } from "../state/layout";
import { t } from "../state/store";
import { Icon } from "./icons";

interface PanelHeadProps {
  panel: Panel;
  title: string;
  hint?: string;
  children?: ComponentChildren;
}

export function PanelHead({ panel, title, hint, children }: PanelHeadProps) {
  return (
    <div class="panel-head">
      <div class="panel-head-row">
        <h2 id={`title-${panel}`}>{title}</h2>
        {children}
        <button
          type="button"
          class="icon-button"
          aria-label={t("closePanel", title)}
          title={t("closePanel", title)}
          onClick={() => closePanel(panel)}
        >
          <Icon name="close" />
        </button>
      </div>
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}

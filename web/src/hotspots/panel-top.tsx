/** The head of a panel of this workspace: on a phone it closes the sheet, on a wide screen the panel stays. */

import type { ComponentChildren } from "preact";
import { Icon } from "../panels/icons";
import { closePanel, narrow, type Panel } from "../state/layout";
import { t } from "../state/store";

interface PanelTopProps {
  panel: Panel;
  title: string;
  children?: ComponentChildren;
}

export function PanelTop({ panel, title, children }: PanelTopProps) {
  return (
    <div class="panel-head">
      <div class="panel-head-row">
        <h2 id={`title-${panel}`} tabIndex={-1}>
          {title}
        </h2>
        {children}
        {narrow.value && (
          <button
            type="button"
            class="icon-button"
            aria-label={t("closePanel", title)}
            title={t("closePanel", title)}
            onClick={() => closePanel(panel)}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
    </div>
  );
}

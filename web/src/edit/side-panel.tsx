/** The panel at the right: balance, warnings, moves, proposals and review, one at a time. */

import type { ComponentType } from "preact";
import { narrow } from "../state/layout";
import { t } from "../state/store";
import { BalancePanel } from "./balance-panel";
import { choices, choose, TABS, type Tab } from "./choices";
import { MovedPanel } from "./moved-panel";
import { ProposalPanel } from "./proposal-panel";
import { ReviewPanel } from "./review-panel";
import { opened, touched } from "./session";
import { Sign } from "./signs";
import { panelOpen } from "./sketch";
import { warningsCount, WarningsPanel } from "./warnings-panel";

const PANELS: Record<
  Tab,
  { word: "tabBalance" | "tabWarnings" | "tabMoved" | "tabProposal" | "tabReview"; Panel: ComponentType }
> = {
  balance: { word: "tabBalance", Panel: BalancePanel },
  warnings: { word: "tabWarnings", Panel: WarningsPanel },
  moved: { word: "tabMoved", Panel: MovedPanel },
  proposal: { word: "tabProposal", Panel: ProposalPanel },
  review: { word: "tabReview", Panel: ReviewPanel },
};

export function SidePanel() {
  const { tab } = choices.value;
  const { Panel } = PANELS[tab];
  const isShown = !narrow.value || panelOpen.value;
  return (
    <section class="side" aria-label={t("panels")} data-open={isShown}>
      <Tabs />
      {isShown && (
        <div class="side-body" id="side-body" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={-1}>
          {opened.value ? <Panel key={tab} /> : <p class="hint nothing">{t("loading")}</p>}
        </div>
      )}
    </section>
  );
}

function Tabs() {
  const { tab } = choices.value;
  const show = (one: Tab) => {
    // On a phone the tab of the open panel closes it.
    panelOpen.value = !(narrow.peek() && panelOpen.peek() && one === choices.peek().tab);
    choose({ tab: one });
  };
  const step = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length]!;
    choose({ tab: next });
    requestAnimationFrame(() => document.getElementById(`tab-${next}`)?.focus());
  };
  return (
    <div class="side-tabs" role="tablist" aria-label={t("panels")} onKeyDown={step}>
      {TABS.map((one) => (
        <button
          type="button"
          key={one}
          id={`tab-${one}`}
          role="tab"
          aria-selected={tab === one}
          aria-controls="side-body"
          tabIndex={tab === one ? 0 : -1}
          onClick={() => show(one)}
        >
          <Sign name={one} />
          <span>{t(PANELS[one].word)}</span>
          <Badge tab={one} />
        </button>
      ))}
    </div>
  );
}

/** How much there is to look at behind a tab. */
function Badge({ tab }: { tab: Tab }) {
  touched.value;
  const changed = opened.value?.draft.moved.size ?? 0;
  const text = tab === "warnings" ? warningsCount() : tab === "moved" ? String(changed) : "0";
  return text === "0" ? null : <span class="tab-badge">{text}</span>;
}

/** The tools, in one column at the side of the map: one Tab stop, the arrows go from tool to tool. */

import { t } from "../state/store";
import { TOOLS, type Tool } from "./choices";
import { TOOL_KEYS } from "./keys";
import { isPlanners } from "./session";
import { Sign } from "./signs";
import { pickTool, toolInHand } from "./tools";

export const TOOL_WORDS = {
  pan: "toolPan",
  brush: "toolBrush",
  block: "toolBlock",
  lasso: "toolLasso",
  erase: "toolErase",
  select: "toolSelect",
  merge: "toolMerge",
  split: "toolSplit",
  corner: "toolCorner",
} as const satisfies Record<Tool, string>;

export function ToolBar() {
  const usable = isPlanners.value ? TOOLS : (["pan"] as const);
  const tool = toolInHand.value;
  const step = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = usable[(usable.indexOf(tool as never) + by + usable.length) % usable.length]!;
    pickTool(next);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`.tools [data-tool=${next}]`)?.focus());
  };
  return (
    <nav class="tool-side" aria-label={t("tools")}>
      <div class="tools" role="toolbar" aria-orientation="vertical" aria-label={t("tools")} onKeyDown={step}>
        {TOOLS.map((one) => (
          <button
            type="button"
            key={one}
            data-tool={one}
            aria-pressed={tool === one}
            tabIndex={tool === one ? 0 : -1}
            disabled={!usable.includes(one as never)}
            title={t("toolWithKey", t(TOOL_WORDS[one]), TOOL_KEYS[one].toUpperCase())}
            aria-keyshortcuts={TOOL_KEYS[one].toUpperCase()}
            onClick={() => pickTool(one)}
          >
            <Sign name={one} />
            <span>{t(TOOL_WORDS[one])}</span>
          </button>
        ))}
      </div>
    </nav>
  );
}

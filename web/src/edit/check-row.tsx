/** One thing that the server found: how grave, what, what would mend it; pressed, the map shows the place. */

import { language, t } from "../state/store";
import { nearestNeighbour } from "./attach";
import { NONE } from "./board";
import type { ServerProblem } from "./http";
import { gridName } from "./names";
import { isEditable, opened, strokeOf, touched } from "./session";
import { showBlocks, showBounds } from "./show";

const SEVERITY_WORDS = { broken: "ruleBroken", warning: "ruleWarning", incomplete: "ruleIncomplete" } as const;

export function CheckRow({ problem: { rule, severity, message, suggestion, bbox, grids, blocks } }: { problem: ServerProblem }) {
  const show = () => {
    const now = opened.peek();
    if (bbox) showBounds(bbox);
    else if (now) {
      const named = blocks.map((code) => now.blockAt.get(code)).filter((block) => block !== undefined);
      showBlocks(named.length > 0 ? named : grids.flatMap((code) => [...now.draft.blocksOf(now.gridAt.get(code) ?? NONE)]));
    }
  };
  return (
    <div class="warning-row">
      <button type="button" class="warning check-row" data-severity={severity} onClick={show} title={t("showSpot")}>
        <span class="severity">{t(SEVERITY_WORDS[severity])}</span>
        <span>{message[language.value]}</span>
        {suggestion && <small>{suggestion[language.value]}</small>}
      </button>
      {rule === "contiguous" && grids[0] && <Attach grid={opened.value?.gridAt.get(grids[0]) ?? NONE} />}
    </div>
  );
}

/** Gives the smallest piece of a grid that fell apart to the grid it shares most of its border with. */
export function Attach({ grid }: { grid: number }) {
  touched.value;
  const now = opened.value;
  const pieces = now && grid !== NONE ? now.draft.piecesOf(grid) : [];
  const piece = pieces.length > 1 ? pieces.at(-1)! : [];
  const to = now ? nearestNeighbour(now.draft, piece) : NONE;
  if (!now || to === NONE || !isEditable.value) return null;
  return (
    <button type="button" class="link" onClick={() => strokeOf(piece, to, "attach")}>
      {t("attachTo", gridName(now.board.grids[to]!, language.value))}
    </button>
  );
}

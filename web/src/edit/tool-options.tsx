/** What lies on the map above it: the tool in hand, what it works with, and what to do with what it has gathered. */

import { language, t } from "../state/store";
import { NONE } from "./board";
import { choices, choose, RADIUS } from "./choices";
import { deviationText } from "./describe";
import { Chosen, Corners, Locks, Merge, Rename, Split } from "./grid-actions";
import { GridChip } from "./grid-chip";
import { gridName } from "./names";
import { isEditable, locks, opened, touched } from "./session";
import { Sign } from "./signs";
import { setLocks } from "./steps";
import { TOOL_WORDS } from "./tool-bar";
import { target, toolInHand } from "./tools";

const HINTS = {
  pan: "hintPan",
  brush: "hintBrush",
  block: "hintBlock",
  lasso: "hintLasso",
  erase: "hintErase",
  select: "hintSelect",
  merge: "hintMerge",
  split: "hintSplit",
  corner: "hintCorner",
} as const;

const NEEDS_TARGET = new Set(["brush", "block", "lasso", "merge", "select"]);

export function ToolOptions() {
  const tool = toolInHand.value;
  if (!opened.value) return null;
  return (
    <section class="tool-options" aria-label={t("toolOptions")}>
      <div class="tool-head">
        <strong>{t(TOOL_WORDS[tool])}</strong>
        {(NEEDS_TARGET.has(tool) || target() !== NONE) && <Target />}
      </div>
      <p class="hint">{t(HINTS[tool])}</p>
      {(tool === "brush" || tool === "erase") && <BrushSize />}
      {tool === "pan" && <Rename />}
      {tool === "lasso" && <Corners least={3} />}
      {tool === "select" && (
        <>
          <Chosen />
          <Locks />
        </>
      )}
      {tool === "merge" && <Merge />}
      {tool === "split" && <Split />}
    </section>
  );
}

/** The grid that is painted with, as it stands now. */
function Target() {
  touched.value;
  const now = opened.value;
  const grid = target();
  if (!now || grid === NONE) return <span class="target none">{t("noTarget")}</span>;
  const info = now.board.grids[grid]!;
  const households = now.draft.sums.households[grid]!;
  const isLocked = now.draft.lockedGrids[grid] === 1 && locks.value.grids.includes(info.code);
  const toggle = () => {
    const { blocks, grids } = locks.peek();
    setLocks({ blocks, grids: isLocked ? grids.filter((code) => code !== info.code) : [...grids, info.code] });
  };
  return (
    <span class="target">
      <GridChip grid={grid} />
      <span>{gridName(info, language.value)}</span>
      <span class="target-load">
        {t("householdsCount", households)}
        {info.kind !== "dedicated" && ` · ${deviationText(now.draft.sums.load[grid]!, now.board.band, language.value)}`}
      </span>
      {isEditable.value && (
        <button
          type="button"
          class="icon-button"
          aria-pressed={isLocked}
          aria-label={t("lockGrid")}
          title={t(isLocked ? "unlockGrid" : "lockGrid")}
          onClick={toggle}
        >
          <Sign name={isLocked ? "lock" : "unlock"} />
        </button>
      )}
    </span>
  );
}

function BrushSize() {
  const { radius } = choices.value;
  return (
    <label class="brush-size">
      {t("brushSize")}
      <input
        type="range"
        min={RADIUS.least}
        max={RADIUS.most}
        step={RADIUS.step}
        value={radius}
        onInput={(event) => choose({ radius: Number(event.currentTarget.value) })}
      />
      <output>{t("pixels", radius)}</output>
    </label>
  );
}

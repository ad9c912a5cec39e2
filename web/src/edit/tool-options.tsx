/** What lies on the map above it: the tool in hand, what it works with, and what to do with what it has gathered. */

import { useSignal } from "@preact/signals";
import { announce, bounds, language, t } from "../state/store";
import { NONE } from "./board";
import { choices, choose, RADIUS } from "./choices";
import { deviationText } from "./describe";
import { GridChip } from "./grid-chip";
import { blockName, gridName } from "./names";
import { ended, isEditable, locks, opened, strokeOf, touched } from "./session";
import { Sign } from "./signs";
import { chosen, clearSketch, corners, merging } from "./sketch";
import { act, setLocks } from "./steps";
import { target, toolInHand } from "./tools";
import { TOOL_WORDS } from "./tool-bar";

const HINTS = {
  pan: "hintPan",
  brush: "hintBrush",
  block: "hintBlock",
  lasso: "hintLasso",
  erase: "hintErase",
  select: "hintSelect",
  merge: "hintMerge",
  split: "hintSplit",
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
        <button type="button" class="icon-button" aria-pressed={isLocked} aria-label={t("lockGrid")} title={t(isLocked ? "unlockGrid" : "lockGrid")} onClick={toggle}>
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

function Corners({ least }: { least: number }) {
  const count = corners.value.length;
  if (count === 0) return null;
  return (
    <p class="hint" aria-live="polite">
      {t("cornersCount", count)}
      {count >= least && ` · ${t("closeHint")}`}
    </p>
  );
}

/** What can be done with chosen blocks. */
function Chosen() {
  ended.value;
  const now = opened.value;
  const naming = useSignal(false);
  const blocks = [...chosen.value];
  if (!now || blocks.length === 0) return null;
  const codes = blocks.map((block) => now.board.code[block]!);
  const households = blocks.reduce((sum, block) => sum + now.board.measure.households[block]!, 0);
  const grid = target();
  const allLocked = codes.every((code) => locks.value.blocks.includes(code));
  const lock = () => {
    const { blocks: known, grids } = locks.peek();
    const rest = known.filter((code) => !codes.includes(code));
    setLocks({ blocks: allLocked ? rest : [...rest, ...codes], grids });
  };
  const assign = () => {
    if (strokeOf(blocks, grid, "assign")) clearSketch();
  };
  return (
    <>
      <p class="tool-count" aria-live="polite">
        {t("chosenBlocks", blocks.length)} · {t("householdsCount", households)}
      </p>
      <div class="tool-actions">
        <button type="button" class="button primary" disabled={grid === NONE} onClick={assign}>
          {t("assignToTarget")}
        </button>
        <button type="button" class="button" onClick={() => strokeOf(blocks, (block) => now.board.base[block]!, "erase")}>
          {t("putBack")}
        </button>
        <button type="button" class="button" aria-expanded={naming.value} onClick={() => (naming.value = !naming.value)}>
          {t("newDedicated")}
        </button>
        <button type="button" class="button" onClick={lock}>
          {t(allLocked ? "unlockBlocks" : "lockBlocks")}
        </button>
        <button type="button" class="button" onClick={clearSketch}>
          {t("clearChoice")}
        </button>
      </div>
      {naming.value && <Dedicated codes={codes} done={() => (naming.value = false)} />}
    </>
  );
}

/** Locks of many at once; what is locked no stroke and no proposal touches. */
function Locks() {
  const { blocks, grids } = locks.value;
  const count = blocks.length + grids.length;
  const lockView = () => {
    const now = opened.peek();
    const box = bounds.peek();
    if (!now || !box) return;
    const seen = now.spots.near(box).flatMap((block) => now.board.grids[now.draft.grid[block]!]?.code ?? []);
    setLocks({ blocks, grids: [...new Set([...grids, ...seen])].sort() });
    announce(t("lockedCount", blocks.length + locks.peek().grids.length));
  };
  return (
    <div class="tool-actions">
      <button type="button" class="button" onClick={lockView}>
        <Sign name="lock" />
        {t("lockView")}
      </button>
      <button type="button" class="button" disabled={count === 0} onClick={() => setLocks({ blocks: [], grids: [] })}>
        <Sign name="unlock" />
        {t("unlockAll", count)}
      </button>
    </div>
  );
}

/** A grid of its own for a place such as a hospital or a market. */
function Dedicated({ codes, done }: { codes: string[]; done: () => void }) {
  const names = useSignal({ code: "", name_zh: "", name_en: "" });
  const make = async (event: Event) => {
    event.preventDefault();
    const { code, name_zh, name_en } = names.value;
    const made = await act("create_dedicated", { blocks: codes, code, name_zh, name_en });
    if (!made) return;
    clearSketch();
    choose({ target: code });
    done();
  };
  const field = (name: "code" | "name_zh" | "name_en", word: "dedicatedCode" | "dedicatedZh" | "dedicatedEn") => (
    <label>
      {t(word)}
      <input required={name !== "name_en"} maxLength={60} value={names.value[name]} onInput={(event) => (names.value = { ...names.value, [name]: event.currentTarget.value })} />
    </label>
  );
  return (
    <form class="tool-form" onSubmit={(event) => void make(event)}>
      {field("code", "dedicatedCode")}
      {field("name_zh", "dedicatedZh")}
      {field("name_en", "dedicatedEn")}
      <button class="button primary">{t("makeDedicated")}</button>
    </form>
  );
}

function Merge() {
  touched.value;
  const now = opened.value;
  const [into, from] = [target(), merging.value];
  if (!now || into === NONE || from === NONE) return null;
  const [a, b] = [now.board.grids[from]!, now.board.grids[into]!];
  const households = now.draft.sums.households[from]! + now.draft.sums.households[into]!;
  const merge = async () => {
    if (await act("merge_grids", { grids: [b.code, a.code], into: b.code })) clearSketch();
  };
  return (
    <>
      <p class="tool-count">{t("mergeWould", gridName(a, language.value), gridName(b, language.value), households)}</p>
      <div class="tool-actions">
        <button type="button" class="button primary" onClick={() => void merge()}>
          {t("mergeNow")}
        </button>
        <button type="button" class="button" onClick={clearSketch}>
          {t("cancel")}
        </button>
      </div>
    </>
  );
}

/** A line splits the grid, or the block, at its middle. */
function Split() {
  touched.value;
  const now = opened.value;
  const line = corners.value;
  if (!now || line.length < 2) return <Corners least={2} />;
  const middle = line[Math.floor((line.length - 1) / 2)]!;
  const after = line[Math.floor((line.length - 1) / 2) + 1]!;
  const block = now.spots.at([(middle[0] + after[0]) / 2, (middle[1] + after[1]) / 2]);
  const grid = block === NONE ? NONE : now.draft.grid[block]!;
  const coordinates = line.map(([lon, lat]) => [lon, lat]);
  const split = async (action: "split_grid" | "split_block", what: Record<string, string>) => {
    if (await act(action, { ...what, line: coordinates })) clearSketch();
  };
  return (
    <div class="tool-actions">
      {grid !== NONE && (
        <button type="button" class="button primary" onClick={() => void split("split_grid", { grid: now.board.grids[grid]!.code })}>
          {t("splitGrid", gridName(now.board.grids[grid]!, language.value))}
        </button>
      )}
      {block !== NONE && (
        <button type="button" class="button" onClick={() => void split("split_block", { block: now.board.code[block]! })}>
          {t("splitBlock", blockName(now.board, block))}
        </button>
      )}
      <button type="button" class="button" onClick={clearSketch}>
        {t("clearLine")}
      </button>
    </div>
  );
}

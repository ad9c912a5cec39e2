/** What can be done to whole grids and to chosen blocks: assign, lock, merge, split, rename, begin a grid of their own. */

import { useSignal } from "@preact/signals";
import { announce, bounds, language, t } from "../state/store";
import { boxOf, homeOf, NONE } from "./board";
import { blockName, gridName } from "./names";
import { ended, isBusy, isEditable, locks, opened, strokeOf, touched } from "./session";
import { Sign } from "./signs";
import { chosen, clearSketch, corners, cuttingLine, merging } from "./sketch";
import { act, setLocks } from "./steps";
import { aimAt, target } from "./tools";

export function Corners({ least }: { least: number }) {
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
export function Chosen() {
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
        <button type="button" class="button" onClick={() => strokeOf(blocks, (block) => homeOf(now.board, now.draft.grid, block), "erase")}>
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
export function Locks() {
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

/** A grid of its own for a place such as a hospital or a market; its code is the next one of the community. */
function Dedicated({ codes, done }: { codes: string[]; done: () => void }) {
  const make = async (names: Names) => {
    if (!(await act("create_dedicated", { blocks: codes, ...names }))) return;
    const now = opened.peek();
    const block = now?.blockAt.get(codes[0]!);
    if (now && block !== undefined) aimAt(now.draft.grid[block]!);
    done();
  };
  return <NamesForm known={{ name_zh: "", name_en: "" }} submit={t("makeDedicated")} onSubmit={make} />;
}

/** Other names for the grid that is aimed at. */
export function Rename() {
  const isOpen = useSignal(false);
  const info = opened.value?.board.grids[target()];
  if (!info || !isEditable.value) return null;
  const rename = async (names: Names) => {
    if (await act("rename", { grid: info.code, ...names })) isOpen.value = false;
  };
  return (
    <>
      <div class="tool-actions">
        <button type="button" class="button" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
          {t("renameGrid")}
        </button>
      </div>
      {isOpen.value && (
        <NamesForm
          key={info.code}
          known={{ name_zh: info.name_zh ?? "", name_en: info.name_en ?? "" }}
          submit={t("actionRename")}
          onSubmit={rename}
        />
      )}
    </>
  );
}

interface Names {
  name_zh: string;
  name_en: string;
}

function NamesForm({ known, submit, onSubmit }: { known: Names; submit: string; onSubmit: (names: Names) => Promise<void> }) {
  const names = useSignal(known);
  const field = (name: keyof Names, word: "nameZh" | "nameEn") => (
    <label>
      {t(word)}
      <input
        required={name === "name_zh"}
        maxLength={200}
        value={names.value[name]}
        onInput={(event) => (names.value = { ...names.value, [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <form
      class="tool-form"
      onSubmit={(event) => {
        event.preventDefault();
        void onSubmit(names.peek());
      }}
    >
      {field("name_zh", "nameZh")}
      {field("name_en", "nameEn")}
      <button class="button primary" disabled={isBusy.value}>
        {submit}
      </button>
    </form>
  );
}

export function Merge() {
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

/** Without a line, the grid that is aimed at falls into halves as even as its blocks allow. */
function Halves() {
  const info = opened.value?.board.grids[target()];
  return (
    <>
      <Corners least={2} />
      {info && (
        <div class="tool-actions">
          <button type="button" class="button" onClick={() => void act("split_grid", { grid: info.code })}>
            {t("halveGrid", gridName(info, language.value))}
          </button>
        </div>
      )}
    </>
  );
}

/** A line splits the grid, or the block, at its middle. */
export function Split() {
  touched.value;
  const now = opened.value;
  const line = corners.value;
  if (!now) return null;
  if (line.length < 2) return <Halves />;
  const middle = line[Math.floor((line.length - 1) / 2)]!;
  const after = line[Math.floor((line.length - 1) / 2) + 1]!;
  const block = now.spots.at([(middle[0] + after[0]) / 2, (middle[1] + after[1]) / 2]);
  const grid = block === NONE ? NONE : now.draft.grid[block]!;
  const split = async (action: "split_grid" | "split_block", what: Record<string, string>, cut: Iterable<number>) => {
    const own = new Set(cut);
    const whole = cuttingLine(line, (end) => own.has(now.spots.at(end)), boxOf(now.board, own) ?? [0, 0, 0, 0]);
    if (await act(action, { ...what, line: whole })) clearSketch();
  };
  return (
    <div class="tool-actions">
      {grid !== NONE && (
        <button
          type="button"
          class="button primary"
          onClick={() => void split("split_grid", { grid: now.board.grids[grid]!.code }, now.draft.blocksOf(grid))}
        >
          {t("splitGrid", gridName(now.board.grids[grid]!, language.value))}
        </button>
      )}
      {block !== NONE && (
        <button
          type="button"
          class="button"
          onClick={() => void split("split_block", { block: now.board.code[block]! }, [block])}
        >
          {t("splitBlock", blockName(now.board, block))}
        </button>
      )}
      <button type="button" class="button" onClick={clearSketch}>
        {t("clearLine")}
      </button>
    </div>
  );
}

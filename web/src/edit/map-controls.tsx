/** On the map: draft or plan in force, the meaning of colours and marks, and what the pointer is on. */

import { useSignal } from "@preact/signals";
import { toggled } from "../map/legend";
import { catalog, chosenLayers, language, shade, t, usual, visible } from "../state/store";
import { SwatchMark } from "../panels/swatch";
import { baseGrid, NONE } from "./board";
import { choices, choose, TINTS, VIEWS, type View } from "./choices";
import { describeBlock, deviationText } from "./describe";
import { patternImage, PATTERNS } from "./draw";
import { GRIDS, INK, LOADS, OPACITY } from "./palette";
import { gridName } from "./names";
import { opened, touched } from "./session";
import { pointed } from "./sketch";
import { previewed } from "./proposal";

const VIEW_WORDS = { plan: "showDraft", swipe: "showSwipe", current: "showCurrent" } as const;
const VIEW_TITLES = { plan: "showDraftHint", swipe: "showSwipeHint", current: "showCurrentHint" } as const;
const VIEW_KEYS = { plan: undefined, swipe: "W", current: "C" } as const;
const TINT_WORDS = { load: "tintLoad", grid: "tintGrid", moved: "tintMoved" } as const;

/** Which of the two is seen, and by what it is coloured. */
export function ShownSwitch() {
  const { shown, tint, traced } = choices.value;
  const show = (view: View) => {
    // An alternative may lie at the right of the divider, but not under another view.
    if (view !== "swipe") previewed.value = null;
    choose({ shown: view });
  };
  return (
    <div class="shown">
      <div class="segments" role="group" aria-label={t("shownPlan")}>
        {VIEWS.map((view) => (
          <button
            type="button"
            key={view}
            data-view={view}
            aria-pressed={shown === view && (view === "swipe" || previewed.value === null)}
            aria-keyshortcuts={VIEW_KEYS[view]}
            title={t(VIEW_TITLES[view])}
            onClick={() => show(view)}
          >
            {t(VIEW_WORDS[view])}
          </button>
        ))}
      </div>
      <div class="segments" role="group" aria-label={t("tint")}>
        {TINTS.map((one) => (
          <button type="button" key={one} aria-pressed={tint === one} onClick={() => choose({ tint: one })}>
            {t(TINT_WORDS[one])}
          </button>
        ))}
      </div>
      <label class="check">
        <input type="checkbox" checked={traced} onChange={(event) => choose({ traced: event.currentTarget.checked })} />
        {t("traceCurrent")}
      </label>
    </div>
  );
}

/** What the pointer or the crosshair is on. */
export function PointedCard() {
  touched.value;
  const now = opened.value;
  const block = pointed.value;
  if (!now || block === NONE) return null;
  const grid = now.draft.grid[block]!;
  const info = now.board.grids[grid];
  const households = info ? now.draft.sums.households[grid]! : 0;
  return (
    <p class="pointed">
      {describeBlock(now, block, language.value)}
      {info && (
        <span>
          {t("householdsCount", households)}
          {info.kind !== "dedicated" && ` · ${deviationText(now.draft.sums.load[grid]!, now.board.band, language.value)}`}
        </span>
      )}
      {grid !== now.board.base[block] && <span class="pointed-moved">{t("movedFrom", nameOfBase(block))}</span>}
    </p>
  );
}

function nameOfBase(block: number): string {
  const now = opened.peek()!;
  const info = baseGrid(now.board, now.board.base[block]!);
  return info ? gridName(info, language.value) : t("noGrid");
}

/** From this width on the legend is open by itself. */
const ROOMY_PX = 1240;

export function EditLegend() {
  const open = useSignal(window.innerWidth >= ROOMY_PX);
  const { tint, traced } = choices.value;
  const tone = shade.value;
  const base = catalog.value.filter(({ id, group }) => group !== "analysis" && id !== "blocks" && id !== "grids");
  const blend = (colour: string, share: number) =>
    `color-mix(in srgb, ${colour} ${100 * share}%, ${tone === "light" ? "#f6f4ef" : "#15191e"})`;
  const loads = ["loadFarUnder", "loadUnder", "loadIn", "loadOver", "loadFarOver"] as const;
  return (
    <details class="legend-card" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{t("legend")}</summary>
      <ul class="legend">
        {tint === "load" &&
          loads.map((word, at) => (
            <li key={word}>
              <i class="key" style={{ background: blend(LOADS[tone][at]!, OPACITY[tone].kept) }} />
              {t(word)}
            </li>
          ))}
        {tint !== "load" && (
          <li>
            <i class="key keys">
              {GRIDS[tone].slice(0, 4).map((colour) => (
                <b key={colour} style={{ background: blend(colour, OPACITY[tone][tint === "moved" ? "moved" : "kept"]) }} />
              ))}
            </i>
            {t(tint === "moved" ? "legendMovedOnly" : "legendGrids")}
          </li>
        )}
        {tint !== "moved" && (
          <li>
            <i
              class="key"
              style={{ background: blend(tint === "grid" ? GRIDS[tone][2]! : LOADS[tone][2]!, OPACITY[tone].moved) }}
            />
            {t("legendMoved")}
          </li>
        )}
        <li>
          <PatternKey id="over" />
          {t("legendOver")}
        </li>
        <li>
          <PatternKey id="under" />
          {t("legendUnder")}
        </li>
        <li>
          <PatternKey id="locked" />
          {t("legendLocked")}
        </li>
        <li>
          <i class="key" style={{ background: INK[tone].loose }} />
          {t("legendLoose")}
        </li>
        <li>
          <i class="key line" style={{ borderColor: INK[tone].border }} />
          {t("legendBorder")}
        </li>
        {traced && (
          <li>
            <i class="key line dashed" style={{ borderColor: INK[tone].traced }} />
            {t("legendTraced")}
          </li>
        )}
      </ul>
      <details class="legend-layers">
        <summary>{t("otherLayers")}</summary>
        <ul>
          {base.map(({ id, title, legend }) => (
            <li key={id}>
              <label class="layer-row">
                <input
                  type="checkbox"
                  checked={visible.value.has(id)}
                  onChange={() => (chosenLayers.value = toggled(catalog.value, visible.value, id, usual.value))}
                />
                <span class="layer-title">{title[language.value]}</span>
                {legend.length === 1 && <SwatchMark swatch={legend[0]!} />}
              </label>
            </li>
          ))}
        </ul>
      </details>
    </details>
  );
}

/** A pattern exactly as the map repeats it. */
function PatternKey({ id }: { id: keyof typeof PATTERNS }) {
  const tone = shade.value;
  const draw = (canvas: HTMLCanvasElement | null) => {
    const pen = canvas?.getContext("2d");
    if (!canvas || !pen) return;
    const { width, height, data } = patternImage(id, tone);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (let left = 0; left < canvas.width; left += width) {
      for (let top = 0; top < canvas.height; top += height)
        pen.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), left, top);
    }
  };
  return <canvas class="key" key={`${id} ${tone}`} width={44} height={28} ref={draw} />;
}

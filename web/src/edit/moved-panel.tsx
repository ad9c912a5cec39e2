/** Whose grid changes: the households that move, block by block, and each can be put back. */

import { computed, useSignal } from "@preact/signals";
import { formatNumber } from "../format";
import { language, t } from "../state/store";
import { moves, type Move } from "./balance";
import { baseGrid } from "./board";
import { noticeHref } from "./http";
import { blockName, gridName, percent } from "./names";
import { ended, isEditable, opened, planId, strokeOf, touched } from "./session";
import { showBlocks } from "./show";
import { Sign } from "./signs";

const SOME = 100;

const list = computed(() => {
  ended.value;
  const now = opened.value;
  return now ? moves(now.draft) : [];
});

const total = computed(() => opened.value?.board.measure.households.reduce((sum, one) => sum + one, 0) ?? 0);

export function MovedPanel() {
  touched.value;
  const all = useSignal(false);
  const now = opened.value;
  if (!now) return null;
  const { moved, changedHouseholds } = now.draft;
  const shown = all.value ? list.value : list.value.slice(0, SOME);
  return (
    <div class="panel-scroll">
      <p class="moved-total" data-households={changedHouseholds}>
        <strong>{formatNumber(changedHouseholds, language.value)}</strong>{" "}
        {t("movedHouseholds", percent(total.value > 0 ? changedHouseholds / total.value : 0))}
      </p>
      <p class="hint moved-said">
        <span>{moved.size === 0 ? t("nothingMoved") : t("movedBlocks", moved.size)}</span>
        {moved.size > 0 && planId.value !== null && (
          <a href={noticeHref(planId.value, "csv")} download>
            {t("movedCsv")}
          </a>
        )}
      </p>
      <ul class="moves">
        {shown.map((move) => (
          <MoveRow key={move.block} move={move} />
        ))}
      </ul>
      {list.value.length > shown.length && (
        <button type="button" class="link" onClick={() => (all.value = true)}>
          {t("showAll", list.value.length)}
        </button>
      )}
    </div>
  );
}

function MoveRow({ move: { block, from, to, households } }: { move: Move }) {
  const now = opened.value;
  if (!now) return null;
  const name = (grid: number) => {
    const info = baseGrid(now.board, grid);
    return info ? gridName(info, language.value) : t("noGrid");
  };
  return (
    <li class="move">
      <button type="button" class="warning" onClick={() => showBlocks([block])} title={t("showSpot")}>
        <span class="move-way">
          {name(from)} <Sign name="arrow" />
          <span class="unseen">{t("goesTo")}</span> {name(to)}
        </span>
        <small>
          {t("blockNamed", blockName(now.board, block))} · {t("householdsCount", households)}
        </small>
      </button>
      {isEditable.value && from < now.board.grids.length && (
        <button
          type="button"
          class="icon-button"
          aria-label={t("putBackNamed", blockName(now.board, block))}
          title={t("putBack")}
          onClick={() => strokeOf([block], from, "erase")}
        >
          <Sign name="undo" />
        </button>
      )}
    </li>
  );
}

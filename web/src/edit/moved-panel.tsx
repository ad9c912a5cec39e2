/** Whose grid changes: the households that move, block by block, and each can be put back. */

import { computed, useSignal } from "@preact/signals";
import { formatNumber } from "../format";
import { language, t } from "../state/store";
import { moves, type Move } from "./balance";
import { NONE } from "./board";
import { blockName, gridName, percent } from "./names";
import { ended, isEditable, opened, strokeOf, touched } from "./session";
import { showBlocks } from "./show";
import { Sign } from "./signs";

const SOME = 100;

const list = computed(() => {
  ended.value;
  const now = opened.value;
  return now ? moves(now.board, now.draft.grid) : [];
});

export function MovedPanel() {
  touched.value;
  const all = useSignal(false);
  const now = opened.value;
  if (!now) return null;
  const { changedCount, changedHouseholds, board } = now.draft;
  const total = board.measure.households.reduce((sum, one) => sum + one, 0);
  const shown = all.value ? list.value : list.value.slice(0, SOME);
  return (
    <div class="panel-scroll">
      <p class="moved-total" data-households={changedHouseholds}>
        <strong>{formatNumber(changedHouseholds, language.value)}</strong>{" "}
        {t("movedHouseholds", percent(total > 0 ? changedHouseholds / total : 0))}
      </p>
      <p class="hint">{changedCount === 0 ? t("nothingMoved") : t("movedBlocks", changedCount)}</p>
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
  const name = (grid: number) => (grid === NONE ? t("noGrid") : gridName(now.board.grids[grid]!, language.value));
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
      {isEditable.value && (
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

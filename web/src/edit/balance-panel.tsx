/** The balance of all grids, live: sorted by any column, only the rows in sight drawn, however many there are. */

import { computed, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatNumber } from "../format";
import { language, t } from "../state/store";
import { deviation, loadOf, Order, type Sort } from "./balance";
import type { Band } from "./board";
import { choices, choose } from "./choices";
import { deviationText } from "./describe";
import { GridChip } from "./grid-chip";
import { gridName } from "./names";
import { ended, locks, opened, touched } from "./session";
import { showGrid } from "./show";
import { Sign } from "./signs";
import { aimAt, target } from "./tools";
import { Weights } from "./weights";

const COLUMNS = [
  { sort: "code", word: "columnGrid" },
  { sort: "households", word: "columnHouseholds" },
  { sort: "load", word: "columnLoad" },
  { sort: "deviation", word: "columnDeviation" },
  { sort: "rentals", word: "columnRentals" },
  { sort: "keyUnits", word: "columnKeyUnits" },
  { sort: "incidents", word: "columnIncidents" },
  { sort: "areaM2", word: "columnArea" },
  { sort: "positions", word: "columnPositions" },
] as const satisfies readonly { sort: Sort; word: string }[];

/** Height of a row, in pixels; the style sheet keeps to it. */
const ROW_PX = 40;
const SPARE_ROWS = 8;

const rows = new Order();
const order = computed(() => {
  ended.value;
  const now = opened.value;
  const { sort, falling, onlyOut } = choices.value;
  return now ? rows.of(now.board, now.draft.sums, sort, falling, onlyOut) : [];
});

export function BalancePanel() {
  return (
    <>
      <Summary />
      <Table />
    </>
  );
}

function Summary() {
  touched.value;
  const now = opened.value;
  if (!now) return null;
  const { band } = now.board;
  const { warnings } = now;
  return (
    <div class="balance-summary">
      <p>
        {t("balanceOf", now.board.grids.length - warnings.count(["empty"]))}{" "}
        <strong class="load-under">{t("underCount", warnings.count(["under"]))}</strong> ·{" "}
        <strong class="load-over">{t("overCount", warnings.count(["over"]))}</strong>
      </p>
      <p class="hint">{t(now.board.countsHouseholds ? "bandIs" : "loadBandIs", band.target, band.low, band.high)}</p>
      <label class="check">
        <input
          type="checkbox"
          checked={choices.value.onlyOut}
          onChange={(event) => choose({ onlyOut: event.currentTarget.checked })}
        />
        {t("onlyOut")}
      </label>
      <Weights />
    </div>
  );
}

function Table() {
  const box = useRef<HTMLDivElement>(null);
  const seen = useSignal({ top: 0, height: 600 });
  const first = useComputed(() => Math.max(0, Math.floor(seen.value.top / ROW_PX) - SPARE_ROWS));
  const count = useComputed(() => Math.ceil(seen.value.height / ROW_PX) + 2 * SPARE_ROWS);
  const rows = order.value;
  const look = () => {
    if (box.current) seen.value = { top: box.current.scrollTop, height: box.current.clientHeight };
  };
  useEffect(() => {
    const watch = new ResizeObserver(look);
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const last = Math.min(rows.length, first.value + count.value);
  return (
    <div class="balance" ref={box} onScroll={look} tabIndex={0} role="region" aria-label={t("balanceTable")}>
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>{COLUMNS.map((column) => isShown(column.sort) && <Heading key={column.sort} {...column} />)}</tr>
        </thead>
        <tbody>
          <Spacer rows={first.value} />
          {rows.slice(first.value, last).map((grid, at) => (
            <Row key={grid} grid={grid} at={first.value + at} />
          ))}
          <Spacer rows={rows.length - last} />
        </tbody>
      </table>
      {rows.length === 0 && <p class="hint nothing">{t("noneOut")}</p>}
    </div>
  );
}

function Spacer({ rows }: { rows: number }) {
  return rows > 0 ? <tr aria-hidden="true" style={{ height: `${rows * ROW_PX}px` }} /> : null;
}

/** Where households alone make the load, it needs no column of its own. */
function isShown(column: Sort): boolean {
  return column !== "load" || opened.value?.board.countsHouseholds === false;
}

function Heading({ sort, word }: (typeof COLUMNS)[number]) {
  const { sort: by, falling } = choices.value;
  const isSorted = by === sort;
  const turn = () => choose({ sort, falling: isSorted ? !falling : sort !== "code" });
  return (
    <th scope="col" data-column={sort} aria-sort={isSorted ? (falling ? "descending" : "ascending") : undefined}>
      <button type="button" onClick={turn}>
        {t(word)}
        <span class="sort-sign" aria-hidden="true">
          {isSorted ? (falling ? "↓" : "↑") : ""}
        </span>
      </button>
    </th>
  );
}

function Row({ grid, at }: { grid: number; at: number }) {
  touched.value;
  const now = opened.value;
  const info = now?.board.grids[grid];
  if (!now || !info) return null;
  const { sums } = now.draft;
  const number = (value: number) => formatNumber(value, language.value);
  const load = loadOf(sums.load[grid]!, info.kind, now.board.band);
  const pick = () => {
    aimAt(grid);
    showGrid(grid);
  };
  return (
    <tr aria-rowindex={at + 2} data-grid={info.code} data-load={load} data-target={grid === target()}>
      <th scope="row">
        <button
          type="button"
          class="row-grid"
          onClick={pick}
          aria-pressed={grid === target()}
          title={`${gridName(info, language.value)} · ${t("pickGrid")}`}
        >
          <GridChip grid={grid} />
          <span class="row-name">
            <span>{gridName(info, language.value)}</span>
            <small>{info.code}</small>
          </span>
          {locks.value.grids.includes(info.code) && <Sign name="lock" />}
        </button>
      </th>
      <td>{number(sums.households[grid]!)}</td>
      {isShown("load") && <td>{number(Math.round(sums.load[grid]!))}</td>}
      <td class="cell-deviation">
        {info.kind === "dedicated" ? (
          <span class="hint">{t("kindDedicated")}</span>
        ) : (
          <Deviation sum={sums.load[grid]!} band={now.board.band} />
        )}
      </td>
      <td>{number(sums.rentals[grid]!)}</td>
      <td>{number(sums.keyUnits[grid]!)}</td>
      <td>{number(Math.round(sums.incidents[grid]!))}</td>
      <td>{(sums.areaM2[grid]! / 1e6).toFixed(2)}</td>
      <td>{info.positions_count === null ? t("empty") : number(info.positions_count)}</td>
    </tr>
  );
}

/** A bar from the target to either side; the band is marked beneath it, and the text says all that the bar does. */
function Deviation({ sum, band }: { sum: number; band: Band }) {
  const share = deviation(sum, band);
  const load = loadOf(sum, "comprehensive", band);
  // The whole width is from nothing to twice the target.
  const place = (value: number) => 50 * (1 + Math.max(-1, Math.min(1, value)));
  const [from, to] = [place(Math.min(0, share)), place(Math.max(0, share))];
  const [low, high] = [place(deviation(band.low, band)), place(deviation(band.high, band))];
  return (
    <span class="deviation" data-load={load}>
      <span class="deviation-bar" aria-hidden="true">
        <i class="deviation-band" style={{ left: `${low}%`, width: `${high - low}%` }} />
        <i class="deviation-value" style={{ left: `${from}%`, width: `${to - from}%` }} />
        <i class="deviation-target" />
      </span>
      <span class="deviation-text">
        {deviationText(sum, band, language.value)}
        {load !== "in" && <span aria-hidden="true">{load === "over" ? " ▲" : " ▼"}</span>}
        {load !== "in" && <span class="unseen">{t(load === "over" ? "overBand" : "underBand")}</span>}
      </span>
    </span>
  );
}

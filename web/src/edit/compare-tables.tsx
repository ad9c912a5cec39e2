/** Plan against plan: totals, then each grid that changes. */

import { useSignal } from "@preact/signals";
import { formatNumber } from "../format";
import { language, t } from "../state/store";
import type { Comparison } from "./http";
import { gridName, percent } from "./names";
import { opened } from "./session";
import { showGrid } from "./show";

const SOME = 40;

const TOTALS = [
  { of: "households_moved_count", word: "totalMoved" },
  { of: "households_moved_share", word: "totalMovedShare" },
  { of: "blocks_moved_count", word: "totalBlocks" },
  { of: "rentals_moved", word: "totalRentals" },
  { of: "key_units_moved", word: "totalUnits" },
  { of: "incidents_per_year_moved", word: "totalIncidents" },
  { of: "grids_before_count", word: "totalGridsBefore" },
  { of: "grids_after_count", word: "totalGrids" },
] as const;

export function CompareTables({ totals, grids }: Comparison) {
  const all = useSignal(false);
  const shown = all.value ? grids : grids.slice(0, SOME);
  return (
    <>
      <table class="numbers totals">
        <caption class="unseen">{t("compareTotals")}</caption>
        <tbody>
          {TOTALS.map(({ of, word }) => (
            <tr key={of} data-total={of}>
              <th scope="row">{t(word)}</th>
              <td>{said(of, totals[of])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="table-wide">
        <table class="compare">
          <caption>{t("changedGrids", grids.length)}</caption>
          <thead>
            <tr>
              <th scope="col">{t("columnGrid")}</th>
              <th scope="col">{t("columnHouseholds")}</th>
              <th scope="col">{t("columnKeyUnits")}</th>
              <th scope="col">{t("columnIncidents")}</th>
              <th scope="col">{t("columnCompact")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <Row key={String(row.code)} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      {grids.length > shown.length && (
        <button type="button" class="link" onClick={() => (all.value = true)}>
          {t("showAll", grids.length)}
        </button>
      )}
    </>
  );
}

type GridRow = Comparison["grids"][number];

function Row({ row }: { row: GridRow }) {
  const now = opened.value;
  const code = String(row.code);
  const grid = now?.gridAt.get(code);
  const info = grid === undefined ? undefined : now?.board.grids[grid];
  const handed = (into: unknown, out: unknown) =>
    into || out ? t("inAndOut", Math.round(Number(into)), Math.round(Number(out))) : t("empty");
  return (
    <tr>
      <th scope="row">
        {info && grid !== undefined ? (
          <button type="button" class="link" onClick={() => showGrid(grid)}>
            {gridName(info, language.value)}
          </button>
        ) : (
          code
        )}
      </th>
      <td>
        <Change before={row.households_before} after={row.households} />
      </td>
      <td>{handed(row.key_units_in, row.key_units_out)}</td>
      <td>{handed(row.incidents_per_year_in, row.incidents_per_year_out)}</td>
      <td>
        <Change before={row.compactness_before} after={row.compactness} />
      </td>
    </tr>
  );
}

function Change({ before, after }: { before: unknown; after: unknown }) {
  const number = (value: unknown) =>
    typeof value === "number"
      ? formatNumber(value > 1 ? Math.round(value) : Number(value.toFixed(2)), language.value)
      : t("empty");
  if (number(before) === number(after)) return <>{number(after)}</>;
  return (
    <>
      <span class="before">{number(before)}</span> → {number(after)}
    </>
  );
}

function said(name: string, value: unknown): string {
  if (typeof value !== "number") return t("empty");
  return name.endsWith("_share") ? percent(value) : formatNumber(Math.round(value), language.value);
}

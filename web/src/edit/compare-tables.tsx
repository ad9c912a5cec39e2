/** Plan against plan: totals, then each grid that changes. */

import { useSignal } from "@preact/signals";
import { formatNumber } from "../format";
import { language, t } from "../state/store";
import type { Comparison } from "./http";
import { gridName, percent } from "./names";
import { opened } from "./session";
import { showGrid } from "./show";

const SOME = 40;

const TOTAL_WORDS: Record<string, "totalGrids" | "totalGridsBefore" | "totalMoved" | "totalMovedShare" | "totalOut" | "totalOutBefore" | "totalCompact" | "totalCompactBefore" | "totalUnits" | "totalIncidents"> = {
  grids: "totalGrids",
  grids_before: "totalGridsBefore",
  households_moved: "totalMoved",
  households_moved_share: "totalMovedShare",
  out_of_band: "totalOut",
  out_of_band_before: "totalOutBefore",
  compactness: "totalCompact",
  compactness_before: "totalCompactBefore",
  key_units_moved: "totalUnits",
  incidents_moved: "totalIncidents",
};

export function CompareTables({ totals, grids }: Comparison) {
  const all = useSignal(false);
  const changed = grids.filter((row) => isChanged(row));
  const shown = all.value ? changed : changed.slice(0, SOME);
  return (
    <>
      <table class="numbers totals">
        <caption class="unseen">{t("compareTotals")}</caption>
        <tbody>
          {Object.entries(totals)
            .filter(([name]) => name in TOTAL_WORDS)
            .map(([name, value]) => (
              <tr key={name} data-total={name}>
                <th scope="row">{t(TOTAL_WORDS[name]!)}</th>
                <td>{said(name, value)}</td>
              </tr>
            ))}
        </tbody>
      </table>
      <div class="table-wide">
        <table class="compare">
          <caption>{t("changedGrids", changed.length)}</caption>
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
      {changed.length > shown.length && (
        <button type="button" class="link" onClick={() => (all.value = true)}>
          {t("showAll", changed.length)}
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
  const handed = (into: unknown, out: unknown) => (Number(into) || Number(out) ? t("inAndOut", Number(into) || 0, Number(out) || 0) : t("empty"));
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
      <td>{handed(row.incidents_in, row.incidents_out)}</td>
      <td>
        <Change before={row.compactness_before} after={row.compactness} />
      </td>
    </tr>
  );
}

function Change({ before, after }: { before: unknown; after: unknown }) {
  const number = (value: unknown) => (typeof value === "number" ? formatNumber(value > 1 ? Math.round(value) : Number(value.toFixed(2)), language.value) : t("empty"));
  if (number(before) === number(after)) return <>{number(after)}</>;
  return (
    <>
      <span class="before">{number(before)}</span> → {number(after)}
    </>
  );
}

function isChanged(row: GridRow): boolean {
  const handed = ["key_units_in", "key_units_out", "incidents_in", "incidents_out"].some((name) => Number(row[name]) > 0);
  return handed || row.households !== row.households_before || row.compactness !== row.compactness_before;
}

function said(name: string, value: number | null): string {
  if (value === null) return t("empty");
  if (name.endsWith("_share")) return percent(value);
  if (name.startsWith("compactness")) return value.toFixed(3);
  return formatNumber(value, language.value);
}

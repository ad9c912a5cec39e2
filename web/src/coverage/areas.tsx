/** Communities and grids that have a gap, those with most in it first. */

import { computed, effect, signal } from "@preact/signals";
import * as api from "../api";
import { formatNumber, nameOf } from "../format";
import { city, language, report, t } from "../state/store";
import { summary, type AreaRow } from "./answer";
import { minutesText, shareText } from "./said";

const MOST_NAMES = 10_000;
const SHOWN = 30;

const communities = signal<api.Feature[]>([]);
const names = computed(() => new Map(communities.value.map((one) => [String(one.properties.code), nameOf(one, language.value)])));

/** The names of the communities, once there is a city to have any. */
export function followNames(): void {
  const stop = effect(() => {
    if (!city.value) return;
    queueMicrotask(() => stop());
    api
      .items("communities", { limit: MOST_NAMES }, new AbortController().signal)
      .then((found) => (communities.value = found.features))
      .catch((error: unknown) => report(error));
  });
}

export function Areas() {
  const said = summary.value;
  if (!said) return null;
  if (said.by_community.length + said.by_grid.length === 0) return <p class="hint">{t("noAreas")}</p>;
  return (
    <>
      <AreaTable title={t("communitiesWithGaps")} rows={said.by_community} code={(row) => row.community_code ?? ""} />
      <AreaTable title={t("gridsWithGaps")} rows={said.by_grid} code={(row) => row.grid_code ?? ""} />
    </>
  );
}

function AreaTable({ title, rows, code }: { title: string; rows: AreaRow[]; code: (row: AreaRow) => string }) {
  if (rows.length === 0) return null;
  return (
    <div class="table-wide" tabIndex={0} role="group" aria-label={title}>
      <table class="table">
        <caption>
          {title} · {t("tableRows", rows.length)}
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("area")}</th>
            <th scope="col">{t("gapColumn")}</th>
            <th scope="col">{t("coveredColumn")}</th>
            <th scope="col">{t("meanColumn")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN).map((row) => (
            <tr key={code(row)}>
              <th scope="row">{names.value.get(code(row)) ?? code(row)}</th>
              <td data-number="true">{formatNumber(row.gap_weight, language.value)}</td>
              <td data-number="true">{shareText(row.covered_share)}</td>
              <td data-number="true">{minutesText(row.mean_min)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

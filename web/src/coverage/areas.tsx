/** Communities and grids that have a gap, those with most in it first. */

import { formatNumber } from "../format";
import { communityName } from "../hotspots/places";
import { language, t } from "../state/store";
import { summary, type AreaRow } from "./answer";
import { minutesText, shareText } from "./said";

const SHOWN = 30;

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
              <th scope="row">{communityName(code(row), language.value) ?? code(row)}</th>
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

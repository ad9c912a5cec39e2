/** Minutes of presence at each hotspot, against what studies advise. */

import { named } from "../panels/numbers";
import { language, t } from "../state/store";
import { routes, summary, words, type DoseRow } from "./answer";
import { minutesText, stopName } from "./said";

/** Minutes of a halt that studies advise (Koper 1995). */
const ADVISED = [10, 16] as const;

export function Dose() {
  const rows = summary.value?.dose_table ?? [];
  const most = Math.max(2 * ADVISED[1], ...rows.map(({ dose_min }) => dose_min));
  const share = (minutes: number) => `${(100 * minutes) / most}%`;
  return (
    <>
      <p class="hint">{t("patrolDoseHint")}</p>
      <div class="table-wide" tabIndex={0} role="group" aria-label={t("patrolList_dose")}>
        <table class="table dose" style={{ "--from": share(ADVISED[0]), "--to": share(ADVISED[1]) }}>
          <thead>
            <tr>
              <th scope="col">{t("patrolHotspot")}</th>
              <th scope="col">{t("patrolVisits")}</th>
              <th scope="col">{t("patrolMinutes")}</th>
              <th scope="col">{t("patrolJudged")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.stop_code}>
                <th scope="row">{nameOf(row)}</th>
                <td data-number="true">{`${row.planned_count}/${row.visits_count}`}</td>
                <td data-number="true">
                  {minutesText(row.dose_min)}
                  <span class="dose-bar" aria-hidden="true">
                    <i style={{ width: share(row.dose_min) }} data-dose={row.dose} />
                  </span>
                </td>
                <td>{named(row.dose, words.value, language.value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** By the place of a halt there, or of the line that says why there is none. */
function nameOf({ stop_code: code }: DoseRow): string {
  const halt = routes.value.flatMap(({ halts }) => halts).find((one) => one.code === code);
  if (halt) return stopName(halt);
  const lost = summary.value?.unserved.find(({ stop_code }) => stop_code === code);
  return lost ? stopName({ code, at: [lost.lon, lost.lat] }) : code;
}

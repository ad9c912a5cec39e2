/** Stops that are visited less often than asked for, and why; each can be given to a unit. */

import { handle } from "../map/handle";
import { named } from "../panels/numbers";
import { language, t } from "../state/store";
import { isCurrent, routes, summary, words } from "./answer";
import { give } from "./moves";
import type { Halt, Unserved as Row } from "./plan";
import { stopName } from "./said";

const CLOSE_ZOOM = 15;

/** As something that has a name. */
export function unservedStop({ stop_code: code, name, lon, lat }: Row): Pick<Halt, "code" | "at" | "name"> {
  return { code, at: [lon, lat], name: { zh: name, en: null } };
}

export function Unserved() {
  const rows = summary.value?.unserved ?? [];
  if (rows.length === 0) return <p class="hint">{t("patrolAllServed")}</p>;
  return (
    <ol class="places">
      {rows.map((row) => {
        const { stop_code: code, lon, lat, weight, visits_missing_count: missing, reason } = row;
        const called = stopName(unservedStop(row));
        return (
          <li class="gap-row" key={`${code}${reason}`} data-unserved={code}>
            <button type="button" class="place" onClick={() => handle.value?.fit([lon, lat, lon, lat], CLOSE_ZOOM)}>
              <span class="place-text">
                <strong>{called}</strong>
                <span class="place-finding">{named(reason, words.value, language.value)}</span>
                <span class="place-more">
                  {t("patrolMissing", missing)} · {t("patrolWeight", weight)}
                </span>
              </span>
            </button>
            {(reason === "no_time_left" || reason === "not_in_orders") && <Give code={code} name={called} />}
          </li>
        );
      })}
    </ol>
  );
}

function Give({ code, name }: { code: string; name: string }) {
  return (
    <details class="move">
      <summary aria-label={`${t("patrolGiveTo")} ${name}`}>{t("patrolGiveTo")}</summary>
      <div class="move-ways">
        {routes.value.map(({ unit }) => (
          <button type="button" key={unit} disabled={!isCurrent.value} aria-label={t("patrolGive", name, unit)} onClick={() => give(code, unit, name)}>
            {t("patrolUnitName", unit)}
          </button>
        ))}
      </div>
    </details>
  );
}

/** The page of a server without a city: how to make one. */

import { t } from "../state/store";
import { Mark } from "./icons";

const DEMO = "wangge demo";
const OWN = ["wangge city create suzhou --metric-crs EPSG:4549 --time-zone Asia/Shanghai", "wangge import grids grids.gpkg"];

export function NoCity() {
  return (
    <main class="empty" id="map">
      <Mark />
      <h1>{t("noCityHeading")}</h1>
      <p>{t("noCityText")}</p>
      <h2>{t("noCityDemo")}</h2>
      <pre>
        <code>{DEMO}</code>
      </pre>
      <h2>{t("noCityOwn")}</h2>
      <pre>
        <code>{OWN.join("\n")}</code>
      </pre>
      <p>{t("noCityThen")}</p>
      <button type="button" class="button primary" onClick={() => location.reload()}>
        {t("reload")}
      </button>
    </main>
  );
}

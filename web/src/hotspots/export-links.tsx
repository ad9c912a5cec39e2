/** The ways out of the page: the data as files, the map as a picture, the question as a link, the sheet on paper. */

import { exportPath } from "../api";
import { plain } from "../map/pane";
import { Icon } from "../panels/icons";
import { mayExport } from "../state/account";
import { copyLink } from "../state/share";
import { bounds, report, t } from "../state/store";
import { main } from "./answer";

export function ExportLinks() {
  const answer = main.answer.value;
  if (!answer) return null;
  const { layer, run } = answer;
  return (
    <section aria-labelledby="title-export">
      <h3 class="section-title" id="title-export">
        {t("export")}
      </h3>
      <div class="exports">
        {layer && mayExport("csv") && (
          <>
            <a class="button" href={exportPath(layer, "csv", run.run_id)} download>
              <Icon name="download" />
              CSV
            </a>
            <a class="button" href={exportPath(layer, "gpkg", run.run_id)} download>
              <Icon name="download" />
              GeoPackage
            </a>
          </>
        )}
        {!plain.value && (
          <button type="button" class="button" onClick={() => void savePicture()}>
            <Icon name="picture" />
            {t("exportPicture")}
          </button>
        )}
        <button type="button" class="button" onClick={() => void copyLink()}>
          <Icon name="link" />
          {t("exportLink")}
        </button>
      </div>
      <a class="button primary print-link" data-run={run.run_id} href={sheetAddress()} target="_blank" onClick={renew}>
        <Icon name="print" />
        {t("printSheet")}
      </a>
    </section>
  );
}

/** The sheet of the same question, of the part of the city that the map shows now. */
function sheetAddress(): string {
  const seen = bounds.value?.map((degrees) => degrees.toFixed(5)).join(",");
  return `/print/hotspots${location.hash || "#"}${seen ? `&box=${seen}` : ""}`;
}

/** The address of the page changes without this being drawn anew; the link follows it when it is used. */
function renew(event: MouseEvent): void {
  if (event.currentTarget instanceof HTMLAnchorElement) event.currentTarget.href = sheetAddress();
}

async function savePicture(): Promise<void> {
  try {
    const { pictureOfMap } = await import("./picture");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await pictureOfMap());
    link.download = `wangge-${main.answer.peek()?.service ?? "map"}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    report(error);
  }
}

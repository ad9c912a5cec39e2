/** A plan from a file that somebody drew elsewhere: chosen, sent, and told how well it follows the blocks. */

import { signal, useSignal } from "@preact/signals";
import { ApiProblem } from "../api";
import { formatNumber } from "../format";
import { announce, language, report, t } from "../state/store";
import * as http from "./http";
import { percent } from "./names";

/** In which coordinates a file is that does not say so. */
const SYSTEMS = ["", "wgs84", "cgcs2000", "gcj02", "bd09"] as const;
const SYSTEM_WORDS = {
  "": "systemOfFile",
  wgs84: "systemWgs84",
  cgcs2000: "systemCgcs2000",
  gcj02: "systemGcj02",
  bd09: "systemBd09",
} as const;

const drawn = signal<http.Drawn | null>(null);

interface DrawingFormProps {
  /** What the draft is called where nothing else is said. */
  usualTitle: string;
  href: (plan: number) => string;
  /** Called when there is a draft more. */
  onMade: () => void;
  onThrownAway: (plan: number) => Promise<void>;
}

export function DrawingForm({ usualTitle, href, onMade, onThrownAway }: DrawingFormProps) {
  const isSending = useSignal(false);
  const refused = useSignal<readonly string[]>([]);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const file = data.get("file") as File;
    if (!String(data.get("title")).trim()) data.set("title", file.name.replace(/\.[^.]+$/, "") || usualTitle);
    for (const name of ["crs", "code"]) if (String(data.get(name)).trim() === "") data.delete(name);
    isSending.value = true;
    refused.value = [];
    drawn.value = null;
    try {
      drawn.value = await http.sendDrawing(data);
      announce(t("drawingMade"));
      form.reset();
      onMade();
    } catch (error) {
      if (error instanceof ApiProblem && error.status !== 0 && error.status < 500) refused.value = [error.said(language.peek()), ...error.details(language.peek())];
      else report(error);
    }
    isSending.value = false;
  };
  return (
    <details class="drawing">
      <summary>{t("drawingImport")}</summary>
      <p class="hint">{t("drawingHint")}</p>
      <form class="new-draft" onSubmit={(event) => void send(event)}>
        <label>
          {t("drawingFile")}
          <input type="file" name="file" required accept=".gpkg,.geojson,.json,.zip,.parquet,.csv,.xlsx" />
        </label>
        <label class="drawing-system">
          {t("drawingSystem")}
          <select name="crs">
            {SYSTEMS.map((one) => (
              <option key={one} value={one}>
                {t(SYSTEM_WORDS[one])}
              </option>
            ))}
          </select>
        </label>
        <label class="drawing-system">
          {t("drawingCode")}
          <input name="code" maxLength={60} placeholder="code" />
        </label>
        <label>
          {t("drawingTitle")}
          <input name="title" maxLength={200} placeholder={t("drawingTitleHint")} />
        </label>
        <button class="button primary" disabled={isSending.value}>
          {t(isSending.value ? "drawingSending" : "drawingSend")}
        </button>
      </form>
      {refused.value.length > 0 && (
        <div class="job job-failed" role="alert">
          {refused.value.map((line) => (
            <p key={line}>{line}</p>
          ))}
        </div>
      )}
      {drawn.value && <FitReport drawn={drawn.value} href={href} onThrownAway={onThrownAway} />}
    </details>
  );
}

const SOME = 20;

function FitReport({ drawn: { id, title, fit }, href, onThrownAway }: { drawn: http.Drawn } & Pick<DrawingFormProps, "href" | "onThrownAway">) {
  const number = (value: number) => formatNumber(value, language.value);
  const { blocks_cut_count: cut = 0, households_in_cut_blocks_share: share, cut_blocks = [] } = fit;
  const isClean = cut === 0 && fit.blocks_without_grid_count === 0;
  const shown = cut_blocks.slice(0, SOME);
  return (
    <section class="fit" role="status" aria-labelledby="fit-title">
      <h3 id="fit-title">{t("fitTitle", title)}</h3>
      <p class={isClean ? "all-well" : undefined}>{t(isClean ? "fitClean" : "fitUnclean")}</p>
      <dl class="rows">
        <Fact word="fitGrids" value={number(fit.grids_count)} />
        <Fact word="fitBlocks" value={number(fit.blocks_count)} />
        <Fact word="fitLoose" value={number(fit.blocks_without_grid_count)} />
        <Fact word="fitNew" value={number(fit.grids_new.length)} />
        {share !== undefined && <Fact word="fitCut" value={number(cut)} />}
        {share !== undefined && <Fact word="fitCutShare" value={percent(share)} />}
      </dl>
      {shown.length > 0 && (
        <details>
          <summary>{t("fitWorst", shown.length)}</summary>
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">{t("fitBlock")}</th>
                <th scope="col">{t("columnGrid")}</th>
                <th scope="col">{t("fitInside")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ block, grid, inside_share }) => (
                <tr key={block}>
                  <th scope="row">{block}</th>
                  <td>{grid}</td>
                  <td>{percent(inside_share)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
      <div class="tool-actions">
        <a class="button primary" href={href(id)}>
          {t("fitOpen")}
        </a>
        <button
          type="button"
          class="button"
          onClick={() => void onThrownAway(id).then(() => (drawn.value = null))}
        >
          {t("throwAway")}
        </button>
      </div>
    </section>
  );
}

function Fact({ word, value }: { word: "fitGrids" | "fitBlocks" | "fitLoose" | "fitNew" | "fitCut" | "fitCutShare"; value: string }) {
  return (
    <div>
      <dt>{t(word)}</dt>
      <dd data-fit={word}>{value}</dd>
    </div>
  );
}

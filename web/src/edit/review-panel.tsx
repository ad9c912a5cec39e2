/** The way of a plan: compared, handed in, approved or sent back by another desk, published for a day. */

import { useSignal } from "@preact/signals";
import { formatDay } from "../format";
import { dayOf } from "../state/time";
import { announce, language, t, timeZone } from "../state/store";
import { CheckRow } from "./check-row";
import { blocking, isChecking } from "./checks";
import { comparison, isComparing } from "./compare";
import { CompareTables } from "./compare-tables";
import * as http from "./http";
import { desk } from "./memory";
import { DESK_WORDS, deskName, STATE_WORDS } from "./plan-bar";
import { isBusy, plan } from "./session";
import { turn } from "./steps";
import { warningsCount } from "./warnings-panel";

const WAY = ["draft", "review", "approved", "effective"] as const;

export function ReviewPanel() {
  const now = plan.value;
  if (!now) return null;
  return (
    <div class="panel-scroll">
      <Way state={now.state} />
      {now.state === "draft" && now.note !== "" && (
        <div class="note" role="note">
          <strong>{t("sentBackWith")}</strong>
          <p>{now.note}</p>
        </div>
      )}
      <Turns />
      <Files id={now.id} isPublished={now.effective_on !== null} />
      <h3 class="section-title">{t("compareTitle")}</h3>
      {comparison.value ? <CompareTables {...comparison.value} /> : isComparing.value && <p class="hint">{t("comparing")}</p>}
    </div>
  );
}

/** Where on its way the plan is. */
function Way({ state }: { state: http.PlanState }) {
  const at = state === "superseded" ? WAY.length : WAY.indexOf(state);
  return (
    <ol class="way-of-plan" aria-label={t("wayOfPlan")}>
      {WAY.map((one, place) => (
        <li key={one} data-done={place < at} aria-current={place === at ? "step" : undefined}>
          {t(STATE_WORDS[one])}
        </li>
      ))}
    </ol>
  );
}

function Turns() {
  const now = plan.value;
  if (!now) return null;
  if (now.state === "draft") return <Submit />;
  if (now.state === "review") return <Judge plan={now} />;
  if (now.state === "approved") return <Publish plan={now} />;
  return (
    <p class="turn-said">
      {now.effective_on &&
        t(now.state === "effective" ? "inForceSince" : "wasInForce", formatDay(now.effective_on, language.value))}
    </p>
  );
}

const turned = async (work: (id: number, revision: number) => Promise<unknown>, said: string) => {
  if (await turn(work)) announce(said);
};

function Submit() {
  const warnings = warningsCount();
  if (desk.value !== "planner") return <p class="hint">{t("draftIsPlanners")}</p>;
  const broken = blocking.value;
  return (
    <div class="turns">
      {broken.length > 0 && (
        <div class="blocking">
          <p>{t("mendFirst")}</p>
          <ul>
            {broken.map((problem) => (
              <li key={problem.message.en}>
                <CheckRow problem={problem} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {isChecking.value && <p class="hint checking">{t("checking")}</p>}
      {warnings !== "0" && <p class="hint">{t("warningsOpen", warnings)}</p>}
      <button
        type="button"
        class="button primary"
        disabled={broken.length > 0 || isChecking.value || isBusy.value}
        onClick={() => void turned((id, at) => http.turnPlan(id, "submit", at), t("submitted"))}
      >
        {t("submit")}
      </button>
    </div>
  );
}

/** In review the desk that handed the plan in can only take it back. */
function Judge({ plan: { submitted_by } }: { plan: http.Plan }) {
  const note = useSignal("");
  if (submitted_by === desk.value) {
    return (
      <div class="turns">
        <p class="hint">{t("waitsForOther", t(DESK_WORDS[desk.value]))}</p>
        <button
          type="button"
          class="button"
          onClick={() => void turned((id, at) => http.turnPlan(id, "withdraw", at), t("withdrawn"))}
        >
          {t("withdraw")}
        </button>
      </div>
    );
  }
  return (
    <div class="turns">
      <p class="hint">{t("handedInBy", deskName(submitted_by ?? ""))}</p>
      <button
        type="button"
        class="button primary"
        onClick={() => void turned((id, at) => http.turnPlan(id, "approve", at), t("approved"))}
      >
        {t("approve")}
      </button>
      <form
        class="send-back"
        onSubmit={(event) => {
          event.preventDefault();
          void turned((id, at) => http.sendBack(id, at, note.peek()), t("wasSentBack"));
        }}
      >
        <label>
          {t("noteToPlanner")}
          <textarea
            required
            rows={3}
            maxLength={4000}
            value={note.value}
            onInput={(event) => (note.value = event.currentTarget.value)}
          />
        </label>
        <button class="button">{t("sendBack")}</button>
      </form>
    </div>
  );
}

function Publish({ plan: { effective_on, approved_by } }: { plan: http.Plan }) {
  const today = dayOf(new Date().toISOString(), timeZone.value);
  const on = useSignal(today);
  if (effective_on) return <p class="turn-said">{t("takesEffect", formatDay(effective_on, language.value))}</p>;
  if (desk.value !== "supervisor") return <p class="hint">{t("approvedBy", deskName(approved_by ?? ""))}</p>;
  return (
    <form
      class="turns publish"
      onSubmit={(event) => {
        event.preventDefault();
        void turned((id, at) => http.publishPlan(id, at, on.peek()), t("published"));
      }}
    >
      <p class="hint">{t("approvedBy", deskName(approved_by ?? ""))}</p>
      <label>
        {t("effectiveOn")}
        <input type="date" required min={today} value={on.value} onInput={(event) => (on.value = event.currentTarget.value)} />
      </label>
      <button class="button primary">{t("publish")}</button>
    </form>
  );
}

const FILES = ["gpkg", "geojson", "zip", "csv"] as const;
const FILE_NAMES = { gpkg: "GeoPackage", geojson: "GeoJSON", zip: "Shapefile", csv: "CSV" } as const;

function Files({ id, isPublished }: { id: number; isPublished: boolean }) {
  return (
    <div class="files">
      <p>
        {t("exportPlan")}{" "}
        {FILES.map((ending) => (
          <a key={ending} href={http.exportHref(id, ending)} download>
            {FILE_NAMES[ending]}
          </a>
        ))}
      </p>
      <p>
        {t(isPublished ? "changeNotice" : "changeNoticeDraft")}{" "}
        <a href={`${http.noticeHref(id, "html")}?lang=${language.value}`} target="_blank" rel="noopener">
          {t("printable")}
        </a>
        <a href={http.noticeHref(id, "csv")} download>
          CSV
        </a>
        <a href={http.noticeHref(id, "gpkg")} download>
          GeoPackage
        </a>
      </p>
    </div>
  );
}

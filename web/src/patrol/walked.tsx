/** What past patrols walked, beside what is planned: numbers, and the streets on the map. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../api";
import { Summary } from "../hotspots/summary";
import type { Words } from "../panels/numbers";
import { catalog, language, report, t } from "../state/store";
import { WALKED, walked, walkedShown } from "./answer";

const words = signal<Words>({});

export function Walked() {
  useEffect(() => {
    if (Object.keys(words.peek()).length === 0 && isOffered()) {
      api
        .process(WALKED, language.peek())
        .then((found) => (words.value = found["wangge:words"] ?? {}))
        .catch((error: unknown) => report(error));
    }
    return () => (walkedShown.value = false);
  }, []);
  const answer = walked.answer.value;
  if (!isOffered()) return <p class="hint">{t("patrolWalkedOff")}</p>;
  return (
    <>
      <p class="hint">{t("patrolWalkedHint")}</p>
      {walked.open.value && <progress aria-label={t("asking")} />}
      {walked.failure.value && <p role="alert">{walked.failure.value.message}</p>}
      {answer && (
        <>
          <button type="button" class="button" aria-pressed={walkedShown.value} onClick={() => (walkedShown.value = !walkedShown.value)}>
            {t(walkedShown.value ? "patrolWalkedHide" : "patrolWalkedShow")}
          </button>
          <Summary values={answer.run.summary} words={words.value} />
        </>
      )}
    </>
  );
}

function isOffered(): boolean {
  return catalog.value.some(({ id }) => id === WALKED);
}

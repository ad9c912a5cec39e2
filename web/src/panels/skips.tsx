/** Ways past the bar at the top for the keyboard, on pages that ask at the left and answer at the right. */

import { plain } from "../map/pane";
import { openPanel, type Panel } from "../state/layout";
import { t } from "../state/store";
import { jump } from "./bar";

export function QuestionSkips() {
  const skip = (panel: Panel) => (event: Event) => {
    openPanel(panel);
    jump(event, `#title-${panel}`);
  };
  return (
    <nav class="skip" aria-label={t("skip")}>
      <button type="button" onClick={skip("question")}>
        {t("skipToQuestion")}
      </button>
      <button type="button" onClick={skip("answer")}>
        {t("skipToAnswer")}
      </button>
      {!plain.value && (
        <a href="#map" onClick={(event) => jump(event, "#map canvas")}>
          {t("skipToMap")}
        </a>
      )}
    </nav>
  );
}

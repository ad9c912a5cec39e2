/** Posts that are not there yet and posts that are closed: what one tries out, with the way back. */

import { handle } from "../map/handle";
import { plain } from "../map/pane";
import { Icon } from "../panels/icons";
import { placing } from "../state/picking";
import { announce, language, t } from "../state/store";
import { summary } from "./answer";
import { addPost, ask, MOST_ADDED, question, removePost, toggleClosed, type Place } from "./question";

const CLOSE_ZOOM = 15;

export function WhatIf() {
  const { added, closed } = question.value;
  const changed = added.length + closed.length > 0;
  return (
    <section class="ask what-if" aria-labelledby="title-what-if">
      <div class="ask-head">
        <h3 id="title-what-if">{t("whatIf")}</h3>
      </div>
      {!plain.value && <PointButton />}
      <p class="hint">{added.length >= MOST_ADDED ? t("mostAdded", MOST_ADDED) : t("whatIfHint")}</p>
      {changed ? (
        <>
          <ul class="tried">
            {added.map((place, at) => (
              <Tried
                key={place.join()}
                name={t("addedPost", at + 1)}
                show={() => showPlace(place)}
                undo={{ label: t("removeNamed", t("addedPost", at + 1)), run: () => removePost(at) }}
              />
            ))}
            {closed.map((code) => (
              <Tried
                key={code}
                name={t("closedPost", postName(code))}
                undo={{ label: `${t("reopen")} ${postName(code)}`, run: () => toggleClosed(code) }}
              />
            ))}
          </ul>
          <button type="button" class="button" onClick={() => ask({ added: [], closed: [] })}>
            {t("clearWhatIf")}
          </button>
        </>
      ) : (
        <p class="hint">{t("coverageNothingChanged")}</p>
      )}
    </section>
  );
}

function PointButton() {
  const pointing = placing.value !== null;
  return (
    <>
      <button
        type="button"
        class="button"
        aria-pressed={pointing}
        disabled={question.value.added.length >= MOST_ADDED}
        onClick={() => (pointing ? (placing.value = null) : point())}
      >
        <Icon name={pointing ? "close" : "plus"} />
        {t(pointing ? "stopPointing" : "pointAtMap")}
      </button>
      {pointing && (
        <p class="hint" role="status">
          {t("pointing")}
        </p>
      )}
    </>
  );
}

/** The next click on the map, or Enter over its centre, is the place. */
export function point(): void {
  placing.value = (at) => {
    placing.value = null;
    addPost(at);
    announce(t("addedAt"));
  };
  document.querySelector<HTMLElement>("#map canvas")?.focus();
}

interface TriedProps {
  name: string;
  show?: () => void;
  undo: { label: string; run: () => void };
}

function Tried({ name, show, undo }: TriedProps) {
  return (
    <li>
      <span class="tried-name">{name}</span>
      {show && !plain.value && (
        <button type="button" class="icon-button" aria-label={`${t("showIt")}: ${name}`} title={t("showIt")} onClick={show}>
          <Icon name="target" />
        </button>
      )}
      <button type="button" class="icon-button" aria-label={undo.label} title={undo.label} onClick={undo.run}>
        <Icon name="close" />
      </button>
    </li>
  );
}

export function showPlace([lon, lat]: Place): void {
  handle.value?.fit([lon, lat, lon, lat], CLOSE_ZOOM);
}

/** What a post is called; its code where the answer does not name it. */
export function postName(code: string): string {
  const row = summary.value?.by_post.find(({ post_code }) => post_code === code) ?? closedNames.get(code);
  return row?.[`name_${language.value}`] ?? row?.name_zh ?? code;
}

/** A closed post is in no later answer: what it was called is kept from the one before. */
const closedNames = new Map<string, { name_zh: string | null; name_en: string | null }>();

export function keepName(code: string): void {
  const row = summary.value?.by_post.find(({ post_code }) => post_code === code);
  if (row) closedNames.set(code, row);
}

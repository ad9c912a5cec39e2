/** What each post means: whom it reaches, what is lost if it closes, and the switch that tries it. */

import { language, t } from "../state/store";
import { summary, type PostRow } from "./answer";
import { question, toggleClosed } from "./question";
import { minutesText, weightText } from "./said";
import { keepName } from "./what-if";

export function PostsTable() {
  const rows = summary.value?.by_post ?? [];
  return (
    <>
      <p class="hint">{t("postsHint")}</p>
      <ol class="places posts">
        {rows.map((row) => (
          <Post key={row.post_code} row={row} />
        ))}
      </ol>
    </>
  );
}

function Post({ row }: { row: PostRow }) {
  const name = row.is_new ? addedName(row.post_code) : (row[`name_${language.value}`] ?? row.name_zh ?? row.post_code);
  const close = () => {
    keepName(row.post_code);
    toggleClosed(row.post_code);
  };
  return (
    <li class="gap-row">
      <div class="place post-row">
        <span class="place-text">
          <strong>{name}</strong>
          <span class="place-finding">{row.on_street ? t("postCovers", weightText(row.covered_weight)) : t("offStreet")}</span>
          {row.on_street && (
            <span class="place-more">
              {t("postOnly", weightText(row.only_weight))}
              {row.slower_min !== null && ` · ${t("postSlower", minutesText(row.slower_min))}`}
            </span>
          )}
        </span>
      </div>
      {!row.is_new && (
        <button
          type="button"
          class="button small"
          aria-label={`${t("closeIt")}: ${name}`}
          aria-pressed={question.value.closed.includes(row.post_code)}
          onClick={close}
        >
          {t("closeIt")}
        </button>
      )}
    </li>
  );
}

/** The service counts the added posts from 1, in the order of the question. */
function addedName(code: string): string {
  return t("addedPost", Number(code.split("-")[1] ?? 1));
}

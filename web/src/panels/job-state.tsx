/** What stands where an answer is not there yet, or will not come. */

import type { ComponentChildren } from "preact";
import { problemText, type JobStatus } from "../api";
import type { Failure } from "../state/follow";
import { language, t } from "../state/store";
import { Icon } from "./icons";
import { named, type Words } from "./numbers";

/** Each thing that is wrong with a question, by the name of its parameter. */
export function Problems({ failure, words }: { failure: Failure; words: Words }) {
  return (
    <>
      {failure.problems.map((problem) => (
        <li key={`${problem.field}${problem.message}`}>
          {problem.field && <strong>{named(problem.field, words, language.value)}: </strong>}
          {problemText(problem, language.value)}
        </li>
      ))}
    </>
  );
}

export function FailedJob({ failure, words, retry }: { failure: Failure; words: Words; retry: () => void }) {
  return (
    <div class="job job-failed" role="alert">
      <p class="job-title">
        <Icon name="warning" />
        {failure.message}
      </p>
      {failure.problems.length > 0 && (
        <ul>
          <Problems failure={failure} words={words} />
        </ul>
      )}
      <button type="button" class="button" onClick={retry}>
        {t("askAgain")}
      </button>
    </div>
  );
}

interface OpenJobProps {
  status: JobStatus | null;
  /** An answer to an earlier question stands below. */
  stale: boolean;
  children?: ComponentChildren;
}

export function OpenJob({ status, stale, children }: OpenJobProps) {
  return (
    <div class="job" role="status">
      <p class="job-title">
        {t("asking")}
        {stale && <span class="job-message">{t("staleAnswer")}</span>}
      </p>
      <progress max={100} value={status?.status === "running" ? status.progress : undefined} aria-label={t("progress")} />
      {children}
    </div>
  );
}

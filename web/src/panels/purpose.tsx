/** What a file is taken along for: asked before every file, with what was said before in this visit to begin with.
 *
 * Every link that downloads a file of the server's leads here; none of them knows of it.
 */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiProblem, fileOf } from "../api";
import { language, t } from "../state/store";

const KEPT = "wangge.purpose";
const SHORTEST = 3;
const LONGEST = 200;
/** Files of data, and no route to walk: those go with whoever walks them. */
const ASKED = /^\/(collections|plans)\/[^/]+\/(export|notice)\.(?!gpx$|html$)[a-z]+$/;

/** The address of the file that is asked for; null while none is. */
const wanted = signal<string | null>(null);
const isBusy = signal(false);
const failures = signal<string[]>([]);

/** Whether a file is asked a purpose of. */
export const needsPurpose = (address: string) => ASKED.test(new URL(address, location.href).pathname);

export function PurposeDialog() {
  const box = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const isOpen = wanted.value !== null;
  useEffect(() => {
    document.addEventListener("click", stop, true);
    return () => document.removeEventListener("click", stop, true);
  }, []);
  useEffect(() => {
    if (isOpen) {
      box.current?.showModal();
      field.current?.select();
    } else box.current?.close();
  }, [isOpen]);
  return (
    <dialog class="dialog purpose" ref={box} aria-labelledby="purpose-title" onClose={() => (wanted.value = null)}>
      {isOpen && (
        <form onSubmit={(event) => void take(event, field.current?.value ?? "")}>
          <h2 id="purpose-title">{t("purposeTitle")}</h2>
          <p id="purpose-hint">{t("purposeHint")}</p>
          <textarea
            ref={field}
            aria-labelledby="purpose-title"
            aria-describedby="purpose-hint purpose-failure"
            required
            minLength={SHORTEST}
            maxLength={LONGEST}
            rows={2}
            defaultValue={sessionStorage.getItem(KEPT) ?? ""}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
              event.preventDefault();
              event.currentTarget.form?.requestSubmit();
            }}
          />
          <div id="purpose-failure" role="alert">
            {failures.value.map((failure) => (
              <p class="purpose-failure" key={failure}>
                {failure}
              </p>
            ))}
          </div>
          <div class="purpose-ways">
            <button type="button" class="button" onClick={() => (wanted.value = null)}>
              {t("cancel")}
            </button>
            <button type="submit" class="button primary" disabled={isBusy.value}>
              {isBusy.value ? t("purposeBusy") : t("purposeGo")}
            </button>
          </div>
        </form>
      )}
    </dialog>
  );
}

function stop(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[download]") : null;
  if (!link || !needsPurpose(link.href)) return;
  event.preventDefault();
  failures.value = [];
  wanted.value = link.href;
}

async function take(event: Event, said: string): Promise<void> {
  event.preventDefault();
  const address = wanted.peek();
  if (address === null || isBusy.peek()) return;
  isBusy.value = true;
  failures.value = [];
  try {
    const file = await fileOf(address, said);
    sessionStorage.setItem(KEPT, said);
    save(file.content, file.name);
    if (wanted.peek() === address) wanted.value = null;
  } catch (error) {
    failures.value = told(error);
  } finally {
    isBusy.value = false;
  }
}

function told(error: unknown): string[] {
  if (!(error instanceof ApiProblem)) return [String(error)];
  if (error.status === 0) return [t("unreachable")];
  const said = error.problems.map((problem) => (language.peek() === "zh" && problem.zh ? problem.zh : problem.message));
  return said.length > 0 ? said : [error.said(language.peek())];
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Somebody else was faster: what they did, what is at stake here, and three ways to go on. */

import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { formatInstant } from "../format";
import { reader, t } from "../state/store";
import { keepCopy, sayMineAgain, takeTheirs } from "./others";
import { deskName } from "./plan-bar";
import { plan, queue } from "./session";
import { actionWord } from "./steps";

export function ClashDialog() {
  const clash = queue.value?.clash.value;
  const box = useRef<HTMLDialogElement>(null);
  const isOpen = clash != null;
  useEffect(() => {
    if (isOpen) box.current?.showModal();
    else box.current?.close();
  }, [isOpen]);
  const mine = Object.keys(queue.value?.net() ?? {}).length;
  const busy = useSignal(false);
  const go = async (way: () => Promise<unknown>) => {
    busy.value = true;
    await way();
    busy.value = false;
  };
  return (
    <dialog class="dialog" ref={box} aria-labelledby="clash-title" onCancel={(event) => event.preventDefault()}>
      {clash && (
        <>
          <h2 id="clash-title">{t("clashTitle")}</h2>
          <p>{t("clashText", clash.revision)}</p>
          {clash.since.length > 0 && (
            <ul class="clash-since">
              {clash.since.map((edit) => (
                <li key={edit.seq}>
                  <span>
                    {deskName(edit.desk)} · {t(actionWord(edit.action))}
                    {edit.undone && ` (${t("wasUndone")})`}
                  </span>
                  <small>
                    {t("blocksCount", edit.blocks.length)} · {formatInstant(edit.made_at, reader.value)}
                  </small>
                </li>
              ))}
            </ul>
          )}
          <p>{t("clashMine", mine)}</p>
          <div class="clash-ways">
            <button type="button" class="button" disabled={busy.value} onClick={() => void go(takeTheirs)}>
              <strong>{t("takeTheirs")}</strong>
              <small>{t("takeTheirsHint")}</small>
            </button>
            {mine > 0 && (
              <>
                <button type="button" class="button" disabled={busy.value} onClick={() => void go(sayMineAgain)}>
                  <strong>{t("sayMineAgain")}</strong>
                  <small>{t("sayMineAgainHint")}</small>
                </button>
                <button
                  type="button"
                  class="button"
                  disabled={busy.value}
                  onClick={() => void go(() => keepCopy(t("copyTitle", plan.value?.title ?? "")))}
                >
                  <strong>{t("keepCopy")}</strong>
                  <small>{t("keepCopyHint")}</small>
                </button>
              </>
            )}
          </div>
        </>
      )}
    </dialog>
  );
}

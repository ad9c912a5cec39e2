/** The address of the page, which holds the whole question, to pass on. */

import { announce, t } from "./store";

export async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    announce(t("linkCopied"));
  } catch {
    announce(t("linkNotCopied"));
  }
}

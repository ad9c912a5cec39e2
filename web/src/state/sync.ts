/** Keeps the address and the state equal: a choice makes a step in the history, a move of the map does not. */

import { effect } from "@preact/signals";
import type { Language } from "../api";
import { language, pageState, systemDark, takePageState, theme } from "./store";
import { LANGUAGES, readHash, THEMES, writeHash, type PageState } from "./url";

const MEMORY = "wangge";

/** Reads the address, the reader's last language and theme, and the browser's wishes, in this order of weight. */
export function startState(): void {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  systemDark.value = dark.matches;
  dark.addEventListener("change", () => (systemDark.value = dark.matches));
  const known = remembered();
  language.value = asked() ?? known.language ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  theme.value = known.theme ?? "auto";
  takePageState(readHash(location.hash));
}

/** From now on writes every change to the address, and takes back and forward from it. */
export function syncAddress(): void {
  let last = pageState();
  let written = "";
  effect(() => {
    const state = pageState();
    const hash = writeHash(state);
    if (hash === written || hash === location.hash) {
      last = state;
      written = hash;
      return;
    }
    const step = written !== "" && !onlyMoved(last, state);
    history[step ? "pushState" : "replaceState"](null, "", `${location.pathname}${location.search}${hash}`);
    last = state;
    written = hash;
  });
  window.addEventListener("popstate", () => {
    written = location.hash;
    takePageState(readHash(location.hash));
  });
  effect(() => remember(language.value, theme.value));
}

function onlyMoved(before: PageState, after: PageState): boolean {
  return writeHash({ ...before, view: null }) === writeHash({ ...after, view: null });
}

function asked(): Language | null {
  const wanted = new URLSearchParams(location.search).get("lang");
  return LANGUAGES.find((one) => one === wanted) ?? null;
}

function remembered(): { language: Language | null; theme: (typeof THEMES)[number] | null } {
  const [language, theme] = (readMemory() ?? "").split(" ");
  return {
    language: LANGUAGES.find((one) => one === language) ?? null,
    theme: THEMES.find((one) => one === theme) ?? null,
  };
}

function readMemory(): string | null {
  try {
    return localStorage.getItem(MEMORY);
  } catch {
    // A browser that keeps nothing shows the map all the same.
    return null;
  }
}

function remember(language: string, theme: string): void {
  try {
    localStorage.setItem(MEMORY, `${language} ${theme}`);
  } catch {
    // As above: then the next visit starts from the browser's own language.
  }
}

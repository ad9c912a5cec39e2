/** Keeps the address and the state equal: a choice makes a step in the history, a move of the map does not. */

import { batch, effect } from "@preact/signals";
import type { Language } from "../api";
import { language, pageState, systemDark, takePageState, theme } from "./store";
import {
  hashParts,
  joinParts,
  LANGUAGES,
  readHash,
  readParts,
  THEMES,
  writeParts,
  type Part,
  type Parts,
} from "./url";

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

/** A part of the state and how it stands in the address. */
export interface Keeper {
  write: () => Part[];
  read: (parts: Parts) => void;
  /** Parts that change in passing, as the view does: no step of the history, which would bury the way back. */
  passing?: readonly string[];
}

/** What every workspace keeps in its address. */
export const PAGE: Keeper = {
  write: () => writeParts(pageState()),
  read: (parts) => takePageState(readParts(parts)),
};

const VIEW = "map";

/** From now on writes every change to the address, and takes back and forward from it. */
export function syncAddress(...keepers: Keeper[]): void {
  const parts = () => keepers.flatMap((keeper) => keeper.write());
  const passing = new Set([VIEW, ...keepers.flatMap((keeper) => keeper.passing ?? [])]);
  let last = parts();
  let written = "";
  effect(() => {
    const now = parts();
    const hash = joinParts(now);
    if (hash === written || hash === location.hash) {
      last = now;
      written = hash;
      return;
    }
    const step = written !== "" && !onlyPassed(passing, last, now);
    history[step ? "pushState" : "replaceState"](null, "", `${location.pathname}${location.search}${hash}`);
    last = now;
    written = hash;
  });
  window.addEventListener("popstate", () => {
    written = location.hash;
    const read = hashParts(location.hash);
    batch(() => keepers.forEach((keeper) => keeper.read(read)));
  });
  effect(() => remember(language.value, theme.value));
}

function onlyPassed(passing: ReadonlySet<string>, before: Part[], after: Part[]): boolean {
  const lasting = (parts: Part[]) => joinParts(parts.filter(([name]) => !passing.has(name)));
  return lasting(before) === lasting(after);
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

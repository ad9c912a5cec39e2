/** What the page knows, as signals: the reader's choices, the city, the catalog, and what went wrong. */

import { batch, computed, signal } from "@preact/signals";
import { ApiProblem, type CatalogLayer, type City, type Feature, type Language } from "../api";
import { say, type Word, type WORDS } from "../i18n";
import { catalogOf, usualLayer, visibleLayers, type Usual } from "../map/compose";
import type { StyleSpecification } from "maplibre-gl";
import { extentOf, type Period } from "./time";
import type { FeatureKey, PageState, Theme, View } from "./url";

// The reader's choices; together they are the hash.
export const view = signal<View | null>(null);
export const chosenLayers = signal<string[] | null>(null);
export const period = signal<Period | null>(null);
export const runs = signal<Record<string, number>>({});
export const selected = signal<FeatureKey | null>(null);
export const language = signal<Language>("zh");
export const theme = signal<Theme>("auto");

/** The results that the workspace itself puts on the map; null where the reader chooses among them as among layers. */
export const ownResults = signal<string[] | null>(null);
/** Which of the other layers it shows before the reader chooses. */
export const usual = signal<Usual>(usualLayer);
/** Layers whose features are told in a panel of the workspace, not in a popup. */
export const toldInPanel = signal<ReadonlySet<string>>(new Set());

// What the server said.
export const city = signal<City | null>(null);
export const style = signal<StyleSpecification | null>(null);
export const selectedFeature = signal<Feature | null>(null);
/** What the pointer or the keyboard rests on in a list; marked on the map like a selection, but only meanwhile. */
export const pointedFeature = signal<Feature | null>(null);

// What the machine said.
export const systemDark = signal(false);
export const zoom = signal(0);
export const mapBusy = signal(true);
/** West, south, east, north of what the map shows. */
export const bounds = signal<[number, number, number, number] | null>(null);
export const announcement = signal("");

export const shade = computed<"light" | "dark">(() =>
  theme.value === "auto" ? (systemDark.value ? "dark" : "light") : theme.value,
);
export const catalog = computed<CatalogLayer[]>(() => (style.value ? catalogOf(style.value) : []));
export const visible = computed(() => visibleLayers(catalog.value, chosenLayers.value, ownResults.value, usual.value));
export const extent = computed(() => (city.value ? extentOf(city.value.period, city.value.time_zone) : null));
export const timeZone = computed(() => city.value?.time_zone ?? "UTC");
export const reader = computed(() => ({ language: language.value, timeZone: timeZone.value }));

type Args<K extends Word> = (typeof WORDS)[K]["zh"] extends (...args: infer A) => string ? A : [];

/** The phrase `word` in the reader's language; a component that says it is drawn again when the language changes. */
export function t<K extends Word>(word: K, ...args: Args<K>): string {
  return say(language.value, word, ...(args as never));
}

const ANNOUNCED_MS = 8000;
let announced: ReturnType<typeof setTimeout> | undefined;

/** Says something in the line at the bottom, which screen readers read out. */
export function announce(text: string): void {
  announcement.value = text;
  clearTimeout(announced);
  announced = setTimeout(() => (announcement.value = ""), ANNOUNCED_MS);
}

export function pageState(): PageState {
  return {
    view: view.value,
    layers: chosenLayers.value,
    period: period.value,
    runs: runs.value,
    feature: selected.value,
    language: language.value,
    theme: theme.value,
  };
}

export function takePageState(state: PageState): void {
  batch(() => {
    view.value = state.view;
    chosenLayers.value = state.layers;
    period.value = state.period;
    runs.value = state.runs;
    selected.value = state.feature;
    if (state.language) language.value = state.language;
    if (state.theme) theme.value = state.theme;
  });
}

export interface Notice {
  key: string;
  text: string;
  details: string[];
  retry: (() => void) | null;
}

export const notices = signal<Notice[]>([]);

/** Tells the reader about a failure; the same one is told once. */
export function report(error: unknown, retry: (() => void) | null = null): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  const notice = noticeOf(error, retry);
  if (!notices.value.some((known) => known.key === notice.key)) notices.value = [...notices.value, notice];
}

export function dismissNotice(key: string): void {
  notices.value = notices.value.filter((notice) => notice.key !== key);
}

function noticeOf(error: unknown, retry: (() => void) | null): Notice {
  if (!(error instanceof ApiProblem)) {
    const text = error instanceof Error ? error.message : String(error);
    return { key: text, text, details: [], retry };
  }
  // A refusal that the server puts in words of the reader is a sentence of its own.
  const isSaid = error.body.message !== undefined && error.status < 500;
  const said = error.said(language.peek());
  const text = error.status === 0 ? t("unreachable") : isSaid ? said : t("errorStatus", error.status, said);
  const details = error.details(language.peek());
  if (error.requestId) details.push(t("requestId", error.requestId));
  return { key: `${error.status} ${error.message}`, text, details, retry };
}

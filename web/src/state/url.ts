/** The state of the page as text after the `#`, so that a link shows what its sender saw. */

import type { Language } from "../api";
import { isDay, type Period } from "./time";

export type Theme = "light" | "dark" | "auto";
export const LANGUAGES: readonly Language[] = ["zh", "en"];
export const THEMES: readonly Theme[] = ["auto", "light", "dark"];

export interface View {
  zoom: number;
  lat: number;
  lon: number;
}

export interface FeatureKey {
  layer: string;
  id: string;
}

/** What a link carries; null is "as the server has it": the whole city, the usual layers, all of the time. */
export interface PageState {
  view: View | null;
  layers: string[] | null;
  period: Period | null;
  language: Language | null;
  theme: Theme | null;
  /** Service -> the run that is drawn; a service not named here shows its latest. */
  runs: Record<string, number>;
  feature: FeatureKey | null;
}

export const EMPTY: PageState = {
  view: null,
  layers: null,
  period: null,
  language: null,
  theme: null,
  runs: {},
  feature: null,
};

const NAME = /^[a-z][a-z0-9_-]*$/;

/** One `name=text` of a hash. */
export type Part = [name: string, text: string];
export type Parts = ReadonlyMap<string, string>;

export function writeParts(state: PageState): Part[] {
  const parts: Part[] = [];
  if (state.view) {
    const { zoom, lat, lon } = state.view;
    parts.push(["map", `${zoom.toFixed(2)}/${lat.toFixed(5)}/${lon.toFixed(5)}`]);
  }
  if (state.layers) parts.push(["layers", state.layers.join(",")]);
  if (state.period) parts.push(["time", `${state.period.from}/${state.period.to}`]);
  const runs = Object.entries(state.runs);
  if (runs.length > 0) parts.push(["run", runs.map(([service, id]) => `${service}:${id}`).join(",")]);
  if (state.feature) parts.push(["feature", `${state.feature.layer}:${encodeURIComponent(state.feature.id)}`]);
  if (state.language) parts.push(["lang", state.language]);
  if (state.theme) parts.push(["theme", state.theme]);
  return parts;
}

export function joinParts(parts: Part[]): string {
  return parts.length === 0 ? "" : `#${parts.map((part) => part.join("=")).join("&")}`;
}

export function hashParts(hash: string): Parts {
  const parts = new Map<string, string>();
  for (const part of hash.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at > 0) parts.set(part.slice(0, at), part.slice(at + 1));
  }
  return parts;
}

export function writeHash(state: PageState): string {
  return joinParts(writeParts(state));
}

export function readHash(hash: string): PageState {
  return readParts(hashParts(hash));
}

/** Reads a hash; a part that is not understood counts as not given, for links live longer than programs. */
export function readParts(parts: Parts): PageState {
  return {
    view: readView(parts.get("map")),
    layers: parts.get("layers")?.split(",").filter((id) => isName(id)) ?? null,
    period: readPeriod(parts.get("time")),
    language: LANGUAGES.find((known) => known === parts.get("lang")) ?? null,
    theme: THEMES.find((known) => known === parts.get("theme")) ?? null,
    runs: readRuns(parts.get("run")),
    feature: readFeature(parts.get("feature")),
  };
}

function readView(text: string | undefined): View | null {
  const [zoom, lat, lon] = (text ?? "").split("/").map((number) => (number === "" ? NaN : Number(number)));
  if (zoom === undefined || lat === undefined || lon === undefined) return null;
  const inside = zoom >= 0 && zoom <= 24 && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
  return inside ? { zoom, lat, lon } : null;
}

/** Whether a text can be the id of a layer, a service or a parameter. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

export function readPeriod(text: string | undefined): Period | null {
  const [from, to] = (text ?? "").split("/");
  return from && to && isDay(from) && isDay(to) && from <= to ? { from, to } : null;
}

function readRuns(text: string | undefined): Record<string, number> {
  const runs: Record<string, number> = {};
  for (const part of (text ?? "").split(",")) {
    const [service, id] = part.split(":");
    if (service && isName(service) && id && /^[1-9]\d{0,15}$/.test(id)) runs[service] = Number(id);
  }
  return runs;
}

function readFeature(text: string | undefined): FeatureKey | null {
  const [, layer, id] = /^([a-z][a-z0-9_-]*):(.+)$/.exec(text ?? "") ?? [];
  if (!layer || !id) return null;
  try {
    return { layer, id: decodeURIComponent(id) };
  } catch {
    return null;
  }
}

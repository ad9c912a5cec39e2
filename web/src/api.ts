/** The server, typed: the shapes it answers with and the calls the map makes. */

import type { StyleSpecification } from "maplibre-gl";

export type Language = "zh" | "en";
export type Text = Record<Language, string>;
export type Bounds = [west: number, south: number, east: number, north: number];

export interface City {
  slug: string;
  title: Text;
  bounds: Bounds | null;
  time_zone: string;
  languages: Language[];
  synthetic: boolean;
  attribution: string;
  /** First and last instant of the city's events, ISO 8601; null where there are none. */
  period: [string, string] | null;
}

export type Format = "text" | "int" | "real" | "pct" | "date" | "instant" | "code";

export interface PopupRow {
  field: string;
  title: Text;
  format: Format;
  codes?: Record<string, Text> | null;
}

export interface LegendRow {
  label: Text;
  color: string;
  outline: string | null;
  shape: "fill" | "line" | "circle" | "hatch";
}

export type Group = "base" | "grid" | "units" | "events" | "analysis";

export interface CatalogLayer {
  id: string;
  title: Text;
  group: Group;
  geometry: "polygon" | "line" | "point";
  visible: boolean;
  minzoom: number;
  /** Whether `datetime=` filters it. */
  time: boolean;
  /** The service whose results it shows. */
  service: string | null;
  legend: LegendRow[];
  popup: PopupRow[];
  note: Text | null;
}

export interface ProcessSummary {
  id: string;
  version: string;
  title: string;
  description?: string;
  /** Two sentences: what its map shows, and what it does not. */
  "wangge:card": Text;
  "wangge:titles": Text;
}

export interface Process extends ProcessSummary {
  "wangge:schema": JsonSchema;
  /** What the names and values of its parameters and numbers are called. */
  "wangge:words"?: Record<string, Text>;
}

export interface JsonSchema {
  [keyword: string]: unknown;
}

export interface JobStatus {
  jobID: string;
  processID: string;
  status: "accepted" | "running" | "successful" | "failed" | "dismissed";
  progress: number;
  message?: string | null;
  run_id?: number | null;
  /** Why it failed, RFC 9457. */
  problem?: { title?: string; detail?: string | null; message?: Partial<Text>; problems?: Problem[] } | null;
}

export interface Run {
  id: number;
  service: string;
  created: string;
  summary: Record<string, unknown>;
}

export interface LeftOut {
  frame: string;
  reason: string;
  count: number;
}

export interface Provenance {
  version: number;
  n: number;
  period: [string, string] | null;
  parameters: Record<string, unknown>;
  choices: Record<string, unknown>;
  left_out: LeftOut[];
  synthetic: boolean;
}

export interface RunResults {
  run_id: number;
  service: string;
  created: string;
  summary: Record<string, unknown>;
  provenance: Provenance;
}

export interface Feature {
  type: "Feature";
  id?: number | string;
  geometry: GeoJSON.Geometry | null;
  properties: Record<string, unknown>;
}

export interface ItemPage {
  features: Feature[];
  numberMatched?: number;
  numberReturned?: number;
  links: { rel: string; href: string }[];
}

export interface Problem {
  code: string;
  message: string;
  /** The same in Chinese, where the server says it in both. */
  zh?: string;
  field?: string | null;
  count?: number | null;
}

/** An answer that is not the one asked for; RFC 9457 where the server had one to give. */
export class ApiProblem extends Error {
  constructor(
    message: string,
    /** 0 where the server could not be reached. */
    readonly status: number,
    readonly problems: Problem[] = [],
    readonly requestId: string | null = null,
    /** All that the answer said, for those who know what more to look for. */
    readonly body: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  /** What the server says, in the reader's language where it says it in both. */
  said(language: Language): string {
    const both = this.body.message as Partial<Text> | undefined;
    return both?.[language] ?? this.message;
  }

  /** Each thing that is wrong, by the field where it has one. */
  details(language: Language): string[] {
    return this.problems.map((problem) => {
      const text = problemText(problem, language);
      return problem.field ? `${problem.field}: ${text}` : text;
    });
  }
}

/** What is wrong, in the reader's language where the server says it in both. */
export function problemText({ message, zh }: Problem, language: Language): string {
  return language === "zh" ? (zh ?? message) : message;
}

/** The problem that an answer or a line of a stream holds. */
export function problemIn(body: Record<string, unknown>, status: number): ApiProblem {
  const { title, detail, problems, request_id } = body as {
    title?: string;
    detail?: string;
    problems?: Problem[];
    request_id?: string;
  };
  return new ApiProblem(detail ?? title ?? "", status, problems ?? [], request_id ?? null, body);
}

const CSRF = /(?:^|; )__Host-wangge-csrf=([^;]*)/;

/** What a change must say so that the server knows it for one of its own pages': what only they can read. */
function proof(method = "GET"): Record<string, string> {
  const said = method === "GET" ? null : CSRF.exec(document.cookie);
  return said?.[1] ? { "X-CSRF-Token": said[1] } : {};
}

/** To sign in, and back to where the page is now. */
function toSignIn(): void {
  const here = location.pathname + location.search + location.hash;
  location.assign(`/signin?next=${encodeURIComponent(here)}`);
}

export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    const headers = { Accept: "application/json", ...proof(options.method), ...options.headers };
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiProblem(error instanceof Error ? error.message : String(error), 0);
  }
  if (response.status === 401) toSignIn();
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  return problemIn({ title: response.statusText, ...body }, response.status);
}

export async function json<T>(path: string, options?: RequestInit): Promise<T> {
  return (await (await request(path, options)).json()) as T;
}

/** Writes a query string; a value that is null or undefined is left away. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

export interface RoleOf {
  id: string;
  title: Text;
}

export interface Account {
  signed_in: boolean;
  name: string | null;
  role: string;
  title: Text;
  /** All that the account has in this city. */
  roles: RoleOf[];
  /** Routes that the role may ask, such as `POST /plans`. */
  may: string[];
}

export const me = () => json<Account>("/auth/me");

const posted = (path: string, body: unknown) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const takeRole = (role: string) => posted("/auth/role", { role });

export const signOut = () => posted("/auth/sign-out", {});

export const landing = () => json<{ city: City | null }>("/?f=json");

export const style = (language: Language, theme: "light" | "dark", signal: AbortSignal) =>
  json<StyleSpecification>(`/styles/map${query({ lang: language, theme })}`, { signal });

export const processes = (language: Language) =>
  json<{ processes: ProcessSummary[] }>(`/processes${query({ lang: language })}`);

export const process = (id: string, language: Language) =>
  json<Process>(`/processes/${encodeURIComponent(id)}${query({ lang: language })}`);

/** Answers with the ended job where it ended within a second; a longer one must be known by its number to be cancelled. */
export const execute = (id: string, inputs: Record<string, unknown>) =>
  json<JobStatus>(`/processes/${encodeURIComponent(id)}/execution`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "respond-async, wait=1" },
    body: JSON.stringify({ inputs }),
  });

export const job = (id: string) => json<JobStatus>(`/jobs/${encodeURIComponent(id)}`);

export const dismiss = (id: string) => json<JobStatus>(`/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });

export const runs = (service: string) => json<{ runs: Run[] }>(`/runs${query({ service })}`);

export const run = (id: number) => json<RunResults>(`/runs/${id}`);

export interface ItemQuery {
  bbox?: Bounds;
  datetime?: string | null;
  run_id?: number | null;
  limit?: number;
  after?: string | null;
  /** Only features whose property has one of these values. */
  where?: Record<string, string>;
}

export const itemsPath = (layer: string, { bbox, where, ...rest }: ItemQuery) =>
  `/collections/${encodeURIComponent(layer)}/items${query({ ...where, ...rest, bbox: bbox?.map((n) => n.toFixed(6)).join(",") })}`;

/** The token of the page that follows; null on the last one. */
export function nextPage(found: ItemPage): string | null {
  const next = found.links.find(({ rel }) => rel === "next");
  return next ? new URL(next.href, location.href).searchParams.get("after") : null;
}

/** A file of the server's, taken along for a purpose; its name is the one that the server gives it. */
export async function fileOf(address: string, purpose: string): Promise<{ content: Blob; name: string }> {
  const response = await request(address, {
    headers: { Accept: "*/*", "Wangge-Purpose": encodeURIComponent(purpose) },
  });
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  return { content: await response.blob(), name: name ?? new URL(address, location.href).pathname.split("/").pop() ?? "file" };
}

/** Where a run's features are had as a file. */
export const exportPath = (layer: string, format: "csv" | "gpkg" | "gpx", run: number | null) =>
  `/collections/${encodeURIComponent(layer)}/export.${format}${query({ run_id: run })}`;

export const items = (layer: string, wanted: ItemQuery, signal: AbortSignal) =>
  json<ItemPage>(itemsPath(layer, wanted), { signal });

export const item = (layer: string, id: string, run: number | null, signal: AbortSignal) =>
  json<Feature>(`/collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}${query({ run_id: run })}`, {
    signal,
  });

/** Who is signed in, in which role, and what that role may ask of the server. */

import { computed, signal } from "@preact/signals";
import * as api from "../api";
import type { Account } from "../api";
import { report } from "./store";

export const account = signal<Account | null>(null);

export const role = computed(() => account.value?.role ?? null);

/** Whether the role may ask a route, named as the server's matrix names it; while nobody knows, it may try. */
export function may(route: string): boolean {
  return account.value?.may.includes(route) ?? true;
}

/** Whether the role may have a layer as a file of a kind. */
export function mayExport(format: "csv" | "gpkg" | "gpx"): boolean {
  return may(`GET /collections/{id_}/export.${format === "gpx" ? "gpx" : "{ending}"}`);
}

export async function loadAccount(): Promise<void> {
  try {
    account.value = await api.me();
  } catch (error) {
    report(error, () => void loadAccount());
  }
}

/** Goes on in another role; what the page has drawn belongs to the old one, so it is opened anew. */
export async function takeRole(id: string): Promise<void> {
  try {
    await api.takeRole(id);
    location.reload();
  } catch (error) {
    report(error);
  }
}

const keepers: (() => Promise<boolean>)[] = [];

/** Has something done before a login ends, which empties what the browser keeps; false keeps the login. */
export function beforeSignOut(keep: () => Promise<boolean>): void {
  keepers.push(keep);
}

export async function signOut(): Promise<void> {
  try {
    for (const keep of keepers) if (!(await keep())) return;
    await api.signOut();
    location.assign("/signin");
  } catch (error) {
    report(error);
  }
}

/** The pages there are: each path is a workspace, and the code of each is loaded by itself. */

import type { ComponentType } from "preact";

export interface Workspace {
  /** Called once, before the first drawing: from then on the address and the server are followed. */
  start: () => void;
  /** What the browser calls the page. */
  title: "pageTitle" | "hotspotsTitle" | "sheetTitle" | "editTitle" | "coverageTitle" | "patrolTitle" | "patrolRouteTitle" | "patrolSheetTitle";
  View: ComponentType;
  SkipLinks?: ComponentType;
  /** Without the bar at the top: a page for the printer. */
  bare?: boolean;
}

/** Those that the bar at the top leads to. */
export const TABS = [
  { path: "/map", word: "mapTab" },
  { path: "/hotspots", word: "hotspotsTab" },
  { path: "/coverage", word: "coverageTab" },
  { path: "/patrol", word: "patrolTab" },
  { path: "/edit", word: "editTab" },
] as const;

const LOAD: Record<string, () => Promise<{ WORKSPACE: Workspace }>> = {
  "/hotspots": () => import("./hotspots/workspace"),
  "/print/hotspots": () => import("./hotspots/sheet"),
  "/coverage": () => import("./coverage/workspace"),
  "/patrol": () => import("./patrol/workspace"),
  "/patrol/route": () => import("./patrol/phone"),
  "/print/patrol": () => import("./patrol/sheets"),
  "/edit": () => import("./edit/workspace"),
};

export async function loadWorkspace(path: string): Promise<Workspace> {
  const load = LOAD[path.replace(/(\/\d+)?\/?$/, "")] ?? (() => import("./city-map"));
  return (await load()).WORKSPACE;
}

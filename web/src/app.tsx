/** The page around its workspace: the bar at the top, what went wrong, and the way to make a city where there is none. */

import { signal } from "@preact/signals";
import { NoCity } from "./panels/empty";
import { Header } from "./panels/header";
import { Notices } from "./panels/notices";
import { PurposeDialog } from "./panels/purpose";
import { started } from "./state/load";
import { city, t } from "./state/store";
import type { Workspace } from "./workspaces";

/** The workspace of this page, once its code is here. */
export const workspace = signal<Workspace | null>(null);

export function App() {
  const here = workspace.value;
  const loading = started.value === "loading" || (city.value !== null && !here);
  return (
    <>
      {city.value && here?.SkipLinks && <here.SkipLinks />}
      {here?.bare !== true && <Header />}
      {started.value === "ready" && !city.value && <NoCity />}
      {started.value === "ready" && city.value && here && <here.View />}
      {loading && <p class="starting">{t("loading")}</p>}
      <Notices />
      <PurposeDialog />
    </>
  );
}

/** Where the page begins. */

import { effect } from "@preact/signals";
import { render } from "preact";
import { App, workspace } from "./app";
import { loadAccount } from "./state/account";
import { followStyle, loadCity } from "./state/load";
import { city, language, report, shade, t } from "./state/store";
import { startState } from "./state/sync";
import { loadWorkspace } from "./workspaces";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/header.css";
import "./styles/panels.css";
import "./styles/layers.css";
import "./styles/time.css";
import "./styles/services.css";
import "./styles/list.css";
import "./styles/form.css";
import "./styles/map.css";
import "./styles/purpose.css";

startState();

effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.theme = shade.value;
  document.title = city.value ? t(workspace.value?.title ?? "pageTitle", city.value.title[language.value]) : t("noCityTitle");
});

followStyle();
void loadAccount();
void loadCity();
loadWorkspace(location.pathname)
  .then((loaded) => {
    loaded.start();
    workspace.value = loaded;
  })
  .catch((error: unknown) => report(error));

const root = document.getElementById("app");
if (!root) throw new Error("the page has no place for the app");
render(<App />, root);

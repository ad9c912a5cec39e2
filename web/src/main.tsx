/** Where the page begins. */

import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app";
import { followServices } from "./panels/services";
import { followSelection, followStyle, loadCity } from "./state/load";
import { city, language, shade, t } from "./state/store";
import { startState, syncAddress } from "./state/sync";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/panels.css";
import "./styles/layers.css";
import "./styles/time.css";
import "./styles/services.css";
import "./styles/list.css";
import "./styles/form.css";
import "./styles/map.css";

startState();
syncAddress();

effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.theme = shade.value;
  document.title = city.value ? t("pageTitle", city.value.title[language.value]) : t("noCityTitle");
});

followStyle();
followSelection();
followServices();
void loadCity();

const root = document.getElementById("app");
if (!root) throw new Error("the page has no place for the app");
render(<App />, root);

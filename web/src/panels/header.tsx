/** The top bar: which city, in which language, in which light. */

import type { ComponentChildren } from "preact";
import type { Language } from "../api";
import type { Word } from "../i18n";
import { may } from "../state/account";
import { narrow } from "../state/layout";
import { city, language, period, t, theme, view } from "../state/store";
import { EMPTY, THEMES, writeHash, type Theme } from "../state/url";
import { TABS } from "../workspaces";
import { AccountMenu } from "./account-menu";
import { Icon, Mark } from "./icons";

const LANGUAGE_NAMES: Record<Language, { long: string; short: string }> = {
  zh: { long: "中文", short: "中" },
  en: { long: "English", short: "EN" },
};
const THEME_WORDS: Record<Theme, Word> = { auto: "themeAuto", light: "themeLight", dark: "themeDark" };

export function Header() {
  return (
    <header class="header">
      <a class="brand" href={`/?lang=${language.value}`} aria-label={`${t("product")} · ${t("home")}`}>
        <Mark />
        <span class="brand-name">{t("product")}</span>
      </a>
      {city.value && <h1 class="city">{city.value.title[language.value]}</h1>}
      {city.value?.synthetic && (
        <span class="badge" title={t("syntheticLong")}>
          <Icon name="warning" />
          {t("synthetic")}
        </span>
      )}
      {city.value && <Tabs />}
      <div class="header-space" />
      <nav class="header-links" aria-label={t("links")}>
        <a href={`/collections?f=html&lang=${language.value}`}>{t("dataLink")}</a>
        <a href={`/api?f=html&lang=${language.value}`}>{t("apiLink")}</a>
      </nav>
      <Segments label={t("language")}>
        {(Object.keys(LANGUAGE_NAMES) as Language[]).map((one) => (
          <button
            type="button"
            key={one}
            lang={one}
            aria-pressed={language.value === one}
            title={LANGUAGE_NAMES[one].long}
            onClick={() => (language.value = one)}
          >
            {LANGUAGE_NAMES[one][narrow.value ? "short" : "long"]}
          </button>
        ))}
      </Segments>
      {narrow.value ? <NextTheme /> : <Themes />}
      <AccountMenu />
    </header>
  );
}

/** The workspaces; what they share goes along: the view, the days, the language and the light. */
function Tabs() {
  const shared = writeHash({ ...EMPTY, view: view.value, period: period.value, language: language.value, theme: theme.value });
  return (
    <nav class="tabs" aria-label={t("workspaces")}>
      {TABS.filter(({ path }) => may(`GET ${path}`)).map(({ path, word }) => (
        <a key={path} href={`${path}${shared}`} aria-current={isHere(path) ? "page" : undefined}>
          {t(word)}
        </a>
      ))}
    </nav>
  );
}

/** The page of the path, or one below it. */
function isHere(path: string): boolean {
  return location.pathname === path || location.pathname.startsWith(`${path}/`);
}

function Themes() {
  return (
    <Segments label={t("theme")}>
      {THEMES.map((one) => (
        <button
          type="button"
          key={one}
          class="icon-only"
          aria-pressed={theme.value === one}
          aria-label={t(THEME_WORDS[one])}
          title={t(THEME_WORDS[one])}
          onClick={() => (theme.value = one)}
        >
          <Icon name={one} />
        </button>
      ))}
    </Segments>
  );
}

/** On a phone there is room for one button: it shows the theme and goes on to the next. */
function NextTheme() {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
  const label = t("themeIs", t(THEME_WORDS[theme.value]));
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={() => (theme.value = next)}>
      <Icon name={theme.value} />
    </button>
  );
}

function Segments({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {children}
    </div>
  );
}

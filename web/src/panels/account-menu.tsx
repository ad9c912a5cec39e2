/** Who is signed in, in the bar at the top: the role, the others the account has, and the way out. */

import { useEffect, useRef } from "preact/hooks";
import { account, may, signOut, takeRole } from "../state/account";
import { language, t } from "../state/store";
import { Icon } from "./icons";

/** Pages of the server's own: one's logins, and what belongs to whoever answers for the server or an area. */
const PAGES = [
  { path: "/logins", word: "loginsLink" },
  { path: "/audit", word: "auditLink" },
  { path: "/admin", word: "adminLink" },
] as const;

export function AccountMenu() {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const menu = box.current;
      if (!menu?.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return;
        menu.querySelector("summary")?.focus();
      } else if (menu.contains(event.target as Node)) return;
      menu.open = false;
    };
    document.addEventListener("keydown", close);
    document.addEventListener("pointerdown", close);
    return () => {
      document.removeEventListener("keydown", close);
      document.removeEventListener("pointerdown", close);
    };
  }, []);
  const who = account.value;
  if (!who?.signed_in) return null;
  const title = who.title[language.value];
  return (
    <details class="signed-in" ref={box}>
      <summary aria-label={t("accountOf", who.name ?? "", title)}>
        <Icon name="person" />
        <span class="signed-in-role">{title}</span>
      </summary>
      <div class="signed-in-card">
        <p class="signed-in-name">{who.name}</p>
        {who.roles.length > 1 && (
          <div class="signed-in-roles" role="group" aria-label={t("actAs")}>
            {who.roles.map((one) => (
              <button
                type="button"
                key={one.id}
                data-role={one.id}
                aria-pressed={one.id === who.role}
                onClick={() => one.id !== who.role && void takeRole(one.id)}
              >
                {one.title[language.value]}
              </button>
            ))}
          </div>
        )}
        {PAGES.filter(({ path }) => may(`GET ${path}`)).map(({ path, word }) => (
          <a key={path} href={`${path}?f=html&lang=${language.value}`}>
            {t(word)}
          </a>
        ))}
        <button type="button" class="button" data-action="sign-out" onClick={() => void signOut()}>
          {t("signOut")}
        </button>
      </div>
    </details>
  );
}

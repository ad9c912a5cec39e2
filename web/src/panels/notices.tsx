/** What went wrong, said to the reader, with a way to try again. */

import { dismissNotice, notices, t } from "../state/store";
import { Icon } from "./icons";

export function Notices() {
  return (
    <div class="notices" role="alert">
      {notices.value.map(({ key, text, details, retry }) => (
        <div class="notice" key={key}>
          <Icon name="warning" />
          <div class="notice-text">
            <p>{text}</p>
            {details.length > 0 && (
              <ul>
                {details.map((detail) => (
                  <li key={detail}>{detail}</li>
                ))}
              </ul>
            )}
          </div>
          {retry && (
            <button
              type="button"
              class="link"
              onClick={() => {
                dismissNotice(key);
                retry();
              }}
            >
              {t("retry")}
            </button>
          )}
          <button type="button" class="icon-button" aria-label={t("dismissNotice")} onClick={() => dismissNotice(key)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

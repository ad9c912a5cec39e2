/** What a feature tells, as its layer declares it. All of it is text: nothing of the data is ever read as markup. */

import { titleOf, valuesOf } from "../format";
import { closePopup, layerOf, turn, type Hits } from "../state/pick";
import { language, reader, t } from "../state/store";
import { Icon } from "./icons";

export function PopupCard({ hits }: { hits: Hits }) {
  const hit = hits.all[hits.index];
  const layer = hit && layerOf(hit);
  if (!hit || !layer) return null;
  const count = Number(hit.properties.n ?? 1);
  const several = hit.id === null && count > 1;
  const title = several
    ? t("several", count)
    : titleOf({ id: hit.id ?? "", properties: hit.properties }, layer, reader.value);
  return (
    <div class="card" role="dialog" aria-labelledby="card-title">
      <div class="card-head">
        <div>
          <p class="card-layer">{layer.title[language.value]}</p>
          <h2 class="card-title" id="card-title">
            {title}
          </h2>
        </div>
        <button type="button" class="icon-button" aria-label={t("close")} title={t("close")} onClick={closePopup}>
          <Icon name="close" />
        </button>
      </div>
      {several ? (
        <p class="hint">{t("zoomForEach")}</p>
      ) : (
        <dl class="rows">
          {valuesOf(hit.properties, layer, title, reader.value).map(({ name, text }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      )}
      {hits.all.length > 1 && (
        <div class="card-pager">
          <button type="button" class="icon-button" aria-label={t("previous")} onClick={() => turn(-1)}>
            <Icon name="previous" />
          </button>
          <span aria-live="polite">{t("ofTotal", hits.index + 1, hits.all.length)}</span>
          <button type="button" class="icon-button" aria-label={t("next")} onClick={() => turn(1)}>
            <Icon name="next" />
          </button>
        </div>
      )}
    </div>
  );
}

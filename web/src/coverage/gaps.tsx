/** The places beyond the last ring, the heaviest first, each with how long it waits and a post to try there. */

import type { Feature } from "../api";
import { titleOf } from "../format";
import { communityOf } from "../hotspots/places";
import { boundsOf, middleOf } from "../map/geometry";
import { handle } from "../map/handle";
import { Icon } from "../panels/icons";
import { closePanel, narrow } from "../state/layout";
import { select } from "../state/pick";
import { announce, language, pointedFeature, reader, t } from "../state/store";
import { answerLayer, gaps, moreGaps } from "./answer";
import { addPost, MOST_ADDED, question } from "./question";
import { minutesText, weightText } from "./said";

const CLOSE_ZOOM = 15;

export function Gaps() {
  const shown = gaps.value;
  if (!shown) return null;
  if (shown.features.length === 0) return <p class="hint">{t("noGaps")}</p>;
  return (
    <>
      <p class="hint">{t("gapsCount", shown.features.length, shown.matched)}</p>
      <ol class="places">
        {shown.features.map((feature, at) => (
          <Gap key={feature.id} feature={feature} number={at + 1} />
        ))}
      </ol>
      {shown.after && (
        <button type="button" class="button" onClick={moreGaps}>
          {t("more")}
        </button>
      )}
    </>
  );
}

function Gap({ feature, number }: { feature: Feature; number: number }) {
  const layer = answerLayer.value;
  if (!layer) return null;
  const { properties, geometry } = feature;
  const community = communityOf(geometry, language.value);
  const isBlock = question.value.demand === "households";
  const title = isBlock ? (community ?? String(properties.code)) : titleOf(feature, layer, reader.value);
  const wait =
    properties.coverage_class === "no_street"
      ? t("noStreetNear")
      : typeof properties.minutes === "number"
        ? t("fromNearest", minutesText(properties.minutes))
        : t("noWay");
  const open = () => {
    pointedFeature.value = null;
    select(layer.id, feature);
    const box = geometry && boundsOf(geometry);
    if (box) handle.value?.fit(box, CLOSE_ZOOM);
    if (narrow.value) closePanel("answer");
  };
  const add = () => {
    const box = geometry && boundsOf(geometry);
    if (!box) return;
    addPost(middleOf(box));
    announce(t("addedAt"));
  };
  return (
    <li class="gap-row">
      <button
        type="button"
        class="place"
        data-place={feature.id}
        onClick={open}
        onPointerEnter={() => (pointedFeature.value = feature)}
        onPointerLeave={() => (pointedFeature.value = null)}
        onFocus={() => (pointedFeature.value = feature)}
        onBlur={() => (pointedFeature.value = null)}
      >
        <span class="place-number" aria-hidden="true">
          {number}
        </span>
        <span class="place-text">
          <strong>{title}</strong>
          <span class="place-finding">{wait}</span>
          <span class="place-more">{[isBlock ? String(properties.code) : community, properties.grid_code].filter(Boolean).join(" · ")}</span>
        </span>
        {isBlock && <span class="place-count">{weightText(Number(properties.weight))}</span>}
      </button>
      <button
        type="button"
        class="icon-button"
        disabled={question.value.added.length >= MOST_ADDED}
        aria-label={`${t("addHere")}: ${title} ${String(properties.code)}`}
        title={t("addHere")}
        onClick={add}
      >
        <Icon name="plus" />
      </button>
    </li>
  );
}

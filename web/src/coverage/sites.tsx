/** Where further posts could be: the best single places, and whole sitings beside one another. */

import { Icon } from "../panels/icons";
import { communityOf } from "../hotspots/places";
import { announce, language, t } from "../state/store";
import { summary, type SiteRow } from "./answer";
import { addPost, ask, MOST_ADDED, question } from "./question";
import { minutesText, shareText, weightText } from "./said";
import { compareSitings, isAsking, MOST_NEW, newCount, sitings, type Siting } from "./siting";
import { showPlace } from "./what-if";

export function Sites() {
  const sites = (summary.value?.best_sites ?? []).filter(({ gained_weight }) => gained_weight > 0);
  return (
    <>
      <h4 class="section-title">{t("bestSites")}</h4>
      {sites.length === 0 && <p class="hint">{t("noSites")}</p>}
      <ol class="places">
        {sites.map((site, at) => (
          <Site key={site.code} site={site} number={at + 1} />
        ))}
      </ol>
      <Compare />
    </>
  );
}

function Site({ site, number }: { site: SiteRow; number: number }) {
  const community = communityOf({ type: "Point", coordinates: [site.lon, site.lat] }, language.value);
  const name = site[`name_${language.value}`] ?? site.name_zh ?? community ?? site.code;
  const add = () => {
    addPost([site.lon, site.lat]);
    announce(t("addedAt"));
  };
  return (
    <li class="gap-row">
      <button type="button" class="place" onClick={() => showPlace([site.lon, site.lat])}>
        <span class="place-number" aria-hidden="true">
          {number}
        </span>
        <span class="place-text">
          <strong>{name}</strong>
          <span class="place-finding">{t("siteGain", weightText(site.gained_weight))}</span>
        </span>
      </button>
      <button
        type="button"
        class="icon-button"
        disabled={question.value.added.length >= MOST_ADDED}
        aria-label={`${t("addHere")}: ${name}`}
        title={t("addHere")}
        onClick={add}
      >
        <Icon name="plus" />
      </button>
    </li>
  );
}

function Compare() {
  const found = sitings.value;
  return (
    <section aria-labelledby="title-compare">
      <h4 class="section-title" id="title-compare">
        {t("compareSitings")}
      </h4>
      <div class="ask-row">
        <label class="ask-inline">
          <span>{t("newPosts")}</span>
          <input
            type="number"
            min={1}
            max={MOST_NEW}
            value={newCount.value}
            onChange={({ currentTarget }) => (newCount.value = Math.min(Math.max(Math.round(currentTarget.valueAsNumber) || 1, 1), MOST_NEW))}
          />
        </label>
        <button type="button" class="button primary" onClick={() => void compareSitings()} disabled={isAsking.value}>
          {t("compareNow")}
        </button>
      </div>
      <p class="hint">{t("sitingHint")}</p>
      {isAsking.value && <progress aria-label={t("asking")} />}
      {found.length > 0 && (
        <div class="table-wide" tabIndex={0} role="group" aria-label={t("compareSitings")}>
          <table class="table sitings">
            <thead>
              <tr>
                <th scope="col">{t("goal")}</th>
                <th scope="col">{t("posts")}</th>
                <th scope="col">{t("coveredColumn")}</th>
                <th scope="col">{t("meanColumn")}</th>
                <th scope="col">{t("ofBest")}</th>
                <th scope="col">
                  <span class="unseen">{t("takeThis")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {found.map((one) => (
                <SitingRow key={one.goal} siting={one} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function SitingRow({ siting: { goal, places, summary: numbers, failure } }: { siting: Siting }) {
  const name = t(`goal_${goal}`);
  if (failure) {
    return (
      <tr>
        <th scope="row">{name}</th>
        <td colSpan={5}>{failure.message}</td>
      </tr>
    );
  }
  const number = (key: string) => (typeof numbers[key] === "number" ? numbers[key] : null);
  const share = number("covered_share");
  const gap = number("gap_share");
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-number="true">{places.length}</td>
      <td data-number="true">{share === null ? t("empty") : shareText(share)}</td>
      <td data-number="true">{minutesText(number("mean_min"))}</td>
      <td data-number="true">{gap === null ? t("empty") : shareText(Math.ceil(gap * 1000) / 1000)}</td>
      <td>
        <button
          type="button"
          class="button small"
          disabled={places.length === 0}
          onClick={() => ask({ added: places.slice(0, MOST_ADDED) })}
        >
          {t("takeThis")}
          <span class="unseen">{name}</span>
        </button>
      </td>
    </tr>
  );
}

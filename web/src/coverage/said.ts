/** Numbers of coverage in words: weights by what they count, shares, minutes. */

import { formatNumber } from "../format";
import { language, t } from "../state/store";
import type { Demand } from "./question";
import { question } from "./question";

/** So many households, units or incidents. */
export function weightText(weight: number, demand: Demand = question.value.demand): string {
  return t(`unit_${demand}`, weight);
}

export function shareText(share: number): string {
  // 99.99 % is not all of them.
  const floored = share < 1 ? Math.floor(share * 1000) / 1000 : 1;
  const digits = { style: "percent", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language.value === "zh" ? "zh-CN" : "en-GB", digits).format(floored);
}

export function minutesText(minutes: number | null | undefined): string {
  if (minutes === null || minutes === undefined) return t("empty");
  return formatNumber(Math.round(minutes * 10) / 10, language.value);
}

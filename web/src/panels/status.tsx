/** The line at the bottom: what the map is doing, and whose data it shows. */

import { announcement, city, mapBusy, t, visible } from "../state/store";

export function StatusBar() {
  const doing = mapBusy.value ? t("loading") : t("layersShown", visible.value.size);
  return (
    <footer class="status">
      <p class="status-line" role="status" aria-live="polite" aria-label={t("status")} data-busy={mapBusy.value}>
        {announcement.value || doing}
      </p>
      <p class="status-source">
        {city.value?.synthetic && <span>{t("syntheticLong")}</span>}
        {city.value?.attribution && <span>{city.value.attribution}</span>}
      </p>
    </footer>
  );
}

/** The legend of the shown result on the map; below it the layers that can be laid under it. */

import { useSignal } from "@preact/signals";
import type { CatalogLayer } from "../api";
import { legendOf } from "../hotspots/legend";
import { SwatchMark } from "../panels/swatch";
import { narrow } from "../state/layout";
import { catalog, chosenLayers, language, t, usual, visible } from "../state/store";
import { toggled } from "./legend";

export function LegendOf({ layer, summary }: { layer: CatalogLayer | null; summary: Record<string, unknown> }) {
  const open = useSignal(!narrow.value);
  const base = catalog.value.filter(({ group }) => group !== "analysis");
  return (
    <details class="legend-card" open={open.value} onToggle={(e) => (open.value = e.currentTarget.open)}>
      <summary>{t("legend")}</summary>
      {layer && (
        <>
          <p class="legend-title">{layer.title[language.value]}</p>
          <ul class="legend">
            {legendOf(layer, summary, language.value).map((row) => (
              <li key={row.label}>
                <SwatchMark swatch={row} />
                <span>{row.label}</span>
              </li>
            ))}
          </ul>
          {layer.note && <p class="hint">{layer.note[language.value]}</p>}
        </>
      )}
      <details class="legend-layers">
        <summary>{t("otherLayers")}</summary>
        <ul>
          {base.map(({ id, title, legend }) => (
            <li key={id}>
              <label class="layer-row">
                <input
                  type="checkbox"
                  checked={visible.value.has(id)}
                  onChange={() => (chosenLayers.value = toggled(base, visible.value, id, usual.value))}
                />
                <span class="layer-title">{title[language.value]}</span>
                {legend.length === 1 && <SwatchMark swatch={legend[0]!} />}
              </label>
            </li>
          ))}
        </ul>
      </details>
    </details>
  );
}

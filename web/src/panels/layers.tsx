/** The layer tree: what the map shows, in the server's order, with the very colours of the map. */

import { GROUP_WORDS, layerTree, toggled, type Swatch, type TreeLayer } from "../map/legend";
import { catalog, chosenLayers, language, t, visible, zoom } from "../state/store";
import { PanelHead } from "./panel";

export function LayersPanel() {
  const groups = layerTree(catalog.value, visible.value, zoom.value, language.value);
  return (
    <section class="panel" id="panel-layers" aria-labelledby="title-layers">
      <PanelHead panel="layers" title={t("layers")}>
        {chosenLayers.value && (
          <button type="button" class="link" onClick={() => (chosenLayers.value = null)}>
            {t("resetLayers")}
          </button>
        )}
      </PanelHead>
      <div class="panel-body">
        {groups.map((group) => (
          <fieldset class="group" key={group.id}>
            <legend>{t(GROUP_WORDS[group.id])}</legend>
            <ul>
              {group.layers.map((layer) => (
                <LayerEntry layer={layer} key={layer.id} />
              ))}
            </ul>
          </fieldset>
        ))}
      </div>
    </section>
  );
}

function LayerEntry({ layer }: { layer: TreeLayer }) {
  const noteId = `note-${layer.id}`;
  return (
    <li class="layer" data-layer={layer.id}>
      <label class="layer-row">
        <input
          type="checkbox"
          checked={layer.visible}
          aria-describedby={layer.visible && layer.note ? noteId : undefined}
          onChange={() => (chosenLayers.value = toggled(catalog.value, visible.value, layer.id))}
        />
        <span class="layer-title">{layer.title}</span>
        {layer.single && <SwatchMark swatch={layer.single} />}
      </label>
      {layer.visible && layer.tooFar && <p class="hint">{t("zoomToSee")}</p>}
      {layer.visible && layer.swatches.length > 0 && (
        <ul class="legend">
          {layer.swatches.map((swatch) => (
            <li key={swatch.label}>
              <SwatchMark swatch={swatch} />
              <span>{swatch.label}</span>
            </li>
          ))}
        </ul>
      )}
      {layer.visible && layer.note && (
        <p class="hint" id={noteId}>
          {layer.note}
        </p>
      )}
    </li>
  );
}

function SwatchMark({ swatch }: { swatch: Swatch }) {
  const outline = swatch.outline ?? swatch.color;
  return (
    <svg class="swatch" viewBox="0 0 20 14" aria-hidden="true" focusable="false">
      {swatch.shape === "line" && <line x1="1" y1="7" x2="19" y2="7" stroke={swatch.color} stroke-width="3" />}
      {swatch.shape === "circle" && <circle cx="10" cy="7" r="5.2" fill={swatch.color} stroke={outline} />}
      {(swatch.shape === "fill" || swatch.shape === "hatch") && (
        <rect x="1" y="1" width="18" height="12" rx="2" fill={swatch.color} stroke={outline} />
      )}
      {swatch.shape === "hatch" && <path class="hatch" d="M3 12 12 2M8 12l9-10M1 8l6-6M13 12l6-6" />}
    </svg>
  );
}

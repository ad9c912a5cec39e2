/** The layer tree: what the map shows, in the server's order, with the very colours of the map. */

import { GROUP_WORDS, layerTree, toggled, type TreeLayer } from "../map/legend";
import { catalog, chosenLayers, language, t, visible, zoom } from "../state/store";
import { PanelHead } from "./panel";
import { SwatchMark } from "./swatch";

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

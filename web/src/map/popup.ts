/** The popup on the map: MapLibre carries it, Preact draws what is in it, as DOM nodes and never as markup. */

import { effect, untracked } from "@preact/signals";
import { Popup, type Map as MapLibre } from "maplibre-gl";
import { h, render } from "preact";
import { PopupCard } from "../panels/card";
import { closePopup, hits } from "../state/pick";

export function followHits(map: MapLibre): () => void {
  const content = document.createElement("div");
  const popup = new Popup({
    closeButton: false,
    closeOnClick: false,
    focusAfterOpen: false,
    maxWidth: "320px",
    offset: 12,
  }).setDOMContent(content);
  let returnTo: HTMLElement | null = null;

  content.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closePopup();
  });
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Escape") closePopup();
  });

  return effect(() => {
    const shown = hits.value;
    if (!shown) {
      const hadFocus = content.contains(document.activeElement);
      popup.remove();
      untracked(() => render(null, content));
      if (hadFocus) (returnTo?.isConnected ? returnTo : map.getCanvas()).focus();
      returnTo = null;
      return;
    }
    untracked(() => render(h(PopupCard, { hits: shown }), content));
    popup.setLngLat(shown.at);
    if (!popup.isOpen()) popup.addTo(map);
    if (shown.focus && !content.contains(document.activeElement)) {
      returnTo = document.activeElement instanceof HTMLElement ? document.activeElement : null;
      content.querySelector("button")?.focus();
    }
  });
}

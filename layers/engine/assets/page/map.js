// Draws what #wangge-data describes on a Leaflet map. Every word of the data enters the page as text, never as HTML.
"use strict";

function wangge(map) {
  const page = JSON.parse(document.getElementById("wangge-data").textContent);
  const words = page.words;

  // A class about which the map makes no statement is hatched.
  const hatched = L.Canvas.extend({
    _fillStroke(ctx, layer) {
      L.Canvas.prototype._fillStroke.call(this, ctx, layer);
      if (!layer.options.hatch) return;
      ctx.globalAlpha = 1;
      ctx.fillStyle = hatch(ctx);
      ctx.fill("evenodd");
    },
  });
  let pattern = null;
  function hatch(ctx) {
    if (pattern) return pattern;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = page.hatch;
    pen.lineWidth = 1;
    for (const x of [-8, 0, 8]) {
      pen.moveTo(x, 8);
      pen.lineTo(x + 8, 0);
    }
    pen.stroke();
    pattern = ctx.createPattern(tile, "repeat");
    return pattern;
  }

  const renderer = new hatched({ padding: 0.4, tolerance: 4 });

  function element(tag, text, parent) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  function details(layer, cells) {
    const box = element("div");
    box.className = "wg-popup";
    element("p", layer.about.title, box).className = "wg-kind";
    if (cells[0]) element("p", cells[0], box).className = "wg-name";
    const table = element("table", undefined, box);
    layer.about.rows.forEach((title, i) => {
      if (!cells[i + 1]) return;
      const row = element("tr", undefined, table);
      element("th", title, row).scope = "row";
      element("td", cells[i + 1], row);
    });
    return box;
  }

  function brief(layer, cells) {
    return element("span", cells[0] || cells.slice(1).filter(Boolean).slice(0, 2).join(" · ") || layer.about.title);
  }

  // A line is as wide as its class at zoom 14 and thins out towards the whole city.
  const lineFactor = () => Math.min(3, Math.max(0.3, 1.45 ** (map.getZoom() - 14)));
  const outlineFactor = () => Math.min(1.8, Math.max(0.5, 1 + 0.2 * (map.getZoom() - 14)));
  const pointFactor = () => Math.min(1.4, Math.max(0.6, 0.8 + 0.15 * (map.getZoom() - 13)));

  // Very many points are drawn smaller, or they would be one blot.
  const crowdFactor = (layer) => Math.min(1, Math.max(0.5, (3000 / layer.features.length) ** 0.25));

  function shape(layer, [style, geometry, cells]) {
    const options = { ...layer.about.styles[style], renderer, fillOpacity: 1, opacity: 1 };
    options.interactive = layer.about.rows.length > 0;
    if (geometry.type === "Point") {
      options.weight *= crowdFactor(layer);
      options.radius *= pointFactor() * crowdFactor(layer);
    }
    else options.weight *= layer.about.geometry === "line" ? lineFactor() : outlineFactor();
    const [drawn] = L.geoJSON(geometry, {
      style: () => options,
      pointToLayer: (_, place) => L.circleMarker(place, options),
    }).getLayers();
    if (options.interactive) {
      drawn.bindPopup(() => details(layer, cells), { maxWidth: 380 });
      drawn.bindTooltip(() => brief(layer, cells), { sticky: true });
    }
    return drawn;
  }

  for (const layer of page.layers) {
    layer.shapes = layer.features.map((feature) => shape(layer, feature));
    layer.shown = true;
  }

  // Taken away and added again from the ground up, so that a layer comes back to its own storey.
  function draw() {
    for (const layer of page.layers) for (const drawn of layer.shapes) drawn.remove();
    for (const layer of page.layers) if (layer.shown) for (const drawn of layer.shapes) drawn.addTo(map);
    label();
  }

  function resize() {
    for (const layer of page.layers) {
      layer.features.forEach(([style, geometry], i) => {
        const own = layer.about.styles[style];
        if (geometry.type === "Point") layer.shapes[i].setRadius(own.radius * pointFactor() * crowdFactor(layer));
        else {
          const factor = layer.about.geometry === "line" ? lineFactor() : outlineFactor();
          layer.shapes[i].setStyle({ weight: own.weight * factor });
        }
      });
    }
  }

  // Labels: upper layers first, none over another.
  const pane = map.createPane("wangge-labels");
  pane.style.zIndex = 450;
  pane.style.pointerEvents = "none";
  const width = (text, size) => size * [...text].reduce((sum, c) => sum + (c > "\u2e80" ? 1 : 0.56), 0);

  function label() {
    pane.replaceChildren();
    pane.style.display = "";
    const view = map.getBounds();
    const taken = [];
    for (const layer of [...page.layers].reverse()) {
      const style = layer.about.label;
      if (!layer.shown || !style || map.getZoom() < style.minzoom) continue;
      layer.features.forEach(([, geometry, cells, inside], i) => {
        if (!cells[0] || taken.length >= 250) return;
        const place = inside ? L.latLng(inside) : geometry.type === "Point" && layer.shapes[i].getLatLng();
        if (!place) return;
        if (!view.contains(place)) return;
        const at = map.latLngToLayerPoint(place);
        if (geometry.type === "Point") at.y += layer.shapes[i].getRadius() + style.size * 0.7;
        else if (!fits(layer.shapes[i], width(cells[0], style.size))) return;
        const half = L.point(width(cells[0], style.size) / 2 + 3, style.size * 0.7);
        const box = L.bounds(at.subtract(half), at.add(half));
        if (taken.some((other) => other.overlaps(box))) return;
        taken.push(box);
        const text = element("span", cells[0], pane);
        text.className = "wg-label";
        text.style.cssText = `font-size:${style.size}px;color:${style.color};--halo:${style.halo}`;
        L.DomUtil.setPosition(text, at);
      });
    }
  }

  // An area much smaller than its name waits for a closer look.
  function fits(drawn, length) {
    const box = drawn.getBounds();
    const size = map.latLngToLayerPoint(box.getSouthEast()).subtract(map.latLngToLayerPoint(box.getNorthWest()));
    return Math.max(size.x, size.y) > 0.6 * length;
  }

  // The same data as a table, for keyboards, screen readers and those who read numbers.
  const panel = document.getElementById("wg-table");
  const button = document.getElementById("wg-table-button");
  let filled = false;
  function fill() {
    for (const layer of [...page.layers].reverse()) {
      if (!layer.about.rows.length || !layer.features.length) continue;
      const table = element("table", undefined, panel);
      const order = layer.features.map((_, i) => i).sort((a, b) => layer.features[a][0] - layer.features[b][0] || a - b);
      const listed = order.slice(0, page.tableRows);
      const count = listed.length < order.length ? ` (${listed.length} / ${order.length})` : ` (${order.length})`;
      element("caption", layer.about.title + count, table);
      const head = element("tr", undefined, element("thead", undefined, table));
      for (const title of ["", ...layer.about.rows]) element("th", title || words.place, head).scope = "col";
      const body = element("tbody", undefined, table);
      for (const i of listed) {
        const cells = layer.features[i][2];
        const row = element("tr", undefined, body);
        const show = element("button", cells[0] || words.show, element("td", undefined, row));
        show.type = "button";
        show.addEventListener("click", () => visit(layer.shapes[i]));
        for (const cell of cells.slice(1)) element("td", cell, row);
      }
    }
  }
  function visit(drawn) {
    if (drawn.getBounds) map.fitBounds(drawn.getBounds(), { maxZoom: 15 });
    else map.setView(drawn.getLatLng(), Math.max(map.getZoom(), 15));
    drawn.openPopup();
  }
  button.addEventListener("click", () => {
    if (!filled) fill();
    filled = true;
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
    map.invalidateSize();
  });

  for (const box of document.querySelectorAll(".wg-legend input")) {
    box.addEventListener("change", () => {
      page.layers.find((layer) => layer.about.id === box.value).shown = box.checked;
      draw();
    });
  }

  L.control.zoom({ position: "bottomright", zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const canvas = map.getContainer();
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", words.map);
  // Leaflet focuses the map on every click; only who works with keys needs to see it.
  document.addEventListener("keydown", () => canvas.classList.add("wg-keys"), true);
  document.addEventListener("pointerdown", () => canvas.classList.remove("wg-keys"), true);
  map.on("zoomstart", () => (pane.style.display = "none"));
  map.on("zoomend", resize);
  map.on("moveend", label);
  resize();
  draw();
}

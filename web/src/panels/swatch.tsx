/** A class of a legend as the map draws it. */

import type { Swatch } from "../map/legend";

export function SwatchMark({ swatch }: { swatch: Omit<Swatch, "label"> }) {
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

/** A place drawn on the map, a point, a line or an area; or its GeoJSON, for whoever has that. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { plain } from "../map/pane";
import { drawn, placing } from "../state/picking";
import { announce, t } from "../state/store";
import { geometryIn, placeOf, SHAPES, sketchOf, type Corner, type Shape } from "./place";

interface PlacePickerProps {
  id: string;
  value: string;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
  onChange: (value: string) => void;
}

interface Drawing {
  shape: Shape;
  corners: readonly Corner[];
}

export function PlacePicker({ id, value, onChange, ...said }: PlacePickerProps) {
  const drawing = useSignal<Drawing | null>(null);
  const stop = () => {
    if (!drawing.peek()) return;
    drawing.value = null;
    placing.value = null;
  };
  const finish = ({ shape, corners }: Drawing) => {
    const place = placeOf(shape, corners);
    stop();
    if (place) onChange(JSON.stringify(place));
  };
  const begin = (shape: Shape) => {
    drawing.value = { shape, corners: [] };
    placing.value = (at) => {
      const now = drawing.peek();
      if (!now) return;
      drawing.value = { ...now, corners: [...now.corners, at] };
      if (shape === "point") finish(drawing.value);
      else announce(t("drawnCorners", drawing.value.corners.length));
    };
    document.querySelector<HTMLElement>("#map canvas")?.focus();
  };

  const now = drawing.value;
  useEffect(() => {
    drawn.value = now ? sketchOf(now.shape, now.corners) : geometryIn(value);
  }, [now, value]);
  useEffect(
    () => () => {
      stop();
      drawn.value = null;
    },
    [],
  );
  return (
    <div class="layer-picker">
      {!plain.value && (
        <div class="layer-picker-foot" role="group" aria-label={t("drawOnMap")}>
          {SHAPES.map((shape) => (
            <button key={shape} type="button" class="button" aria-pressed={now?.shape === shape} onClick={() => begin(shape)}>
              {t(`draw_${shape}`)}
            </button>
          ))}
        </div>
      )}
      {now && (
        <>
          <p class="hint" role="status">
            {t("drawHint")}
          </p>
          <div class="layer-picker-foot">
            <button type="button" class="button primary" disabled={placeOf(now.shape, now.corners) === null} onClick={() => finish(now)}>
              {t("pickingDone")}
            </button>
            <button
              type="button"
              class="button"
              disabled={now.corners.length === 0}
              onClick={() => (drawing.value = { ...now, corners: now.corners.slice(0, -1) })}
            >
              {t("drawBack")}
            </button>
            <button type="button" class="button" onClick={stop}>
              {t("cancel")}
            </button>
          </div>
        </>
      )}
      <textarea id={id} {...said} rows={2} placeholder="GeoJSON" value={value} onInput={(event) => onChange(event.currentTarget.value)} />
    </div>
  );
}

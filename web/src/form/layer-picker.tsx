/** Codes of the features of a layer: typed, one a line, or picked on the map by mouse and keyboard. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { picking } from "../state/picking";
import { t } from "../state/store";
import { plain } from "../map/pane";
import { linesOf } from "./model";

interface LayerPickerProps {
  id: string;
  layer: string;
  title: string;
  /** One code a line. */
  value: string;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
  onChange: (value: string) => void;
}

export function LayerPicker({ id, layer, title, value, onChange, ...said }: LayerPickerProps) {
  const codes = linesOf(value);
  // Two clicks may come before the page has drawn what the first one did.
  const latest = useRef(value);
  latest.current = value;
  const isPicking = picking.value?.field === id;
  const ask = () => {
    picking.value = {
      field: id,
      layer,
      codes,
      toggle: (code) => {
        const known = linesOf(latest.current);
        const isIn = known.includes(code);
        latest.current = (isIn ? known.filter((one) => one !== code) : [...known, code]).join("\n");
        onChange(latest.current);
        return isIn ? "out" : "in";
      },
    };
  };
  // What is asked for follows what is typed.
  useLayoutEffect(() => {
    if (picking.peek()?.field === id) ask();
  }, [value]);
  useEffect(
    () => () => {
      if (picking.peek()?.field === id) picking.value = null;
    },
    [],
  );
  return (
    <div class="layer-picker">
      <textarea
        id={id}
        {...said}
        rows={Math.min(6, Math.max(2, codes.length))}
        placeholder={t("oneALine")}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      {!plain.value && (
        <div class="layer-picker-foot">
          <button
            type="button"
            class="button"
            aria-pressed={isPicking}
            aria-label={t(isPicking ? "pickingDoneFor" : "pickOnMapFor", title)}
            onClick={() => (isPicking ? (picking.value = null) : ask())}
          >
            {t(isPicking ? "pickingDone" : "pickOnMap")}
          </button>
          <span class="hint">{t("chosenCount", codes.length)}</span>
        </div>
      )}
      {isPicking && <p class="hint">{t("pickingHint")}</p>}
    </div>
  );
}

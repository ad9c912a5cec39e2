/** Small charts, drawn by hand; each says in words what it shows. */

import { formatDay, formatNumber } from "../format";
import { language, t } from "../state/store";
import type { Day } from "../state/time";

const WIDTH = 320;
const HEIGHT = 56;

interface TimeBarsProps {
  title: string;
  /** In the order of time, evenly spaced. */
  bars: { from: Day; count: number }[];
}

/** How many in each span of time, a bar a span. */
export function TimeBars({ title, bars }: TimeBarsProps) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const peak = bars.find(({ count }) => count === most);
  const [first, last] = [bars[0], bars.at(-1)];
  if (!first || !last) return null;
  const step = WIDTH / bars.length;
  const gap = step > 3 ? 1 : 0;
  return (
    <figure class="bars">
      <figcaption>
        <span>{title}</span>
        <span>{formatNumber(most, language.value)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("barsText", title, most, formatDay((peak ?? first).from, language.value))}
      >
        <path class="grid" d={`M0 .5H${WIDTH}`} />
        {bars.map(({ from, count }, at) => {
          const height = (count / most) * (HEIGHT - 1);
          return (
            <rect key={from} x={at * step} y={HEIGHT - height} width={Math.max(0.5, step - gap)} height={height}>
              <title>{`${formatDay(from, language.value)}: ${t("incidentsHere", count)}`}</title>
            </rect>
          );
        })}
        <path class="axis" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      </svg>
      <div class="bars-ends" aria-hidden="true">
        <span>{formatDay(first.from, language.value)}</span>
        <span>{formatDay(last.from, language.value)}</span>
      </div>
    </figure>
  );
}

interface CurvesProps {
  xName: string;
  lines: { name: string; points: [x: number, y: number][] }[];
}

const CURVE_HEIGHT = 150;

/** Parts against a part, all from 0: each line has a dash of its own, and the dotted diagonal is what chance would give. */
export function Curves({ xName, lines }: CurvesProps) {
  const [w, h] = [WIDTH, CURVE_HEIGHT];
  const points = lines.flatMap((line) => line.points);
  const xMost = Math.max(...points.map(([x]) => x));
  const yMost = Math.max(...points.map(([, y]) => y));
  if (xMost <= 0 || yMost <= 0) return null;
  const at = ([x, y]: [number, number]) => `${((x / xMost) * w).toFixed(1)} ${(h - (y / yMost) * h).toFixed(1)}`;
  const path = (of: [number, number][]) => `M0 ${h}${of.map((point) => `L${at(point)}`).join("")}`;
  const percent = new Intl.NumberFormat(language.value, { style: "percent", maximumFractionDigits: 1 });
  return (
    <figure class="curve">
      <div class="bars-ends" aria-hidden="true">
        <span>{percent.format(yMost)}</span>
      </div>
      <svg viewBox={`-1 -2 ${w + 2} ${h + 4}`} role="img" aria-label={lines.map(({ name }) => t("curveText", name, xName)).join("; ")}>
        <path class="grid" d={[0.25, 0.5, 0.75].map((part) => `M0 ${h * part}H${w}`).join("")} />
        <path class="chance" d={path([[Math.min(xMost, yMost), Math.min(xMost, yMost)]])} />
        {lines.map(({ name, points: of }, index) => (
          <path key={name} class="line" data-line={index} d={path(of)} />
        ))}
        <path class="axis" d={`M0 0V${h}H${w}`} />
      </svg>
      <div class="bars-ends">
        <span>0</span>
        <span>
          {xName} {percent.format(xMost)}
        </span>
      </div>
      <figcaption>
        {[...lines.map(({ name }, index) => ({ name, kind: "line", index })), { name: t("byChance"), kind: "chance", index: 0 }].map(
          ({ name, kind, index }) => (
            <span key={name}>
              <svg class="key" viewBox="0 0 24 8" aria-hidden="true">
                <path class={kind} data-line={index} d="M0 4H24" />
              </svg>
              {name}
            </span>
          ),
        )}
      </figcaption>
    </figure>
  );
}

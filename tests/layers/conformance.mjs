// Reads {spec, cases: [{expression, rows}], styles} from standard input; writes the colour that MapLibre gives every row,
// as [r, g, b, alpha] with r, g, b and alpha from 0 to 255, and the faults it finds in every style.
import { readFileSync } from "node:fs";

const { spec, cases, styles } = JSON.parse(readFileSync(0, "utf8"));
const { createExpression, latest, validateStyleMin } = await import(spec);

function colour(value) {
  const { r, g, b, a } = value;
  return [...[r, g, b].map((c) => Math.round((255 * c) / (a || 1))), Math.round(255 * a)];
}

const colours = cases.map(({ expression, rows }) => {
  if (typeof expression === "string") expression = ["to-color", expression];
  const made = createExpression(expression, "layers[0].paint.fill-color", latest.paint_fill["fill-color"]);
  if (made.result === "error") throw new Error(JSON.stringify(made.value));
  return rows.map((properties) => colour(made.value.evaluate({ zoom: 14 }, { type: 3, properties })));
});
const faults = styles.map((style) => validateStyleMin(style).map((fault) => fault.message));
process.stdout.write(JSON.stringify({ colours, faults }));

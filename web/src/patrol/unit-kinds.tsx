/** The kinds of units, alone and together, as the layer of routes calls them. */

import { language } from "../state/store";
import { layer } from "./answer";

/** Those that go together most. */
const JOINT = ["police+grid_staff", "police+guards", "police+volunteers", "grid_staff+volunteers"];

const codesOf = () => layer.value?.popup.find(({ field }) => field === "unit_kind")?.codes ?? {};

/** What kinds are called, several joined. */
export function kindsText(kinds: readonly string[]): string {
  const codes = codesOf();
  return kinds.map((code) => codes[code]?.[language.value] ?? code).join(" + ");
}

/** The kinds to choose from; what is chosen now stands among them, whatever it is. */
export function KindOptions({ now }: { now: readonly string[] }) {
  const codes = Object.keys(codesOf());
  const known = [...codes, ...JOINT.filter((joint) => joint.split("+").every((code) => codes.includes(code)))];
  const chosen = now.join("+");
  const options = chosen === "" || known.includes(chosen) ? known : [chosen, ...known];
  return (
    <>
      {options.map((one) => (
        <option key={one} value={one}>
          {kindsText(one.split("+"))}
        </option>
      ))}
    </>
  );
}

/** Numbers of a result by name; those that belong together fold away under theirs. */

import { numberRows, type Words } from "./numbers";
import { reader } from "../state/store";

interface NumbersTableProps {
  caption?: string;
  values: Record<string, unknown>;
  words: Words;
}

export function NumbersTable({ caption, values, words }: NumbersTableProps) {
  const { rows, parts } = numberRows(values, words, reader.value);
  return (
    <>
      {rows.length > 0 && (
        <table class="numbers">
          {caption && <caption>{caption}</caption>}
          <tbody>
            {rows.map(({ name, label, text }) => (
              <tr key={name}>
                <th scope="row">{label}</th>
                <td>{text}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {parts.map(({ name, label, values: inner }) => (
        <details class="how" key={name}>
          <summary>{label}</summary>
          <NumbersTable values={inner} words={words} />
        </details>
      ))}
    </>
  );
}

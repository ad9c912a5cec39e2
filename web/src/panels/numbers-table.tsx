/** Numbers of a result by name; those that belong together fold away under theirs, and rows stand in a table. */

import { handle } from "../map/handle";
import { reader, t } from "../state/store";
import { numberRows, type NumberTable, type Words } from "./numbers";

const CLOSE_ZOOM = 16;

interface NumbersTableProps {
  caption?: string;
  values: Record<string, unknown>;
  words: Words;
}

export function NumbersTable({ caption, values, words }: NumbersTableProps) {
  const { rows, parts, tables } = numberRows(values, words, reader.value);
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
      {tables.map((table) => (
        <details class="how" key={table.name} open>
          <summary>
            {table.label} <span class="hint">{table.rows.length}</span>
          </summary>
          <RowsTable {...table} />
        </details>
      ))}
      {parts.map(({ name, label, values: inner }) => (
        <details class="how" key={name}>
          <summary>{label}</summary>
          <NumbersTable values={inner} words={words} />
        </details>
      ))}
    </>
  );
}

/** Rows wider or longer than the panel are scrolled; one with a place shows it on the map. */
function RowsTable({ label, columns, rows }: NumberTable) {
  const show = ([lon, lat]: [number, number]) => handle.value?.fit([lon, lat, lon, lat], CLOSE_ZOOM);
  return (
    <div class="number-rows" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ name, label: title }) => (
              <th key={name} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ texts, at }, i) => (
            <tr key={i}>
              {texts.map((text, column) => (
                <td key={column}>
                  {at && column === 0 ? (
                    <button type="button" class="link" title={t("showIt")} onClick={() => show(at)}>
                      {text}
                    </button>
                  ) : (
                    text
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The numbers of an answer, whatever the service: single ones, those that belong together, and tables. */

import { named, textOf, type Words } from "../panels/numbers";
import { NumbersTable } from "../panels/numbers-table";
import { language, reader, t } from "../state/store";
import { Curves, TimeBars } from "./charts";
import { barsOf, columnsOf, curvesOf, matrixOf, partsOf, seriesOf, type Matrix, type Row } from "./tables";

interface SummaryProps {
  values: Record<string, unknown>;
  words: Words;
}

/** More rows than this fold away. */
const SHOWN_ROWS = 12;

export function Summary({ values, words }: SummaryProps) {
  const { singles, tables } = partsOf(values);
  return (
    <section class="summary" aria-labelledby="title-numbers">
      <h3 class="section-title" id="title-numbers">
        {t("numbers")}
      </h3>
      <NumbersTable values={singles} words={words} />
      {tables.map(({ name, rows }) => (
        <TablePart key={name} name={name} rows={rows} words={words} />
      ))}
    </section>
  );
}

function TablePart({ name, rows, words }: { name: string; rows: Row[]; words: Words }) {
  const title = named(name, words, language.value);
  const matrix = matrixOf(rows);
  if (matrix) return <MatrixTable title={title} matrix={matrix} words={words} />;
  const curves = curvesOf(rows);
  const table = <RowsTable title={title} rows={rows} words={words} />;
  if (curves) {
    const lines = curves.lines.map(({ name: line, points }) => ({ name: named(line, words, language.value), points }));
    return (
      <>
        <h4 class="table-title">{title}</h4>
        <Curves xName={named(curves.x, words, language.value)} lines={lines} />
        <Folded title={title} count={rows.length}>
          {table}
        </Folded>
      </>
    );
  }
  const series = seriesOf(rows);
  if (series) {
    return (
      <>
        <TimeBars title={title} bars={series} />
        <Folded title={title} count={rows.length}>
          {table}
        </Folded>
      </>
    );
  }
  if (rows.length <= SHOWN_ROWS) return table;
  return (
    <Folded title={title} count={rows.length}>
      {table}
    </Folded>
  );
}

function Folded({ title, count, children }: { title: string; count: number; children: preact.ComponentChildren }) {
  return (
    <details class="how">
      <summary>
        {title} · {t("tableRows", count)}
      </summary>
      {children}
    </details>
  );
}

function RowsTable({ title, rows, words }: { title: string; rows: Row[]; words: Words }) {
  const columns = columnsOf(rows);
  const bars = Object.fromEntries(columns.map((column) => [column, barsOf(rows, column)]));
  return (
    <div class="table-wide" tabIndex={0} role="group" aria-label={title}>
      <table class="table">
        <caption>{title}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {named(column, words, language.value)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {columns.map((column) => (
                <td
                  key={column}
                  data-number={typeof row[column] === "number"}
                  style={bars[column]?.[at] === undefined ? undefined : { "--share": `${Math.round(100 * bars[column][at])}%` }}
                >
                  {textOf(column, row[column], words, reader.value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Distance by time: one value a cell, the others of the same pair beside it in small. */
function MatrixTable({ title, matrix, words }: { title: string; matrix: Matrix; words: Words }) {
  const said = (name: string) => named(name, words, language.value);
  return (
    <div class="table-wide" tabIndex={0} role="group" aria-label={title}>
      <table class="table matrix">
        <caption>
          {title}
          <span class="hint">
            {said(matrix.value)}
            {matrix.beside && ` (${said(matrix.beside)})`}
          </span>
        </caption>
        <thead>
          <tr>
            <th scope="col">
              {said(matrix.down)} \ {said(matrix.across)}
            </th>
            {matrix.columns.map((column) => (
              <th key={column} scope="col">
                {textOf(matrix.across, column, words, reader.value)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.rows.map(({ label, cells }) => (
            <tr key={label}>
              <th scope="row">{textOf(matrix.down, label, words, reader.value)}</th>
              {cells.map((cell, at) => (
                <td key={at} data-number="true" data-strong={cell?.strong}>
                  {cell ? textOf(matrix.value, cell.value, words, reader.value) : t("empty")}
                  {cell && cell.beside !== null && matrix.beside && (
                    <small>{textOf(matrix.beside, cell.beside, words, reader.value)}</small>
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

/** What kind of table the numbers of a service make, told by their shape alone: so a new service needs no new code here. */

export type Row = Record<string, unknown>;

export interface TablePart {
  name: string;
  rows: Row[];
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Single numbers and small groups of them on one side, lists of rows on the other; what has neither shape is left out. */
export function partsOf(values: Record<string, unknown>): { singles: Record<string, unknown>; tables: TablePart[] } {
  const singles: Record<string, unknown> = {};
  const tables: TablePart[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (!Array.isArray(value)) singles[name] = value;
    else if (value.length > 0 && value.every(isRow)) tables.push({ name, rows: value });
    else if (value.every((one) => typeof one !== "object")) singles[name] = value;
  }
  return { singles, tables };
}

/** Every column that a row has, in the order of the first rows. */
export function columnsOf(rows: Row[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

function numbersOf(rows: Row[], column: string): number[] | null {
  const numbers = rows.map((row) => row[column]);
  return numbers.every((one) => typeof one === "number") ? (numbers as number[]) : null;
}

/** So many points make a curve worth drawing, and so many lines are still told apart. */
const FEWEST_POINTS = 4;
const MOST_LINES = 3;
const X = /area_share$/;
const Y = /(hit_rate|_share)$/;

export interface Curves {
  x: string;
  lines: { name: string; points: [x: number, y: number][] }[];
}

/** Parts of something that come with a rising part of the area. */
export function curvesOf(rows: Row[]): Curves | null {
  if (rows.length < FEWEST_POINTS) return null;
  const columns = columnsOf(rows).filter((column) => numbersOf(rows, column));
  const x = columns.find((column) => X.test(column) && rises(numbersOf(rows, column)!));
  if (!x) return null;
  const xs = numbersOf(rows, x)!;
  const lines = columns
    .filter((column) => Y.test(column) && !X.test(column))
    .sort((a, b) => a.length - b.length)
    .slice(0, MOST_LINES)
    .map((name) => ({ name, points: numbersOf(rows, name)!.map((y, at): [number, number] => [xs[at]!, y]) }));
  return lines.length > 0 ? { x, lines } : null;
}

function rises(numbers: number[]): boolean {
  return numbers.every((value, at) => at === 0 || value >= numbers[at - 1]!);
}

const COUNT = "incidents_count";
const DAY = /_on$/;

/** Counts by day, week or month, in the order of time. */
export function seriesOf(rows: Row[]): { from: string; count: number }[] | null {
  const day = columnsOf(rows).find((column) => DAY.test(column));
  const counts = numbersOf(rows, COUNT);
  if (!day || !counts || rows.length < FEWEST_POINTS) return null;
  return rows.map((row, at) => ({ from: String(row[day]), count: counts[at]! }));
}

/** Each row's part of the largest count, for a bar behind the number; null where the table counts nothing. */
export function barsOf(rows: Row[], column: string): number[] | null {
  const counts = column === COUNT ? numbersOf(rows, column) : null;
  const most = Math.max(...(counts ?? [0]));
  return counts && most > 0 ? counts.map((count) => count / most) : null;
}

type Label = string | number;

export interface Cell {
  value: unknown;
  beside: unknown;
  strong: boolean;
}

export interface Matrix {
  down: string;
  across: string;
  value: string;
  beside: string | null;
  columns: Label[];
  rows: { label: Label; cells: (Cell | null)[] }[];
}

/** What a cell of a matrix tells first, what stands beside it, and what makes it stand out. */
const VALUES: readonly string[] = ["ratio", "observed", "count"];
const BESIDE: readonly string[] = ["p", "q"];
const STRONG = "significant";
const MOST_LABELS = 12;

/** Rows that are the pairs of two columns, each pair once: a table of the one by the other. */
export function matrixOf(rows: Row[]): Matrix | null {
  const columns = columnsOf(rows);
  const value = VALUES.find((name) => columns.includes(name));
  if (!value) return null;
  const beside = BESIDE.find((name) => columns.includes(name)) ?? null;
  // Names of bands say more than their ends.
  const isText = (column: string) => typeof rows[0]?.[column] === "string";
  const keys = columns.filter((column) => labelsOf(rows, column).length <= MOST_LABELS);
  keys.sort((a, b) => Number(isText(b)) - Number(isText(a)));
  for (const [at, one] of keys.entries()) {
    for (const other of keys.slice(at + 1)) {
      const found = pivot(rows, one, other);
      if (!found) continue;
      const cell = (row: Row | undefined): Cell | null =>
        row ? { value: row[value], beside: beside === null ? null : row[beside], strong: row[STRONG] === true } : null;
      const labels = found.across.labels;
      return {
        ...{ down: found.down.column, across: found.across.column, value, beside },
        columns: labels,
        rows: found.down.labels.map((label) => ({ label, cells: labels.map((column) => cell(found.at(label, column))) })),
      };
    }
  }
  return null;
}

function labelsOf(rows: Row[], column: string): Label[] {
  return [...new Set(rows.map((row) => row[column] as Label))];
}

/** The column that changes more seldom goes down, the other across. */
function pivot(rows: Row[], one: string, other: string) {
  const changes = (column: string) => rows.filter((row, at) => at > 0 && row[column] !== rows[at - 1]?.[column]).length;
  const [down, across] = changes(one) <= changes(other) ? [one, other] : [other, one];
  const [downs, acrosses] = [labelsOf(rows, down), labelsOf(rows, across)];
  if (downs.length < 2 || acrosses.length < 2 || downs.length * acrosses.length !== rows.length) return null;
  const key = (a: unknown, b: unknown) => JSON.stringify([a, b]);
  const pairs = new Map(rows.map((row) => [key(row[down], row[across]), row]));
  if (pairs.size !== rows.length) return null;
  return {
    down: { column: down, labels: downs },
    across: { column: across, labels: acrosses },
    at: (a: Label, b: Label) => pairs.get(key(a, b)),
  };
}

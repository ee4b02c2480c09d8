import { canonicalJson } from '../canonical.ts';
import { canonicalDecimal, canonicalText, cellText, toInteger } from './cell.ts';
import { classNames, type Label, shorten } from './label.ts';
import type { Schema, SchemaColumn } from './schema.ts';
import type { Column, Table } from './table.ts';

/** One way in which a table does not fit a schema. Holds no value of a row, except of the label. */
export type TableProblem = {
  code: 'COLUMN_UNKNOWN' | 'COLUMN_ABSENT' | 'VALUE_NOT_NUMBER' | 'LABEL_ABSENT' | 'LABEL_UNKNOWN';
  column: string;
  /** Rows concerned; 0 where the whole column is. */
  count: number;
  /** Lines of the first ten of them. */
  lines: number[];
  message: string;
};

const SHOWN = 10;
/** The largest label of a regression: 16 bits. */
const MOST = 65_535;

/**
 * Everything in which a table does not fit the schema; an empty list means that it can be used. The order of columns is
 * free and ignored columns may be absent. A new category is no problem: it counts as "other".
 */
export function checkTable(table: Table, schema: Schema): TableProblem[] {
  const problems: TableProblem[] = [];
  const known = new Set([schema.label.name, ...schema.columns.map(({ name }) => name)]);
  for (const { name } of table.columns) {
    if (!known.has(name)) problems.push(ofColumn('COLUMN_UNKNOWN', name, 'is not in the schema: remove it'));
  }
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  for (const { name, type } of schema.columns) {
    if (type === 'ignored') continue;
    const column = columns.get(name);
    if (column === undefined) problems.push(ofColumn('COLUMN_ABSENT', name, 'is in the schema and not in the table'));
    else if (type === 'number') problems.push(...checkNumbers(column, table.lines));
  }
  const label = columns.get(schema.label.name);
  if (label !== undefined) return [...problems, ...checkLabel(label, schema.label, table.lines)];
  return [...problems, ofColumn('COLUMN_ABSENT', schema.label.name, 'is the label and not in the table')];
}

/**
 * Class of each row, of two classes 1 where positive; or its number, mapped from the label's range to 0..65535, clipped,
 * halves up. The table has passed {@link checkTable}.
 */
export function labelsOf(table: Table, { label }: Pick<Schema, 'label'>): Uint8Array | Uint16Array {
  const texts = columnOf(table, label.name).values.map((cell) => canonicalText(cellText(cell)!));
  if ('low' in label) {
    const [low, high] = [Number(label.low), Number(label.high)];
    return Uint16Array.from(texts, (text) => toInteger(Number(text), low, high, MOST));
  }
  const position = new Map(classNames(label).map((text, at) => [text, at]));
  return Uint8Array.from(texts, (text) => position.get(text)!);
}

/**
 * The canonical form of a row, whose digest is the row's identity: canonical JSON of an object from column name to text,
 * numbers as canonical decimals, categories trimmed. Missing cells and ignored columns are left out, so neither the
 * order of columns nor an identifier makes a known row look new. `features` leaves out the label as well.
 *
 * The table has passed {@link checkTable}.
 *
 * @returns a function from the row's number in the table, from 0, to the canonical form
 */
export function canonicalRow(table: Table, schema: Schema, part: 'row' | 'features'): (row: number) => string {
  const used: { name: string; canonical: (text: string) => string; cells: Column['values'] }[] = schema.columns
    .filter(({ type }) => type !== 'ignored')
    .map(({ name, type }) => ({ name, canonical: canonicalOf(type), cells: columnOf(table, name).values }));
  if (part === 'row') {
    const { name } = schema.label;
    used.push({ name, canonical: canonicalText, cells: columnOf(table, name).values });
  }
  return (row) => {
    const members = used.flatMap(({ name, canonical, cells }) => {
      const text = cellText(cells[row]!);
      return text === null ? [] : [[name, canonical(text)] as const];
    });
    return canonicalJson(Object.fromEntries(members));
  };
}

function canonicalOf(type: SchemaColumn['type']): (text: string) => string {
  return type === 'number' ? (text) => canonicalDecimal(text)! : canonicalText;
}

/** The column of that name. The table has passed {@link checkTable}. */
export function columnOf(table: Table, name: string): Column {
  return table.columns.find((column) => column.name === name)!;
}

function ofColumn(code: TableProblem['code'], column: string, message: string): TableProblem {
  return { code, column, count: 0, lines: [], message: `column ${column} ${message}` };
}

function ofRows(code: TableProblem['code'], column: string, lines: number[], expected: string): TableProblem[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, SHOWN);
  const where = shown.join(', ') + (lines.length > SHOWN ? `, ... (${lines.length} rows)` : '');
  return [{ code, column, count: lines.length, lines: shown, message: `column ${column}, line ${where}: ${expected}` }];
}

function checkNumbers(column: Column, lines: Uint32Array): TableProblem[] {
  const bad: number[] = [];
  for (const [row, cell] of column.values.entries()) {
    const text = cellText(cell);
    if (text !== null && canonicalDecimal(text) === null) bad.push(lines[row]!);
  }
  return ofRows('VALUE_NOT_NUMBER', column.name, bad, 'expected a decimal number or nothing');
}

function checkLabel(column: Column, label: Label, lines: Uint32Array): TableProblem[] {
  const known = new Set(classNames(label));
  const isKnown = (value: string) => ('low' in label ? canonicalDecimal(value) !== null : known.has(value));
  const absent: number[] = [];
  const unknown: number[] = [];
  const values = new Set<string>();
  for (const [row, cell] of column.values.entries()) {
    const text = cellText(cell);
    if (text === null) {
      absent.push(lines[row]!);
      continue;
    }
    const value = canonicalText(text);
    if (isKnown(value)) continue;
    unknown.push(lines[row]!);
    values.add(value);
  }
  const expected = `expected ${expectedOf(label)}`;
  const found = [...values].slice(0, SHOWN).map(shorten).join(', ');
  return [
    ...ofRows('LABEL_ABSENT', column.name, absent, `${expected}, found nothing`),
    ...ofRows('LABEL_UNKNOWN', column.name, unknown, `${expected}, found ${found}`),
  ];
}

function expectedOf(label: Label): string {
  if ('low' in label) return 'a decimal number';
  if ('positive' in label) return `${shorten(label.positive)} or ${shorten(label.negative)}`;
  const shown = label.classes.slice(0, SHOWN).map(shorten).join(', ');
  return `one of ${shown}${label.classes.length > SHOWN ? ', ...' : ''}`;
}

import type { Database } from './database.ts';
import type { Dataset } from './stage.ts';

/** What a column of a table holds, its cells in canonical form. */
export interface ColumnProfile {
  readonly name: string;
  /** Cells that are not missing. */
  readonly present: number;
  /** Of them, decimal numbers, and of those, whole ones. */
  readonly numbers: number;
  readonly integers: number;
  /** Of the numbers, as doubles. */
  readonly least: number | null;
  readonly most: number | null;
  /** About how many different values there are: within some percent. */
  readonly distinct: number;
  /** UTF-8 bytes of the longest, and of all. */
  readonly longest: number;
  readonly bytes: number;
  /** Cells that a spreadsheet would run as a formula: they begin with = + - @ and are no numbers. */
  readonly formulas: number;
  readonly firstFormula: number | null;
}

/** A table whose cells are known in canonical form: `cells` has `row`, from 1, and k0, k1, … */
export interface Profiled extends Dataset {
  readonly cells: string;
  readonly profile: readonly ColumnProfile[];
}

/** Columns that one query looks at. */
const AT_ONCE = 50;
const NUMBER = "'-?(?:0|[1-9][0-9]*)(?:\\.[0-9]*[1-9])?'";
/** Whether a canonical cell is a decimal number. */
export const isNumber = (cell: string): string => `(${cell} < ':' AND regexp_full_match(${cell}, ${NUMBER}))`;
export const asDouble = (cell: string): string => `CASE WHEN ${isNumber(cell)} THEN TRY_CAST(${cell} AS DOUBLE) END`;

/** Writes every cell in its canonical form, once, since a dozen queries will read it, and counts what a column holds. */
export async function profile(db: Database, dataset: Dataset): Promise<Profiled> {
  const { table, names } = dataset;
  const cells = `${table}_cells`;
  const canonical = names.map((_, at) => `canonical(c${at}) AS k${at}`).join(', ');
  await db.run(`CREATE TABLE ${cells} AS SELECT rowid + 1 AS row, ${canonical} FROM ${table}`);
  const profiles: ColumnProfile[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const columns = names.slice(from, from + AT_ONCE).map((_, i) => from + i);
    const values = columns.map((at) => `k${at}, ${asDouble(`k${at}`)} AS d${at}, ${formula(at)} AS f${at}`).join(', ');
    const counts = columns.map((at) => countsOf(at)).join(', ');
    const [found] = await db.rows<(number | null)[]>(`SELECT ${counts} FROM (SELECT ${values} FROM ${cells})`);
    for (const [i, at] of columns.entries()) {
      const [present, numbers, integers, least, most, distinct, longest, bytes, formulas, firstFormula] = found!.slice(
        i * COUNTS,
        (i + 1) * COUNTS,
      ) as [
        number,
        number,
        number,
        number | null,
        number | null,
        number,
        number | null,
        number | null,
        number,
        number | null,
      ];
      profiles.push({
        ...{ name: names[at]!, present, numbers, integers, least, most, distinct },
        ...{ longest: longest ?? 0, bytes: bytes ?? 0, formulas, firstFormula },
      });
    }
  }
  return { ...dataset, cells, profile: profiles };
}

const COUNTS = 10;

/** The row, where a cell begins as a formula does and is no number. */
const formula = (at: number): string =>
  `CASE WHEN k${at} < 'A' AND left(k${at}, 1) IN ('=', '+', '-', '@') AND NOT ${isNumber(`k${at}`)} THEN row END`;

function countsOf(at: number): string {
  const [k, d, f] = [`k${at}`, `d${at}`, `f${at}`];
  return `count(${k}), count(${d}), count_if(${d} IS NOT NULL AND NOT contains(${k}, '.')),
    min(${d}), max(${d}), approx_count_distinct(${k}), max(strlen(${k})), sum(strlen(${k}))::DOUBLE, count(${f}), min(${f})`;
}

import { NO_TEXT } from '../pii/column.ts';
import { type Database, literal } from './database.ts';
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
  /** UTF-8 bytes of the longest, as it is in the file or canonically, and of all. */
  readonly longest: number;
  readonly bytes: number;
  /** Whether no cell is missing, and whether JSON writes one otherwise than it is, between quotes. */
  readonly complete: boolean;
  readonly escaped: boolean;
  /** Cells that a spreadsheet would run as a formula: they begin with = + - @ and are no numbers. */
  readonly formulas: number;
  readonly firstFormula: number | null;
  /** Cells as they are in the file that are nobody's: short numbers and times. Others may be, too. */
  readonly nobodys: number;
}

/** A table whose cells are known in canonical form: `cells` is a view of `row`, from 1, and k0, k1, … */
export interface Profiled extends Dataset {
  readonly cells: string;
  readonly profile: readonly ColumnProfile[];
}

/** Columns that one query looks at. */
const AT_ONCE = 50;
const NUMBER = "'-?(?:0|[1-9][0-9]*)(?:\\.[0-9]*[1-9])?'";
/** Whether a canonical cell is a decimal number. With CASE, the pattern is looked for in no other cell. */
export const isNumber = (cell: string): string =>
  `(CASE WHEN ${cell} < ':' THEN regexp_full_match(${cell}, ${NUMBER}) ELSE false END)`;
/** Whether a cell is a short number, a time or an identifier drawn by chance. */
export const isNobodys = (cell: string): string => `regexp_full_match(${cell}, ${literal(`(?i)${NO_TEXT.source}`)})`;
/** Whether a cell starts with = + - or @: comparisons cost a third of taking the character out. */
const isFormula = (cell: string): string => `(${cell} < 'A' AND ${cell} >= '+'
  AND (${cell} < ',' OR ${cell} >= '-' AND ${cell} < '.' OR ${cell} >= '=' AND ${cell} < '>' OR ${cell} >= '@'))`;
export const asDouble = (cell: string): string => `CASE WHEN ${isNumber(cell)} THEN TRY_CAST(${cell} AS DOUBLE) END`;

/**
 * Counts what the columns hold. Most are written canonically: what is said of their cells is true of their canonical
 * forms. The others are written once more, canonically, since a dozen queries will read them, and stand beside them.
 */
export async function profile(db: Database, dataset: Dataset): Promise<Profiled> {
  const { table, names } = dataset;
  const columns = names.map((_, at) => at);
  const written = await counted(db, dataset, columns, table, (at) => `c${at}`);
  const changed = columns.filter((at) => written[at]!.changed > 0);
  const cells = `${table}_cells`;
  const source = columns.map((at) => (changed.includes(at) ? `k${at}` : `c${at} AS k${at}`)).join(', ');
  if (changed.length === 0) {
    await db.run(`CREATE VIEW ${cells} AS SELECT rowid + 1 AS row, ${source} FROM ${table}`);
    return { ...dataset, cells, profile: written };
  }
  const canonical = changed.map((at) => `canonical(c${at}) AS k${at}`).join(', ');
  await db.run(`CREATE TABLE ${table}_changed AS SELECT ${canonical} FROM ${table}`);
  await db.run(
    `CREATE VIEW ${cells} AS SELECT t.rowid + 1 AS row, ${source} FROM ${table} t POSITIONAL JOIN ${table}_changed`,
  );
  const again = await counted(db, dataset, changed, `${table}_changed`, (at) => `k${at}`);
  const profile = written.map((column, at) => {
    const canonical = again[changed.indexOf(at)] ?? column;
    return { ...canonical, longest: Math.max(column.longest, canonical.longest), nobodys: column.nobodys };
  });
  return { ...dataset, cells, profile };
}

/**
 * Whether a cell may not be in canonical form, of which by far most are; n is whether it is a number as one is written
 * canonically. Short ones of these have no more digits than a canonical form.
 */
const mayChange = (k: string, n: string): string => `CASE WHEN ${n} THEN strlen(${k}) > 20 OR ${k} = '-0'
  WHEN NOT is_trimmed(${k}) THEN true WHEN ${k} < ':' THEN is_decimal(${k})
  WHEN strlen(${k}) > 4 THEN false ELSE present(${k}) IS NULL AND ${k} IS NOT NULL END`;

interface Counted extends ColumnProfile {
  readonly changed: number;
}

async function counted(
  db: Database,
  { names, rows }: Dataset,
  columns: readonly number[],
  table: string,
  cellOf: (at: number) => string,
): Promise<Counted[]> {
  const profiles: Counted[] = [];
  for (let from = 0; from < columns.length; from += AT_ONCE) {
    const some = columns.slice(from, from + AT_ONCE);
    const cells = some.map((at) => `${cellOf(at)} AS k${at}, ${isNumber(cellOf(at))} AS n${at}`).join(', ');
    const values = some.map(valuesOf).join(', ');
    const counts = some.map(countsOf).join(', ');
    const [found] = await db.rows<(number | null)[]>(
      `SELECT ${counts} FROM (SELECT ${values} FROM (SELECT rowid + 1 AS row, ${cells} FROM ${table}))`,
    );
    for (const [i, at] of some.entries()) {
      const [
        present,
        numbers,
        integers,
        least,
        most,
        distinct,
        longest,
        bytes,
        formulas,
        firstFormula,
        escapes,
        changed,
        nobodys,
      ] = found!.slice(i * COUNTS, (i + 1) * COUNTS) as [
        ...[number, number, number, number | null, number | null, number, number | null, number | null],
        ...[number, number | null, number, number, number],
      ];
      profiles.push({
        ...{
          name: names[at]!,
          present,
          numbers,
          integers,
          least,
          most,
          distinct,
          formulas,
          firstFormula,
          changed,
          nobodys,
        },
        ...{ longest: longest ?? 0, bytes: bytes ?? 0, complete: present === rows, escaped: escapes > 0 },
      });
    }
  }
  return profiles;
}

const COUNTS = 13;

/** A cell k, its number d, its row f where it begins as a formula does, whether JSON escapes it, whether it may change. */
function valuesOf(at: number): string {
  const [k, n] = [`k${at}`, `n${at}`];
  return `${k}, CASE WHEN ${n} THEN TRY_CAST(${k} AS DOUBLE) END AS d${at},
    CASE WHEN ${isFormula(k)} AND NOT ${n} THEN row END AS f${at},
    CASE WHEN ${n} THEN false ELSE strlen(CAST(to_json(${k}) AS VARCHAR)) <> strlen(${k}) + 2 END AS e${at},
    ${mayChange(k, n)} AS m${at}, CASE WHEN ${n} THEN strlen(${k}) <= 8 OR ${isNobodys(k)} WHEN ${k} < ':' THEN ${isNobodys(k)} ELSE false END AS p${at}`;
}

function countsOf(at: number): string {
  const [k, d, f] = [`k${at}`, `d${at}`, `f${at}`];
  return `count(${k}), count(${d}), count_if(${d} IS NOT NULL AND NOT contains(${k}, '.')),
    min(${d}), max(${d}), approx_count_distinct(${k}), max(strlen(${k})), sum(strlen(${k}))::DOUBLE, count(${f}), min(${f}),
    count_if(e${at}), count_if(m${at}), count_if(p${at})`;
}

import type { Schema } from '../table/schema.ts';
import { type Database, literal } from './database.ts';
import { asDouble, type Profiled } from './profile.ts';

/** How far a column has moved from that of a reference. */
export interface ColumnDrift {
  readonly column: string;
  readonly kind: 'numbers' | 'categories';
  /** Population stability index over ten quantiles of the reference, or its 50 most frequent values and the rest. */
  readonly psi: number;
  /** Of numbers: the greatest distance of the two distribution functions (Kolmogorov and Smirnov), 0 to 1. */
  readonly ks?: number;
}

export interface Drift {
  readonly reference: string;
  readonly columns: readonly ColumnDrift[];
  /** Columns that only one of the two has. */
  readonly absent: readonly string[];
  readonly unknown: readonly string[];
}

const BINS = 10;
const CATEGORIES = 50;
/** What an empty bin counts as, so that the logarithm is finite. */
const LEAST_SHARE = 1e-4;

/** Compares each column with that of the same name in a reference. Missing cells are a value of their own. */
export async function measureDrift(db: Database, table: Profiled, reference: Profiled): Promise<Drift> {
  const columns: ColumnDrift[] = [];
  for (const [at, column] of table.names.entries()) {
    const of = reference.names.indexOf(column);
    if (of < 0) continue;
    const numbers = [table.profile[at]!, reference.profile[of]!].every(({ present, numbers }) => numbers === present);
    columns.push(
      await (numbers ? numberDrift : categoryDrift)(db, column, [table.cells, `k${at}`], [reference.cells, `k${of}`]),
    );
  }
  const absent = reference.names.filter((name) => !table.names.includes(name));
  const unknown = table.names.filter((name) => !reference.names.includes(name));
  return { reference: reference.path, columns, absent, unknown };
}

type Cells = readonly [table: string, column: string];

async function numberDrift(db: Database, column: string, [cells, k]: Cells, [others, r]: Cells): Promise<ColumnDrift> {
  const both = `(SELECT ${asDouble(k)} AS v, 1 AS ours, 0 AS theirs FROM ${cells}
    UNION ALL SELECT ${asDouble(r)}, 0, 1 FROM ${others})`;
  const counts = `(SELECT v, sum(ours) AS ours, sum(theirs) AS theirs FROM ${both} GROUP BY v)`;
  const quantiles = Array.from({ length: BINS - 1 }, (_, i) => (i + 1) / BINS).join(', ');
  const edges = `(SELECT list_distinct(quantile_disc(v, [${quantiles}])) FROM (SELECT ${asDouble(r)} AS v FROM ${others}))`;
  const shares = await db.rows<[number, number]>(
    `SELECT sum(ours)::DOUBLE, sum(theirs)::DOUBLE FROM
      (SELECT CASE WHEN v IS NULL THEN -1 ELSE len(list_filter(${edges}, lambda e: e < v)) END AS bin, ours, theirs
        FROM ${counts}) GROUP BY bin ORDER BY bin`,
  );
  const [[ks]] = (await db.rows<[number | null]>(
    `SELECT max(abs(a / nullif(na, 0) - b / nullif(nb, 0))) FROM (SELECT sum(ours) OVER (ORDER BY v) AS a,
      sum(theirs) OVER (ORDER BY v) AS b, sum(ours) OVER () AS na, sum(theirs) OVER () AS nb FROM ${counts} WHERE v IS NOT NULL)`,
  )) as [[number | null]];
  return { column, kind: 'numbers', psi: psiOf(shares), ks: ks ?? 0 };
}

async function categoryDrift(
  db: Database,
  column: string,
  [cells, k]: Cells,
  [others, r]: Cells,
): Promise<ColumnDrift> {
  const kept = `(SELECT ${r} FROM ${others} WHERE ${r} IS NOT NULL GROUP BY ${r} ORDER BY count(*) DESC, ${r} LIMIT ${CATEGORIES})`;
  const binned = (cell: string) =>
    `CASE WHEN ${cell} IS NULL THEN 'missing' WHEN ${cell} IN ${kept} THEN 'k' || ${cell} ELSE 'other' END`;
  const shares = await db.rows<[number, number]>(
    `SELECT sum(ours)::DOUBLE, sum(theirs)::DOUBLE FROM (SELECT ${binned(k)} AS bin, 1 AS ours, 0 AS theirs FROM ${cells}
      UNION ALL SELECT ${binned(r)}, 0, 1 FROM ${others}) GROUP BY bin ORDER BY bin`,
  );
  return { column, kind: 'categories', psi: psiOf(shares) };
}

/** The sum of (p - q) ln(p / q) over the bins. */
function psiOf(counts: readonly (readonly [ours: number, theirs: number])[]): number {
  const total = (of: 0 | 1) => counts.reduce((sum, bin) => sum + bin[of], 0);
  const [ours, theirs] = [total(0), total(1)];
  return counts.reduce((sum, [a, b]) => {
    const [p, q] = [Math.max(a / ours, LEAST_SHARE), Math.max(b / theirs, LEAST_SHARE)];
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}

/** One way in which a table does not fit the schema of a model. */
export interface Misfit {
  readonly column: string;
  readonly problem: string;
  readonly count: number;
}

/** What a model's schema asks for that the table does not have, and categories that the model has never seen. */
export async function misfits(db: Database, table: Profiled, schema: Schema): Promise<Misfit[]> {
  const found: Misfit[] = [];
  const add = (column: string, problem: string, count = table.rows) => found.push({ column, problem, count });
  const known = new Set([schema.label.name, ...schema.columns.map(({ name }) => name)]);
  for (const name of table.names) if (!known.has(name)) add(name, 'is not in the schema');
  for (const column of schema.columns) {
    const at = table.names.indexOf(column.name);
    if (column.type === 'ignored') continue;
    if (at < 0) add(column.name, 'is in the schema and not in the table');
    else if (column.type === 'number') {
      const { present, numbers } = table.profile[at]!;
      if (numbers < present) add(column.name, 'holds what is no decimal number', present - numbers);
    } else if (!column.other) {
      const others = await countOthers(db, table, at, column.categories);
      if (others > 0) add(column.name, 'holds categories that the model has not seen', others);
    }
  }
  const at = table.names.indexOf(schema.label.name);
  if (at < 0) add(schema.label.name, 'is the label and not in the table');
  else {
    const { present, numbers } = table.profile[at]!;
    if (present < table.rows) add(schema.label.name, 'is the label and missing', table.rows - present);
    const others = await labelOthers(db, table, at, schema, present - numbers);
    if (others > 0) add(schema.label.name, 'is the label and holds what the model does not know', others);
  }
  return found;
}

async function labelOthers(
  db: Database,
  table: Profiled,
  at: number,
  { label }: Schema,
  texts: number,
): Promise<number> {
  if ('low' in label) return texts;
  return countOthers(db, table, at, 'classes' in label ? label.classes : [label.positive, label.negative]);
}

async function countOthers(db: Database, { cells }: Profiled, at: number, known: readonly string[]): Promise<number> {
  const [[count]] = (await db.rows<[number]>(
    `SELECT count(*) FROM ${cells} WHERE k${at} IS NOT NULL AND k${at} NOT IN (${known.map(literal).join(', ')})`,
  )) as [[number]];
  return count;
}

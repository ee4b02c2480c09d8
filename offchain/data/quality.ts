import type { Checked } from './check-rules.ts';
import type { Database } from './database.ts';
import type { Drift } from './drift.ts';
import type { Duplicates } from './duplicates.ts';
import type { Profiled } from './profile.ts';
import { quantilesOf } from './quantiles.ts';

/** A part of the score, 0 to 1, and what it was computed from. */
export interface QualityPart {
  readonly name: 'completeness' | 'validity' | 'uniqueness' | 'consistency' | 'balance' | 'drift' | 'outliers';
  readonly value: number;
  readonly weight: number;
  readonly because: string;
}

export interface Quality {
  /** 0 to 100: the weighted mean of the parts that there are, times 100. */
  readonly score: number;
  readonly parts: readonly QualityPart[];
}

const WEIGHTS = {
  completeness: 4,
  validity: 5,
  uniqueness: 3,
  consistency: 3,
  balance: 2,
  drift: 2,
  outliers: 1,
} as const;
/** A population stability index from which on a column counts as another one. */
const PSI_LIMIT = 0.25;
/** Tukey's outer fences, in interquartile ranges beyond the quartiles. */
const FENCE = 3;
const MOST_CLASSES = 256;

/**
 * Judges a table, in parts that each can be traced:
 *
 * - completeness: cells that are not missing / cells
 * - validity: 1 - cells that break a rule / cells that are not missing
 * - uniqueness: 1 - rows equal to an earlier one / rows
 * - consistency: 1 - rows whose features occur with another label as well / rows
 * - balance: entropy of the label's classes / the logarithm of their number; of at most 256 classes
 * - drift: the mean over columns of 1 - min(1, psi / 0.25); where there is a reference
 * - outliers: 1 - numbers beyond Tukey's outer fences / numbers
 *
 * score = 100 x sum(weight x part) / sum(weight), with weights 4, 5, 3, 3, 2, 2, 1, of the parts that apply.
 */
export async function judge(
  db: Database,
  table: Profiled,
  found: {
    checked: Checked;
    duplicates: Pick<Duplicates, 'exact'>;
    keys: string;
    label: string | undefined;
    drift: Drift | undefined;
  },
): Promise<Quality> {
  const parts: QualityPart[] = [];
  const add = (name: QualityPart['name'], bad: number, of: number, what: string) =>
    parts.push({ name, value: of === 0 ? 1 : 1 - bad / of, weight: WEIGHTS[name], because: `${bad} of ${of} ${what}` });
  const cells = table.rows * table.names.length;
  const present = table.profile.reduce((sum, column) => sum + column.present, 0);
  add('completeness', cells - present, cells, 'cells are missing');
  const broken = found.checked.results.filter(({ rule }) => rule !== 'present' && rule !== 'unique');
  add(
    'validity',
    Math.min(
      present,
      broken.reduce((sum, { count }) => sum + count, 0),
    ),
    present,
    'cells break a rule',
  );
  add('uniqueness', found.duplicates.exact, table.rows, 'rows are equal to an earlier one');
  if (found.label !== undefined) {
    add('consistency', await contradictions(db, found.keys), table.rows, 'rows have a twin with another label');
    const balance = await balanceOf(db, table, found.label);
    if (balance) parts.push({ name: 'balance', weight: WEIGHTS.balance, ...balance });
  }
  if (found.drift && found.drift.columns.length > 0) {
    const { columns } = found.drift;
    const value = columns.reduce((sum, { psi }) => sum + 1 - Math.min(1, psi / PSI_LIMIT), 0) / columns.length;
    const moved = columns.filter(({ psi }) => psi >= PSI_LIMIT).length;
    parts.push({ name: 'drift', value, weight: WEIGHTS.drift, because: `${moved} of ${columns.length} columns moved` });
  }
  const { outliers, numbers } = await countOutliers(db, table);
  add('outliers', outliers, numbers, 'numbers are far outside');
  const weights = parts.reduce((sum, { weight }) => sum + weight, 0);
  const score = (100 * parts.reduce((sum, { value, weight }) => sum + value * weight, 0)) / weights;
  return { score: Math.round(score * 10) / 10, parts };
}

async function contradictions(db: Database, keys: string): Promise<number> {
  const [[rows]] = (await db.rows<[number | null]>(
    `SELECT sum(n)::DOUBLE FROM (SELECT count(*) AS n FROM ${keys} GROUP BY features HAVING min(key) <> max(key))`,
  )) as [[number | null]];
  return rows ?? 0;
}

async function balanceOf(db: Database, table: Profiled, label: string) {
  const at = table.names.indexOf(label);
  if (table.profile[at]!.distinct > 2 * MOST_CLASSES) return undefined;
  const counts = await db.rows<[number]>(
    `SELECT count(*) FROM ${table.cells} WHERE k${at} IS NOT NULL GROUP BY k${at} ORDER BY 1`,
  );
  if (counts.length > MOST_CLASSES || counts.length === 0) return undefined;
  const total = counts.reduce((sum, [count]) => sum + count, 0);
  const entropy = counts.reduce((sum, [count]) => sum - (count / total) * Math.log(count / total), 0);
  const value = counts.length < 2 ? 0 : entropy / Math.log(counts.length);
  return { value, because: `${counts.length} classes of ${counts[0]![0]} to ${counts.at(-1)![0]} rows` };
}

async function countOutliers(db: Database, table: Profiled): Promise<{ outliers: number; numbers: number }> {
  const { profile } = table;
  const columns = profile.flatMap(({ numbers, present, distinct }, at) =>
    numbers === present && distinct > 10 ? [at] : [],
  );
  if (columns.length === 0) return { outliers: 0, numbers: 0 };
  const doubles = `(SELECT ${columns.map((at) => `TRY_CAST(k${at} AS DOUBLE) AS d${at}`).join(', ')} FROM ${table.cells})`;
  const quartiles = await quantilesOf(db, table, columns, [0.25, 0.75]);
  const outside = columns.map((at, i) => {
    const [low, high] = quartiles[i] as [number, number];
    const reach = FENCE * (high - low);
    return high === low ? '0' : `count_if(d${at} NOT BETWEEN ${low - reach} AND ${high + reach})`;
  });
  const [counts] = await db.rows<number[]>(`SELECT ${outside.join(', ')} FROM ${doubles}`);
  const numbers = columns.reduce((sum, at) => sum + profile[at]!.numbers, 0);
  return { outliers: counts!.reduce((sum, count) => sum + count, 0), numbers };
}

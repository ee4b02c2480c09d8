import { createHash } from 'node:crypto';
import { HokusaiError } from '../errors.ts';
import { canonicalText, cellText } from './cell.ts';
import { canonicalRow, columnOf, labelsOf } from './check-table.ts';
import { classesOf, classNames } from './label.ts';
import type { Schema } from './schema.ts';
import type { Table } from './table.ts';

/** Row numbers of a table, each part in the order of the rows' digests. */
export interface Split {
  baseline: number[];
  contribution: number[];
  benchmark: number[];
  /** Rows left out because an equal row is in one of the parts. */
  duplicates: number;
  /** Pairs of rows with equal features and different labels. */
  contradictions: number;
}

/** How many rows go where; without them, see {@link splitTable}. */
export interface SplitSizes {
  baselineRows?: number | undefined;
  benchmarkRows?: number | undefined;
  /** Of the distinct rows, where `benchmarkRows` does not say how many; a half. */
  benchmarkShare?: number | undefined;
  /** Whether each part has the table's share of each class; true unless it is false. */
  stratify?: boolean | undefined;
}

/** A baseline of fewer rows says little, and a contribution of fewer teaches little. */
const [MIN_BASELINE, MIN_CONTRIBUTION] = [30, 10];
/** Rows of each class that a baseline gets where there are so many. */
const MIN_OF_CLASS = 5;

/** Rows that share their features, by label: one of each. */
interface Group {
  digest: string;
  /** `stratum` is the row's class, and 0 for all rows of a regression or of a split that is not stratified. */
  rows: { row: number; stratum: number }[];
}

/** What parts are taken from. */
interface Stock {
  /** Rows by stratum. */
  readonly counts: readonly number[];
  /** Takes a part out: so many rows, of each stratum `least` where there are, and leaves `keep` of it. */
  take(size: number, least: number, keep: number): Group[];
  /** What has not been taken. */
  rest(): Group[];
}

/**
 * Splits a table into benchmark, baseline and contribution. It depends on the seed and on the set of rows, not on their
 * order nor that of columns: rows go by SHA-256 over the seed and their features, so rows with equal features stay together and none of
 * the benchmark's is in another part. Of equal rows (see `canonicalRow`) one is kept.
 *
 * By default half of the distinct rows, at most `maxBenchmark`, are the benchmark, a tenth of the others, at least 30,
 * the baseline, and the rest the contribution. Each part has the table's share of each class, to the row; where many
 * rows contradict each other, a part may have a row less. The baseline has five rows or more of each class where there
 * are and it is large enough, and like the benchmark at least one. Numbers are not stratified, nor is anything when
 * `stratify` is false.
 *
 * @param table - has passed `checkTable`
 * @throws HokusaiError `terminal` SPLIT_TOO_FEW_ROWS, SPLIT_CLASS_TOO_SMALL; `configuration` SPLIT_SIZES_TOO_LARGE
 */
export function splitTable(
  table: Table,
  schema: Schema,
  { seed, maxBenchmark, ...sizes }: SplitSizes & { seed: number; maxBenchmark: number },
): Split {
  const classes = classesOf(schema.label);
  const strata = sizes.stratify === false ? 1 : Math.max(classes, 1);
  const groups = groupRows(table, schema, seed, strata > 1);
  const contradictions = groups.filter((group) => group.rows.length > 1).length;
  const stock = strata === 2 ? binaryStock(groups) : stockOf(groups, strata);
  const rows = stock.counts.reduce((sum, count) => sum + count);
  if (strata > 1) refuseFewOfClass(table, schema, stock.counts);
  const share = Math.round(rows * (sizes.benchmarkShare ?? 0));
  const benchmarkRows = sizes.benchmarkRows ?? Math.min(maxBenchmark, share || rows >> 1);
  const baselineRows = sizes.baselineRows ?? Math.max(MIN_BASELINE, Math.floor((rows - benchmarkRows) / 10));
  refuseFewRows(table, rows, benchmarkRows, baselineRows, sizes);
  const benchmark = stock.take(benchmarkRows, 1, 1);
  const leastOfClass = Math.min(MIN_OF_CLASS, Math.floor(baselineRows / stock.counts.length));
  const baseline = stock.take(baselineRows, leastOfClass, 0);
  return {
    benchmark: rowsOf(benchmark),
    baseline: rowsOf(baseline),
    contribution: rowsOf(stock.rest()),
    duplicates: table.rows - rows,
    contradictions,
  };
}

/** Groups in the order of their digests. */
function groupRows(table: Table, schema: Schema, seed: number, isStratified: boolean): Group[] {
  const features = canonicalRow(table, schema, 'features');
  const spelling = spellingOf(table);
  const labels = labelsOf(table, schema);
  const texts = columnOf(table, schema.label.name).values.map((cell) => canonicalText(cellText(cell)!));
  const groups = new Map<string, Map<string, { row: number; stratum: number; text: string }>>();
  for (const [row, text] of texts.entries()) {
    const digest = createHash('sha256')
      .update(`${seed}\n${features(row)}`)
      .digest('hex');
    const group = groups.get(digest) ?? new Map();
    const known = group.get(text)?.row;
    const stratum = isStratified ? labels[row]! : 0;
    if (known === undefined || spelling(row) < spelling(known)) group.set(text, { row, stratum, text });
    groups.set(digest, group);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([digest, group]) => {
      const rows = [...group.values()].sort((a, b) => a.stratum - b.stratum || (a.text < b.text ? -1 : 1));
      return { digest, rows };
    });
}

/**
 * A row as it is written, columns by name. Equal rows may be written differently, and which one is kept must depend
 * neither on which comes first nor on the order of columns.
 */
function spellingOf(table: Table): (row: number) => string {
  const columns = table.columns.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return (row) => JSON.stringify(columns.map(({ values }) => values[row]));
}

type Strata = Record<'negative' | 'positive' | 'both', Group[]>;

/** Of two classes, with rows of both under the same features as a stratum of their own: the shares hold to the row. */
function binaryStock(groups: readonly Group[]): Stock {
  const strata: Strata = { negative: [], positive: [], both: [] };
  for (const group of groups) {
    const [first, second] = group.rows;
    strata[second ? 'both' : first!.stratum === 1 ? 'positive' : 'negative'].push(group);
  }
  return {
    counts: countClasses(strata),
    take: (size, least, keep) => take(strata, size, least, keep),
    rest: () => Object.values(strata).flat(),
  };
}

function countClasses({ negative, positive, both }: Strata): [negatives: number, positives: number] {
  return [negative.length + both.length, positive.length + both.length];
}

/** Of any number of strata: groups go in their order, as long as no stratum has its share; then any that fit. */
function stockOf(groups: readonly Group[], strata: number): Stock {
  let left = [...groups];
  const countsOf = () => {
    const counts = new Array<number>(strata).fill(0);
    for (const { rows } of left) for (const { stratum } of rows) counts[stratum]!++;
    return counts;
  };
  return {
    counts: countsOf(),
    take: (size, least, keep) => {
      const quotas = quotasOf(countsOf(), size, least, keep);
      let room = size;
      const taken = new Set<Group>();
      for (const strict of [true, false]) {
        for (const group of left) {
          const needs = group.rows.map(({ stratum }) => stratum);
          const has = (stratum: number) => needs.filter((one) => one === stratum).length <= quotas[stratum]!;
          if (taken.has(group) || needs.length > room || (strict && !needs.every(has))) continue;
          taken.add(group);
          room -= needs.length;
          for (const stratum of needs) quotas[stratum]!--;
        }
      }
      left = left.filter((group) => !taken.has(group));
      return [...taken];
    },
    rest: () => left,
  };
}

/** How many rows of each stratum make a part of `size`: its share to the row, but `least` where there are, and all but `keep`. */
function quotasOf(counts: readonly number[], size: number, least: number, keep: number): number[] {
  const total = counts.reduce((sum, count) => sum + count);
  let [before, sum] = [0, 0];
  const quotas = counts.map((count) => {
    const [from, to] = [before, before + count].map((rows) => Math.round((rows * size) / total));
    before += count;
    const quota = Math.min(Math.max(to! - from!, least), Math.max(count - keep, 0));
    sum += quota;
    return quota;
  });
  while (sum > size) {
    quotas[quotas.indexOf(Math.max(...quotas))]!--;
    sum--;
  }
  return quotas;
}

/**
 * Takes the first groups of each stratum, `size` rows together and as many positives as the remaining rows' share says,
 * but of each class `least` where there are, and all but `keep`.
 */
function take(strata: Strata, size: number, least: number, keep: number): Group[] {
  const [negatives, positives] = countClasses(strata);
  const fewest = Math.max(Math.min(least, positives - keep), size - (negatives - keep));
  const most = Math.min(positives - keep, size - Math.min(least, negatives - keep));
  const share = Math.round((size * positives) / (negatives + positives));
  const wanted = Math.min(Math.max(share, fewest), most);
  const pairs = Math.floor((strata.both.length * size) / (negatives + positives));
  const needed = Math.max(pairs, wanted - strata.positive.length, size - wanted - strata.negative.length);
  const both = Math.min(needed, wanted, size - wanted);
  return [
    ...strata.both.splice(0, both),
    ...strata.positive.splice(0, wanted - both),
    ...strata.negative.splice(0, size - wanted - both),
  ];
}

function rowsOf(groups: Group[]): number[] {
  const sorted = groups.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  return sorted.flatMap(({ rows }) => rows.map(({ row }) => row));
}

function refuseFewOfClass({ file }: Table, { label }: Schema, counts: readonly number[]): void {
  const classes = classNames(label).map((value, at) => ({ value, rows: counts[at]! }));
  const small = classes.find(({ rows }) => rows < 2);
  if (small === undefined) return;
  const text = `${file}: class ${small.value} of ${label.name} has one distinct row only`;
  throw new HokusaiError('terminal', 'SPLIT_CLASS_TOO_SMALL', text, {
    details: { file, column: label.name, classes },
    next: 'Give at least two different rows of each class, better fifty: one for the benchmark, one for the baseline.',
  });
}

function refuseFewRows(table: Table, rows: number, benchmark: number, baseline: number, sizes: SplitSizes): void {
  const least = benchmark + baseline + MIN_CONTRIBUTION;
  if (rows >= least) return;
  const { file } = table;
  if (sizes.benchmarkRows === undefined && sizes.baselineRows === undefined) {
    const enough = 2 * (MIN_BASELINE + MIN_CONTRIBUTION) - 1;
    const text = `${file} has ${rows} distinct rows, too few to split: ${enough} would do`;
    throw new HokusaiError('terminal', 'SPLIT_TOO_FEW_ROWS', text, {
      details: { file, rows: table.rows, distinctRows: rows, enough },
      next: `Give at least ${enough} different rows, or choose smaller parts by --baseline-rows and --benchmark-rows.`,
    });
  }
  const text =
    `${file} has ${rows} distinct rows, and a benchmark of ${benchmark}, a baseline of ${baseline} and ` +
    `a contribution of ${MIN_CONTRIBUTION} or more need ${least}`;
  throw new HokusaiError('configuration', 'SPLIT_SIZES_TOO_LARGE', text, {
    details: { file, distinctRows: rows, benchmarkRows: benchmark, baselineRows: baseline, enough: least },
    next: 'Choose smaller parts, or give more rows.',
  });
}

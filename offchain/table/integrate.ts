import { createHash } from 'node:crypto';
import { type Hex, hexToBytes, zeroHash } from 'viem';
import { quotasOf } from '../data/sample.ts';
import { cellText } from './cell.ts';
import { canonicalRow, columnOf, labelsOf } from './check-table.ts';
import { type RowDigest, rowDigests } from './data-root.ts';
import { classesOf, rowsByClass } from './label.ts';
import { nearRows } from './near-rows.ts';
import type { Schema } from './schema.ts';
import { selectRows, type Table } from './table.ts';

/** How contributions are merged with the head's training set: part of the trainSpecHash, which a round pins. */
export interface IntegrationTerms {
  /** Most new rows of one contribution that are learned from; absent where all are. */
  readonly maxRows?: number;
  /** Where a contributed row takes the place of the head's rows with the same key; else all rows are added. */
  readonly replace?: {
    /** Columns that are learned from: a contributor commits to no others. */
    readonly key: readonly string[];
    /** Most of the head's rows of each class that one contribution may replace, in basis points of them. */
    readonly maxReplacedBps: number;
  };
  /** Similarity, in basis points, from which on new rows are left out as known ones are; absent where they are learned from. */
  readonly nearBps?: number;
}

/** Rows of a contribution that are not learned from, by reason; none of them is an offence. */
export type Ignored = {
  /** In the head's training set already, or by the terms near to a row of it or of the benchmark. */
  readonly known: number;
  /** Equal to another row of the contribution. */
  readonly repeated: number;
  /** With the key of another row of the contribution, so that nobody could say which of them replaces. */
  readonly conflicting: number;
  /** They would have replaced more of the head than `maxReplacedBps`. */
  readonly overReplaced: number;
  /** More than `maxRows`. */
  readonly overRows: number;
};

/** What becomes of a contribution's rows, and of the training set. */
export type Integration = {
  /** Numbers of the contribution's rows that are learned from, in the order of their digests. */
  readonly fresh: readonly number[];
  /** Numbers of the training set's rows whose place they take. */
  readonly replaced: readonly number[];
  readonly ignored: Ignored;
  /** Rows whose features, whatever their label, are in the benchmark: an offence. */
  readonly overlap: number;
  /** New rows that are near to one of the training set, and near or equal to one of the benchmark, learned from or not. */
  readonly near: { readonly trainingSet: number; readonly benchmark: number };
  /** Rows of the training set by class, before and after; empty where the label is a number. */
  readonly balance: { readonly before: readonly number[]; readonly after: readonly number[] };
};

/** What a contribution is merged with. */
interface Line {
  readonly trainingSet: Table;
  readonly schema: Schema;
  readonly integration: IntegrationTerms;
}

/** A distinct row: its digest and its number in its table. */
type Row = readonly [digest: RowDigest, row: number];

/** Whether anything is drawn in merging, so that it takes a round's seed. */
export const drawsRows = ({ maxRows, replace }: IntegrationTerms): boolean => (maxRows ?? replace) !== undefined;

/**
 * Merges a contribution with the head's training set. What is chosen does not depend on the order of rows, nor on digests
 * alone, which contributors can make as they like. All three tables have passed `checkTable`. They are in memory, as
 * training has them, at about 2 kB a row of 20 columns: tables of 50,000 rows take some hundred MB.
 *
 * @param seed drawn after the contribution was committed to; none in a dry run
 */
export function integrate(
  contribution: Table,
  line: Line & { readonly benchmark: Table },
  seed: Hex = zeroHash,
): Integration {
  const { trainingSet, benchmark, schema, integration } = line;
  const head = new Set(rowDigests(trainingSet, schema, 'row'));
  const distinct = distinctRows(contribution, schema);
  const absent = distinct.filter(([digest]) => !head.has(digest));
  const near = nearRows(contribution, line, integration.nearBps);
  const isNear = ([, row]: Row) => near.trainingSet[row]! || near.benchmark[row]!;
  const unknown = integration.nearBps === undefined ? absent : absent.filter((row) => !isNear(row));
  const replacing = replacements(contribution, distinct, unknown, line, seed);
  const kept = capped(replacing.allowed, integration.maxRows, strataOf(contribution, schema), seed);
  const fresh = kept.map(([, row]) => row);
  const replaced = fresh.flatMap((row) => replacing.targets(row)).sort((a, b) => a - b);
  const sealed = new Set(rowDigests(benchmark, schema, 'features'));
  const byClass = (table: Table) => rowsByClass(labelsOf(table, schema), classesOf(schema.label));
  const before = byClass(trainingSet);
  const [added, removed] = [byClass(selectRows(contribution, fresh)), byClass(selectRows(trainingSet, replaced))];
  return {
    fresh,
    replaced,
    ignored: {
      known: distinct.length - unknown.length,
      repeated: contribution.rows - distinct.length,
      conflicting: replacing.conflicting,
      overReplaced: unknown.length - replacing.conflicting - replacing.allowed.length,
      overRows: replacing.allowed.length - fresh.length,
    },
    overlap: rowDigests(contribution, schema, 'features').filter((digest) => sealed.has(digest)).length,
    near: {
      trainingSet: absent.filter(([, row]) => near.trainingSet[row]).length,
      benchmark: absent.filter(([, row]) => near.benchmark[row]).length,
    },
    balance: { before, after: before.map((count, at) => count + added[at]! - removed[at]!) },
  };
}

/** New rows that may be learned from, and the rows of the training set that each of them would replace. */
interface Replacements {
  readonly allowed: Row[];
  readonly conflicting: number;
  readonly targets: (row: number) => readonly number[];
}

/**
 * Which new rows the terms of replacement let in: none that shares its key, and of those that replace as many as the limit
 * of each class of the replaced rows lets, in the order of the draw.
 */
function replacements(
  contribution: Table,
  distinct: readonly Row[],
  unknown: Row[],
  { trainingSet, schema, integration: { replace } }: Line,
  seed: Hex,
): Replacements {
  if (!replace) return { allowed: unknown, conflicting: 0, targets: () => [] };
  const keyOf = keysOf(contribution, schema, replace.key);
  const sharing = grouped(distinct, ([, row]) => keyOf(row));
  const single = unknown.filter(([, row]) => (sharing.get(keyOf(row))?.length ?? 1) === 1);
  const headKey = keysOf(trainingSet, schema, replace.key);
  const head = grouped(Array.from({ length: trainingSet.rows }).keys(), headKey);
  const targets = (row: number) => head.get(keyOf(row)) ?? [];
  const strata = strataOf(trainingSet, schema);
  const left = strata.rows(strata.of.keys()).map((rows) => Math.floor((rows * replace.maxReplacedBps) / 10_000));
  const refused = new Set<Row>();
  for (const row of byDraw(single, seed)) {
    const wanted = strata.rows(targets(row[1]));
    if (wanted.some((rows, at) => rows > left[at]!)) refused.add(row);
    else for (const [at, rows] of wanted.entries()) left[at]! -= rows;
  }
  const allowed = single.filter((row) => !refused.has(row));
  return { allowed, conflicting: unknown.length - single.length, targets };
}

/** The key of a row, canonical like its digest; null where a cell of it is missing, which is equal to no other. */
function keysOf(table: Table, schema: Schema, key: readonly string[]): (row: number) => string | null {
  const columns = schema.columns.filter(({ name }) => key.includes(name));
  const canonical = canonicalRow(table, { ...schema, columns }, 'features');
  const cells = columns.map(({ name }) => columnOf(table, name).values);
  return (row) => (cells.some((values) => cellText(values[row]!) === null) ? null : canonical(row));
}

/** Items by their keys; those without one are in no group. */
function grouped<Item>(items: Iterable<Item>, keyOf: (item: Item) => string | null): Map<string | null, Item[]> {
  const groups = new Map<string | null, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else if (key !== null) groups.set(key, [item]);
  }
  return groups;
}

/** The class of each row; where the label is a number, all rows are of one stratum. */
interface Strata {
  readonly of: ArrayLike<number> & { keys(): Iterable<number> };
  /** How many of these rows are in each stratum. */
  rows(rows: Iterable<number>): number[];
}

function strataOf(table: Table, schema: Schema): Strata {
  const classes = classesOf(schema.label);
  const of = classes === 0 ? new Uint8Array(table.rows) : labelsOf(table, schema);
  const rows = (some: Iterable<number>) =>
    rowsByClass(
      Array.from(some, (row) => of[row]!),
      Math.max(classes, 1),
    );
  return { of, rows };
}

/** Of more than so many rows, of each stratum its share; the seed draws which, so that nobody chooses by digests. */
function capped(rows: Row[], maxRows: number | undefined, strata: Strata, seed: Hex): Row[] {
  if (maxRows === undefined || rows.length <= maxRows) return rows;
  const left = quotasOf(strata.rows(rows.map(([, row]) => row)), maxRows);
  const kept = new Set(byDraw(rows, seed).filter(([, row]) => left[strata.of[row]!]!-- > 0));
  return rows.filter((row) => kept.has(row));
}

/** Rows in the order of SHA-256 over the seed and their digests. */
function byDraw(rows: readonly Row[], seed: Hex): Row[] {
  const drawn = rows.map((row) => {
    const hash = createHash('sha256').update(hexToBytes(seed)).update(hexToBytes(row[0]));
    return [hash.digest('hex'), row] as const;
  });
  return drawn.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** The distinct rows of a table in the order of their digests; of equal ones, the first. */
function distinctRows(table: Table, schema: Schema): Row[] {
  const rows = new Map<RowDigest, number>();
  for (const [row, digest] of rowDigests(table, schema, 'row').entries()) if (!rows.has(digest)) rows.set(digest, row);
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The distinct rows of a table in the order of their digests, in which every validator learns and predicts. */
export function byDigest(table: Table, schema: Schema): Table {
  return withDigests(table, schema).rows;
}

/** The same, with the digest of each row. */
export function withDigests(table: Table, schema: Schema): { rows: Table; digests: RowDigest[] } {
  const distinct = distinctRows(table, schema);
  const rows = selectRows(
    table,
    distinct.map(([, row]) => row),
  );
  return { rows, digests: distinct.map(([digest]) => digest) };
}

/** The training set with a contribution's fresh rows in it, and without those that they replace. */
export function merge(trainingSet: Table, contribution: Table, { fresh, replaced }: Integration): Table {
  const gone = new Set(replaced);
  const kept = Array.from(trainingSet.lines.keys()).filter((row) => !gone.has(row));
  return append(selectRows(trainingSet, kept), selectRows(contribution, fresh));
}

/** Both tables' rows, with the columns of the first. */
export function append(first: Table, second: Table): Table {
  const columns = first.columns.map(({ name, values }) => {
    const more = second.columns.find((column) => column.name === name)?.values;
    return { name, values: [...values, ...(more ?? new Array<null>(second.rows).fill(null))] };
  });
  const lines = new Uint32Array(first.rows + second.rows);
  lines.set(first.lines);
  lines.set(second.lines, first.rows);
  return { file: first.file, rows: first.rows + second.rows, columns, lines };
}

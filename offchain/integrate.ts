import { createHash } from 'node:crypto';
import { type Hex, hexToBytes, zeroHash } from 'viem';
import { labelsOf } from './check-table.ts';
import { quotasOf } from './data/sample.ts';
import { type RowDigest, rowDigests } from './data-root.ts';
import { classesOf, rowsByClass } from './label.ts';
import type { Schema } from './schema.ts';
import { selectRows, type Table } from './table.ts';

/** How contributions are merged with the head's training set: part of the trainSpecHash, which a round pins. */
export interface IntegrationTerms {
  /** Most new rows of one contribution that are learned from; absent where all are. */
  readonly maxRows?: number;
}

/** Rows of a contribution that are not learned from, by reason; none of them is an offence. */
export type Ignored = {
  /** In the head's training set already. */
  readonly known: number;
  /** Equal to another row of the contribution. */
  readonly repeated: number;
  /** More than `maxRows`. */
  readonly overRows: number;
};

/** What becomes of a contribution's rows, and of the training set. */
export type Integration = {
  /** Numbers of the contribution's rows that are learned from, in the order of their digests. */
  readonly fresh: readonly number[];
  readonly ignored: Ignored;
  /** Rows whose features, whatever their label, are in the benchmark: an offence. */
  readonly overlap: number;
  /** Rows of the training set by class, before and after; empty where the label is a number. */
  readonly balance: { readonly before: readonly number[]; readonly after: readonly number[] };
};

/** A distinct row: its digest and its number in its table. */
type Row = readonly [digest: RowDigest, row: number];

/** Whether anything is drawn in merging, so that it takes a round's seed. */
export const drawsRows = ({ maxRows }: IntegrationTerms): boolean => maxRows !== undefined;

/**
 * Merges a contribution with the head's training set. What is chosen does not depend on the order of rows, nor on digests
 * alone, which contributors can make as they like. All three tables have passed `checkTable`.
 *
 * @param seed drawn after the contribution was committed to; none in a dry run
 */
export function integrate(
  contribution: Table,
  line: { trainingSet: Table; benchmark: Table; schema: Schema; integration: IntegrationTerms },
  seed: Hex = zeroHash,
): Integration {
  const { trainingSet, benchmark, schema, integration } = line;
  const head = new Set(rowDigests(trainingSet, schema, 'row'));
  const distinct = distinctRows(contribution, schema);
  const unknown = distinct.filter(([digest]) => !head.has(digest));
  const classes = classesOf(schema.label);
  const labels = labelsOf(contribution, schema);
  const stratum = ([, row]: Row) => (classes === 0 ? 0 : labels[row]!);
  const fresh = capped(unknown, integration.maxRows, stratum, seed).map(([, row]) => row);
  const sealed = new Set(rowDigests(benchmark, schema, 'features'));
  const before = rowsByClass(labelsOf(trainingSet, schema), classes);
  const added = rowsByClass(
    fresh.map((row) => labels[row]!),
    classes,
  );
  return {
    fresh,
    ignored: {
      known: distinct.length - unknown.length,
      repeated: contribution.rows - distinct.length,
      overRows: unknown.length - fresh.length,
    },
    overlap: rowDigests(contribution, schema, 'features').filter((digest) => sealed.has(digest)).length,
    balance: { before, after: before.map((count, at) => count + added[at]!) },
  };
}

/** Of more than so many rows, in each stratum its share; the seed draws which, so that nobody chooses by digests. */
function capped(rows: Row[], maxRows: number | undefined, stratum: (row: Row) => number, seed: Hex): Row[] {
  if (maxRows === undefined || rows.length <= maxRows) return rows;
  const left = new Map<number, number>();
  for (const row of rows) left.set(stratum(row), (left.get(stratum(row)) ?? 0) + 1);
  const strata = [...left.keys()].sort((a, b) => a - b);
  const quotas = quotasOf(
    strata.map((one) => left.get(one)!),
    maxRows,
  );
  for (const [at, one] of strata.entries()) left.set(one, quotas[at]!);
  const kept = new Set<Row>();
  for (const row of byDraw(rows, seed)) {
    const quota = left.get(stratum(row))!;
    if (quota > 0) kept.add(row);
    left.set(stratum(row), quota - 1);
  }
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
  return selectRows(
    table,
    distinctRows(table, schema).map(([, row]) => row),
  );
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

import type { Table } from '../../offchain/table/table.ts';

/** A table in memory from rows of text; row i stands on line i + 2. */
export function tableOf(names: string[], rows: (string | null)[][]): Table {
  return {
    file: 'memory.csv',
    rows: rows.length,
    columns: names.map((name, column) => ({ name, values: rows.map((row) => row[column]!) })),
    lines: Uint32Array.from(rows, (_, row) => row + 2),
  };
}

/** Integers in [0, 2^32) from a seed above 0: Marsaglia's xorshift32, the same on every machine. */
export function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Numbers in [0, 1). */
export function uniform(seed: number): () => number {
  const next = xorshift(seed);
  return () => next() / 2 ** 32;
}

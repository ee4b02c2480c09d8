import { readFileSync } from 'node:fs';
import type { Rows } from '../../offchain/metrics/rows.ts';

type Expected = Readonly<Record<string, number | string | null>>;

interface Case {
  readonly name: string;
  readonly classes?: number;
  readonly labels: readonly number[];
  readonly predictions: readonly number[];
  readonly scores?: readonly number[][];
  readonly probabilities?: readonly number[][];
  readonly weights?: readonly number[];
  readonly expected: Expected;
  readonly roc?: Readonly<Record<'falsePositiveRate' | 'truePositiveRate', number[]>>;
  readonly precisionRecall?: Readonly<Record<'precision' | 'recall', number[]>>;
  readonly averagePrecision?: number;
  readonly calibration?: Readonly<Record<'observed' | 'predicted', number[]>>;
}

interface Table {
  readonly 'scikit-learn': string;
  readonly cases: readonly Case[];
  readonly million: Readonly<Record<string, Expected>>;
}

const read = (file: string | URL): Table => JSON.parse(readFileSync(file, 'utf8'));

/** What scikit-learn says, made by scripts/metrics_vectors.py. */
const table = read(new URL('metrics.json', import.meta.url));

/** The version that made it. */
export const SCIKIT_LEARN = table['scikit-learn'];

/** JSON has neither NaN nor infinity. */
const numbersOf = (expected: Expected): Record<string, number> =>
  Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, value === null ? NaN : Number(value)]));

const casesOf = ({ cases }: Table) =>
  cases.map(({ expected, ...given }) => ({ ...given, expected: numbersOf(expected) }));

export const METRIC_CASES = casesOf(table);

/** The cases of another file. */
export const casesIn = (file: string) => casesOf(read(file));

/** Of the million rows that {@link millionRows} draws. */
export const MILLION = Object.fromEntries(Object.entries(table.million).map(([name, of]) => [name, numbersOf(of)]));

/** The rows of a case. */
export function rowsOf({ classes, labels, predictions, scores, probabilities }: Omit<Case, 'expected'>): Rows {
  if (classes === undefined) return { labels: Float64Array.from(labels), predictions: Float64Array.from(predictions) };
  return {
    classes,
    labels: Uint8Array.from(labels),
    predictions: Uint8Array.from(predictions),
    ...(scores && { scores: scores.map((column) => Float64Array.from(column)) }),
    ...(probabilities && { probabilities: probabilities.map((column) => Float64Array.from(column)) }),
  };
}

/** Of two classes, and of numbers: the same as in scripts/metrics_vectors.py. */
export function millionRows(): Readonly<Record<string, Rows>> {
  const n = 1_000_000;
  const hashed = (factor: number) => Float64Array.from({ length: n }, (_, i) => (Math.imul(i, factor) >>> 0) / 2 ** 32);
  const score = hashed(2654435761).map((share) => Math.floor(share * 100_000) / 100_000);
  const chance = hashed(2246822519);
  const labels = Uint8Array.from(score, (p, i) => Number(chance[i]! < p));
  const predictions = Uint8Array.from(score, (p) => Number(p > 0.5));
  const numbers = hashed(2654435761).map((share) => 1e6 + share);
  return {
    'two classes': { classes: 2, labels, predictions, scores: [score], probabilities: [score] },
    numbers: { labels: numbers, predictions: numbers.map((y, i) => y + (chance[i]! - 0.5)) },
  };
}

// Writes test/vectors/delta.json: edge cases of the DeltaOne score, with results from the definitions (delta-reference.ts).
// The table is checked in, and a test makes it again.
import { writeFileSync } from 'node:fs';
import * as reference from '../test/offchain/delta-reference.ts';
import { ABSOLUTE, AUROC, CELLS, CLASSES, packLanes, SQUARED } from '../test/offchain/delta-rows.ts';
import {
  A05,
  absolute,
  accuracies,
  areas,
  binaries,
  type Changes,
  classes,
  refused,
  squared,
  Z05,
} from './delta-cases.ts';

const TOKENS_PER_DELTA_ONE = 1_000_000_000_000_000_007n;
const CAP = 25n * 10n ** 18n;

/** A case of every part of the table: its words, what is exact of it, and what fails beside rows and bound. */
interface Case {
  name: string;
  metric: string;
  classes: number;
  counts: bigint[];
  n: bigint;
  estimate: reference.Estimate | null;
  failed: string | undefined;
  changes: Changes | undefined;
}

function cases(): Case[] {
  const sum = (values: bigint[]) => values.reduce((total, value) => total + value, 0n);
  return [
    ...accuracies.map(([name, x, zMicro, alpha30, minDeltaBps]) => {
      const [n, b, c] = [sum(x), x[2]! + x[5]!, x[3]! + x[4]!];
      const failed = reference.exactBinomialPasses(b, c, alpha30) ? undefined : 'exact';
      const changes = { zMicro, alpha30, minDeltaBps: minDeltaBps ?? 0n };
      const estimate = reference.accuracy(n, b, c);
      return { name, metric: 'accuracy', classes: 2, counts: [packLanes(x, CELLS)], n, estimate, failed, changes };
    }),
    ...binaries.map(([name, metric, x, failed, changes]) => {
      const estimate = reference.ratio(metric, x);
      return { name, metric, classes: 2, counts: [packLanes(x, CELLS)], n: sum(x), estimate, failed, changes };
    }),
    ...classes.map(([name, x, stated, changes]) => {
      const [n = 0n, , , b = 0n, c = 0n] = x;
      const failed = stated ?? (reference.exactBinomialPasses(b, c, A05) ? undefined : 'exact');
      const estimate = reference.accuracy(n, b, c);
      return { name, metric: 'accuracy', classes: 3, counts: [packLanes(x, CLASSES)], n, estimate, failed, changes };
    }),
    ...squared.map(([name, [n = 0n, b = 0n, c = 0n, squares = 0n, y = 0n, yy = 0n], failed, changes]) => {
      const estimate = reference.skill(n, b - c, squares, reference.fraction(n * yy - y * y, n));
      const counts = [packLanes([n, b, c], SQUARED[0]), packLanes([squares, y, yy], SQUARED[1])];
      return { name, metric: 'mse', classes: 0, counts, n, estimate, failed, changes };
    }),
    ...absolute.map(
      ([name, [n = 0n, b = 0n, c = 0n, below = 0n, above = 0n, squares = 0n, C = 0n], failed, changes]) => {
        const estimate = reference.skill(n, b - c, squares, reference.fraction(C, 1n));
        const counts = [packLanes([n, b, c, below, above], ABSOLUTE[0]), packLanes([squares, C], ABSOLUTE[1])];
        return { name, metric: 'mae', classes: 0, counts, n, estimate, failed, changes };
      },
    ),
    ...areas.map(([name, [m = 0n, k = 0n, b = 0n, c = 0n, positives = 0n, negatives = 0n], failed, changes]) => {
      const estimate = reference.auroc({ m, k, gain: c - b, positives, negatives });
      const counts = [packLanes([m, k, b, c], AUROC[0]), packLanes([positives, negatives], AUROC[1])];
      return { name, metric: 'auroc', classes: 2, counts, n: m + k, estimate, failed, changes };
    }),
  ];
}

function termsOf(changes: Changes = {}) {
  const usual = { zMicro: Z05, alpha30: A05, minDeltaBps: 0n, minRows: 100n, minPositives: 0n };
  const { guardrails = [], ...numbers } = { ...usual, ...changes };
  return {
    ...mapValues(numbers),
    guardrails: guardrails.map(([metric, maxLossBps]) => ({ metric, maxLossBps: String(maxLossBps) })),
  };
}

function vector({ name, metric, classes, counts, n, estimate, failed, changes = {} }: Case) {
  const terms = termsOf(changes);
  const limit = (bps: bigint) => (metric[0] !== 'm' ? bps : bps > 10_000n ? 10_000n : bps < -10_000n ? -10_000n : bps);
  const point = estimate ? limit(reference.deltaOneBps(estimate)) : 0n;
  const bound = estimate ? limit(reference.payableBps(estimate, BigInt(terms.zMicro))) : 0n;
  const first = () => {
    if (n < BigInt(terms.minRows)) return 'rows';
    if (failed === 'positives' || failed === 'undefined') return failed;
    return bound <= BigInt(terms.minDeltaBps) ? 'bound' : (failed ?? '');
  };
  return {
    ...{ name, metric, classes, counts: counts.map(String), ...terms },
    ...mapValues({ n, deltaOneBps: point, payableBps: bound }),
    failed: first(),
    tokensPerDeltaOne: String(TOKENS_PER_DELTA_ONE),
    cap: String(CAP),
    reward: String(reference.reward(bound, TOKENS_PER_DELTA_ONE, CAP)),
  };
}

function mapValues<K extends string>(figures: Record<K, bigint>): Record<K, string> {
  return Object.fromEntries(Object.entries<bigint>(figures).map(([k, v]) => [k, v.toString()])) as Record<K, string>;
}

export function deltaVectors(): string {
  const errors = refused.map(([name, error, metric, classes, counts, changes]) => ({
    ...{ name, metric, classes, counts: counts.map(String), ...termsOf(changes), error },
  }));
  return `${JSON.stringify([...cases().map(vector), ...errors], null, 2)}\n`;
}

if (import.meta.main) writeFileSync(new URL('../test/vectors/delta.json', import.meta.url), deltaVectors());

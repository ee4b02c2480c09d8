import { classMeasure } from '../../offchain/metrics/classes.ts';
import { errorMeasure } from '../../offchain/metrics/errors.ts';
import { logLossMeasure } from '../../offchain/metrics/log-loss.ts';
import { aurocMeasure } from '../../offchain/metrics/ranking.ts';
import type { Measure } from '../../offchain/metrics/rows.ts';
import { randomOf } from '../../offchain/train/random.ts';
import type { Figure } from '../bench.ts';

const ROWS = 1_000_000;
/** Times are the best of this many runs: what else the machine does can only add to them. */
const RUNS = 3;

/** Seconds for each metric of a million rows, sorting included. */
export async function* benchMetrics(): AsyncIterable<Figure> {
  for (const [name, measure] of Object.entries(cases())) {
    const seconds = Array.from({ length: RUNS }, () => {
      const started = performance.now();
      measure()();
      return (performance.now() - started) / 1000;
    });
    yield { name: `metrics.${name}.seconds`, value: Math.min(...seconds), unit: 's', rows: ROWS };
  }
}

/** What is measured, made of rows that are drawn beforehand. */
function cases(): Record<string, () => Measure> {
  const random = randomOf('metrics');
  const shares = () => Float64Array.from({ length: ROWS }, () => random(2 ** 32) / 2 ** 32);
  const of = (classes: number) => {
    const columns = Array.from({ length: classes === 2 ? 1 : classes }, shares);
    const pick = () => Uint8Array.from({ length: ROWS }, () => random(classes));
    return { classes, labels: pick(), predictions: pick(), scores: columns, probabilities: columns };
  };
  const [two, ten] = [of(2), of(10)];
  const numbers = { labels: shares(), predictions: shares() };
  return {
    'classes2.counts': () => classMeasure(two),
    'classes2.auroc': () => aurocMeasure(two),
    'classes2.logLoss': () => logLossMeasure(two),
    'classes10.counts': () => classMeasure(ten),
    'classes10.auroc': () => aurocMeasure(ten),
    'classes10.logLoss': () => logLossMeasure(ten),
    'numbers.errors': () => errorMeasure(numbers),
  };
}

import type { Attestation } from '../attestation/attest.ts';
import { confusionOf, metricsOf, type Ratio } from '../metrics/exact.ts';
import {
  type ClassesMetrics,
  type ModelMetrics,
  type RegressionMetrics,
  r2Bps,
  rankingMetrics,
} from '../metrics/model-metrics.ts';
import { type Comparison, differences } from './attestation.ts';

type Which = 'baseline' | 'candidate';
type Counts = NonNullable<Attestation['counts']>;

const fraction = (ratio: Ratio | undefined) => ratio && `${ratio.numerator}/${ratio.denominator}`;

/** Metrics under the names that they have in the attestation, as text. */
const stated = (of: Which, metrics: object | undefined, expected: Record<string, Ratio>): Comparison =>
  Object.fromEntries(
    Object.entries(expected).map(([metric, ratio]) => [
      `models.${of}.metrics.${metric}`,
      [fraction((metrics as Record<string, Ratio> | undefined)?.[metric]), fraction(ratio)],
    ]),
  );

/** Where the metrics of a model are not what the counts say, or do not fit each other. */
export function metricsProblems({ benchmark, models }: Attestation, counts: Counts, of: Which): string[] {
  const metrics: ModelMetrics | undefined = models?.[of].metrics;
  if ('cells' in counts) return differences(stated(of, metrics, metricsOf(confusionOf(counts.cells, of))));
  if ('fixed' in counts) {
    const correct = { baseline: counts.baselineCorrect, candidate: counts.candidateCorrect }[of];
    const accuracy = differences(stated(of, metrics, { accuracy: { numerator: correct, denominator: counts.n } }));
    const where = `models.${of}.metrics.perClass`;
    if (!metrics || !('perClass' in metrics)) return [...accuracy, `${where} is missing`];
    return [...accuracy, ...classProblems(metrics, benchmark, correct).map((problem) => `${where} ${problem}`)];
  }
  if ('positives' in counts) return differences(stated(of, metrics, rankingMetrics(counts, of)));
  if (!metrics || !('mse' in metrics)) return [`models.${of}.metrics are not those of a regression`];
  return differences({
    ...stated(of, metrics, paidErrors(counts, of)),
    [`models.${of}.metrics.mse (rows)`]: [metrics.mse.denominator, counts.n],
    [`models.${of}.metrics.mae (rows)`]: [metrics.mae.denominator, counts.n],
    ...('squaredLabels' in counts && { [`models.${of}.metrics.r2Bps`]: r2(metrics, counts, of) }),
  });
}

/** The classes' tables are not stated, so this is what holds of any: each row has one label and one prediction. */
function classProblems({ perClass }: ClassesMetrics, { classes, n }: Attestation['benchmark'], correct: number) {
  const sum = (part: (metrics: ClassesMetrics['perClass'][number]) => number) =>
    perClass.reduce((total, metrics) => total + part(metrics), 0);
  const problems = differences({
    classes: [perClass.length, classes],
    'rows by label': [sum(({ recall }) => recall.denominator), n],
    'rows by prediction': [sum(({ precision }) => precision.denominator), n],
    'correct rows': [sum(({ recall }) => recall.numerator), correct],
  });
  for (const { class: name, precision, recall, f1 } of perClass) {
    const expected = { numerator: 2 * recall.numerator, denominator: precision.denominator + recall.denominator };
    problems.push(
      ...differences({
        [`precision of ${name} (correct rows)`]: [precision.numerator, recall.numerator],
        [`f1 of ${name}`]: [fraction(f1), fraction(expected)],
      }),
    );
  }
  return problems;
}

function paidErrors(counts: Extract<Counts, { squares: string }>, of: Which): Record<string, Ratio> {
  const errors = { baseline: counts.baselineErrors, candidate: counts.candidateErrors }[of];
  const ratio = { numerator: Number(errors), denominator: counts.n };
  return 'squaredLabels' in counts ? { mse: ratio } : { mae: ratio };
}

function r2(metrics: RegressionMetrics, counts: Extract<Counts, { squaredLabels: string }>, of: Which) {
  const errors = { baseline: counts.baselineErrors, candidate: counts.candidateErrors }[of];
  const [n, sum, squares] = [BigInt(counts.n), BigInt(counts.labels), BigInt(counts.squaredLabels)];
  return [metrics.r2Bps, r2Bps({ n, sum, squares }, BigInt(errors))] as const;
}

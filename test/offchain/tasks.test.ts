// What an attestation of many classes or of a regression says, that it is checked, and that a report shows it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attestation, metricsHash, zAttestation } from '../../offchain/attestation/attest.ts';
import { foldId } from '../../offchain/attestation/context.ts';
import { delta } from '../../offchain/delta/delta.ts';
import { namedCounts, type RankingCounts } from '../../offchain/delta/named-counts.ts';
import type { Metric } from '../../offchain/metrics/exact.ts';
import { modelMetrics, type RankingMetrics, rankingMetrics } from '../../offchain/metrics/model-metrics.ts';
import { countsOf } from '../../offchain/prove/counts.ts';
import { reportHtml } from '../../offchain/report/report.ts';
import type { Label } from '../../offchain/table/label.ts';
import { attestationChecks } from '../../offchain/verify/attestation.ts';
import { TERMS, unproven } from './attestations.ts';
import { uniform } from './tables.ts';

const ROWS = 300;

/** An attestation whose candidate is right, or near, more often than its baseline; `size` is the number of values. */
function attestationOf(metric: Metric, label: Label, size: number): Attestation {
  const next = uniform(3);
  const labels = Uint16Array.from({ length: ROWS }, () => Math.floor(next() * size));
  const said = (share: number) => labels.map((value) => (next() < share ? value : Math.floor(next() * size)));
  const [baselinePredictions, candidatePredictions] = [said(0.5), said(0.9)];
  const classes = 'classes' in label ? label.classes.length : 0;
  const words = countsOf({ metric, classes, labels, baselinePredictions, candidatePredictions });
  const attestation = unproven(`0x${'c1'.repeat(20)}`, `0x${'ab'.repeat(32)}`);
  const { benchmark, models } = attestation;
  Object.assign(benchmark, {
    metric,
    classes,
    n: ROWS,
    ...('low' in label && { range: { low: '-5', high: '8.107' } }),
  });
  benchmark.foldId = foldId(benchmark);
  models!.baseline.metrics = modelMetrics(label, labels, baselinePredictions);
  models!.candidate.metrics = modelMetrics(label, labels, candidatePredictions);
  delete attestation.contribution.quality.positives;
  if (classes > 2) attestation.contribution.quality.perClass = [90, 11, 7];
  attestation.counts = namedCounts(metric, classes, words);
  attestation.delta = delta(metric, classes, words, { ...TERMS, minPositives: 0n, guardrails: [] });
  attestation.metricsHash = metricsHash(attestation);
  return attestation;
}

/** An attestation of two classes whose rows are ranked: the candidate's scores say more of the label. */
function rankingAttestation(): Attestation {
  const next = uniform(5);
  const labels = Uint8Array.from({ length: ROWS }, () => Math.floor(next() * 2));
  const said = (share: number) => Uint16Array.from(labels, (label) => 30_000 * (share * label + (1 - share) * next()));
  const [baselinePredictions, candidatePredictions] = [said(0.1), said(0.3)];
  const words = countsOf({ metric: 'auroc', classes: 2, labels, baselinePredictions, candidatePredictions });
  const attestation = unproven(`0x${'c1'.repeat(20)}`, `0x${'ab'.repeat(32)}`);
  const { benchmark, models } = attestation;
  Object.assign(benchmark, { metric: 'auroc', classes: 2, n: ROWS });
  benchmark.foldId = foldId(benchmark);
  const counts = namedCounts('auroc', 2, words) as RankingCounts;
  for (const which of ['baseline', 'candidate'] as const) models![which].metrics = rankingMetrics(counts, which);
  attestation.counts = counts;
  attestation.delta = delta('auroc', 2, words, { ...TERMS, guardrails: [] });
  attestation.metricsHash = metricsHash(attestation);
  return attestation;
}

const CASES = {
  auroc: rankingAttestation,
  classes: () => attestationOf('accuracy', { name: 'y', classes: ['red', 'green & blue', 'none'] }, 3),
  mse: () => attestationOf('mse', { name: 'y', low: '-5', high: '8.107' }, 65_536),
  mae: () => attestationOf('mae', { name: 'y', low: '-5', high: '8.107' }, 65_536),
} as const;

/** The checks that fail; that there is no proof is none of this. */
const failing = async (attestation: Attestation): Promise<string[]> => {
  attestation.metricsHash = metricsHash(attestation);
  const checks = await attestationChecks(attestation);
  return checks.filter(({ ok, name }) => !ok && name !== 'status').map(({ name }) => name);
};

describe('an attestation of another task', () => {
  for (const [name, make] of Object.entries(CASES)) {
    it(`of ${name} has the members that the schema says, and verifies`, async () => {
      const attestation = make();
      assert.deepEqual(zAttestation.parse(JSON.parse(JSON.stringify(attestation))), attestation);
      assert.equal(attestation.delta!.failed, '');
      assert.deepEqual(await failing(attestation), []);
    });

    it(`attack: of ${name} with the counts of another task`, async () => {
      for (const other of Object.values(CASES)) {
        if (other === make) continue;
        const attestation = { ...make(), counts: other().counts! };
        assert((await failing(attestation)).includes('counts'));
      }
    });

    it(`attack: of ${name} with a delta that the counts do not give`, async () => {
      const attestation = make();
      attestation.delta!.payableBps = String(Number(attestation.delta!.payableBps) + 1);
      assert.deepEqual(await failing(attestation), ['deltaOne']);
    });
  }

  it('attack: classes whose candidate is right more often than the rows fixed say', async () => {
    const attestation = CASES.classes();
    assert('candidateCorrect' in attestation.counts!);
    attestation.counts.candidateCorrect++;
    assert.deepEqual(await failing(attestation), ['metrics', 'deltaOne']);
  });

  it('attack: metrics by class that no table of the rows can give', async () => {
    const of = (
      change: (perClass: { recall: { numerator: number; denominator: number }; class: string }[]) => void,
    ) => {
      const attestation = CASES.classes();
      const { metrics } = attestation.models!.candidate;
      assert(metrics && 'perClass' in metrics);
      change(metrics.perClass);
      return failing(attestation);
    };
    assert.deepEqual(await of(([first]) => first!.recall.numerator++), ['metrics']);
    assert.deepEqual(await of(([first]) => first!.recall.denominator++), ['metrics']);
    assert.deepEqual(await of((perClass) => perClass.pop()), ['metrics']);
    assert.deepEqual(await of(([first]) => Object.assign(first!, { class: 'other' })), []);
  });

  it('attack: errors that the counts do not say, and another R2', async () => {
    for (const metric of ['mse', 'mae'] as const) {
      const attestation = CASES[metric]();
      const { metrics } = attestation.models!.baseline;
      assert(metrics && 'mse' in metrics);
      metrics[metric].numerator++;
      assert.deepEqual(await failing(attestation), ['metrics']);
      metrics[metric].numerator--;
      metrics[metric].denominator++;
      assert.deepEqual(await failing(attestation), ['metrics']);
    }
    const attestation = CASES.mse();
    const { metrics } = attestation.models!.candidate;
    assert(metrics && 'mse' in metrics);
    metrics.r2Bps = '9999';
    assert.deepEqual(await failing(attestation), ['metrics']);
  });

  it('attack: placements and areas that the scores do not give', async () => {
    const of = (change: (counts: RankingCounts, metrics: RankingMetrics) => void) => {
      const attestation = CASES.auroc();
      const { metrics } = attestation.models!.candidate;
      assert(metrics && 'auroc' in metrics && 'positives' in attestation.counts!);
      change(attestation.counts, metrics);
      return failing(attestation);
    };
    const more = (text: string) => String(BigInt(text) + 1n);
    assert.deepEqual(await of((_, { auroc }) => auroc.numerator++), ['metrics']);
    assert.deepEqual(await of((counts) => Object.assign(counts, { n: counts.n + 1 })), ['counts']);
    assert.deepEqual(
      await of((counts) => Object.assign(counts, { candidatePlacements: more(counts.candidatePlacements) })),
      ['metrics'],
      'a single step is below a basis point, but the area says it',
    );
    const squares = (counts: RankingCounts) => Object.assign(counts, { positiveSquares: '0', negativeSquares: '0' });
    assert.deepEqual(await of(squares), ['deltaOne'], 'less variance than the gain itself has');
    const pairs = ({ positives, negatives }: RankingCounts) => String(2 * positives * negatives + 1);
    assert.deepEqual(await of((counts) => Object.assign(counts, { candidatePlacements: pairs(counts) })), [
      ...['metrics', 'deltaOne'],
    ]);
    assert.deepEqual(await of((counts) => [counts.positives++, counts.negatives--]), ['metrics']);
  });

  it('attack: a squared sum beyond what the contract can read', async () => {
    const attestation = CASES.mse();
    assert('squaredLabels' in attestation.counts!);
    attestation.counts.squares = String(2n ** 95n);
    assert.deepEqual(await failing(attestation), ['counts', 'deltaOne']);
    const negative = CASES.mse();
    assert('squaredLabels' in negative.counts!);
    negative.counts.squaredLabels = '0';
    assert((await failing(negative)).includes('deltaOne'));
  });
});

describe('the report of another task', () => {
  const textOf = (attestation: Attestation) =>
    reportHtml(attestation)
      .replace(/<style>.*?<\/style>/s, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');

  it('shows each class before and after, and no confusion of two', () => {
    const text = textOf(CASES.classes());
    assert.match(text, /Percentage points of accuracy\./);
    assert.match(text, /candidate fixed \d+ and broke \d+: \d+ more are right/);
    assert.match(text, /green &amp; blue \d+ \d+\.\d % → \d+\.\d %/);
    assert.match(text, /Exact test/);
    const bars = reportHtml(CASES.classes()).match(/<td class="bar"><svg aria-hidden="true"/g);
    assert.equal(bars?.length, 3, 'how the recall of each class changed');
    assert.doesNotMatch(text, /says positive|Positive|NaN|undefined|null/);
  });

  it('shows how well each model ranks, and nothing of rows fixed', () => {
    const text = textOf(CASES.auroc());
    assert.match(text, /Percentage points of AUROC\./);
    assert.match(text, /\d+ positive and \d+ negative sealed rows/);
    assert.match(text, /AUROC 0\.\d{4} 0\.\d{4}/);
    assert.match(text, /Positive rows \d+ ≥ 40 ✔ yes/);
    assert.doesNotMatch(text, /Exact test|fixed|says positive|NaN|undefined|null/);
  });

  it('shows the errors of a regression in units of its labels, and no test of rows fixed', () => {
    for (const [metric, name] of [
      ['mse', 'squared'],
      ['mae', 'absolute'],
    ] as const) {
      const text = textOf(CASES[metric]());
      assert.match(text, new RegExp(`Percentage points of skill by ${name} error\\.`));
      assert.match(text, /count as -5 to 8\.107/);
      assert.match(text, /Mean absolute error how far off on average [\d.]+ [\d.]+ R²/);
      assert.doesNotMatch(text, /Exact test|fixed|says positive|NaN|undefined/);
    }
  });
});

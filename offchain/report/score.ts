// The sections on what the benchmark's rows say: the gate, and what became of the rows. No row is in them, only counts.
import type { Attestation } from '../attestation/attest.ts';
import { EXACT_UP_TO, exactBinomialPasses, figuresOf, pack, termsOf } from '../delta/delta.ts';
import { countWords } from '../delta/named-counts.ts';
import { guardedBps } from '../delta/ratios.ts';
import {
  CLASS_METRICS,
  type ClassMetric,
  confusionOf,
  type Metric,
  metricsOf,
  type Ratio,
  ratioValue,
} from '../metrics/exact.ts';
import { classesSection, rankingSection, regressionSections } from './figures.ts';
import { type Html, html } from './html.ts';
import { grouped, percent, points } from './numbers.ts';
import { intervalPicture } from './pictures.ts';

type Counts = NonNullable<Attestation['counts']>;
type CellCounts = Extract<Counts, { cells: unknown }>;
type ClassCounts = Extract<Counts, { baselineCorrect: unknown }>;
type Delta = NonNullable<Attestation['delta']>;

/** The interval against the gate, and the gate's conditions one by one. */
export function scoreSections({ benchmark, counts, delta }: Attestation): Html | undefined {
  if (!counts || !delta) return undefined;
  const interval = {
    deltaOneBps: Number(delta.deltaOneBps),
    payableBps: Number(delta.payableBps),
    minDeltaBps: Number(delta.minDeltaBps),
  };
  return html`<section>
<h2>Is the gain real?</h2>
<figure>
${intervalPicture(interval)}
<figcaption>Percentage points of ${METRIC[benchmark.metric].name}. The true gain is right of the lower bound, but for a chance of ${chance(delta)} at
most. The contribution is accepted when that bound is right of the gate, and all else that the gate asks for holds.</figcaption>
</figure>
${gateTable(benchmark, counts, delta)}
</section>`;
}

/** alpha30 / 2^30. */
const chance = (delta: Delta): string => `${((100 * Number(delta.alpha30)) / 2 ** 30).toFixed(2)} %`;

function gateTable({ metric, classes }: Attestation['benchmark'], counts: Counts, delta: Delta): Html {
  const words = countWords(counts);
  const { n, positives, defined, payableBps } = figuresOf(metric, classes, words, termsOf(delta));
  const line = (condition: string, found: string, needed: string, holds: boolean) => html`<tr>
<th scope="row">${condition}</th><td class="number">${found}</td><td class="number">${needed}</td>
<td class="number ${holds ? 'good' : 'bad'}">${holds ? '✔ yes' : '✖ no'}</td></tr>`;
  const atLeast = (condition: string, found: bigint, least: string) =>
    line(condition, grouped(Number(found)), `≥ ${grouped(Number(least))}`, found >= BigInt(least));
  const bound = defined ? `${points(delta.payableBps)} pp` : 'undefined';
  const guardrails = delta.guardrails.map(({ metric: guarded, maxLossBps }) => {
    const bps = guardedBps(guarded, words[0]!);
    const found = bps === null ? 'undefined' : `${points(String(bps))} pp`;
    const least = -BigInt(maxLossBps);
    return line(
      `Guardrail: ${METRIC[guarded].name}`,
      found,
      `≥ ${points(String(least))} pp`,
      bps !== null && bps >= least,
    );
  });
  return html`<table class="wrap">
<caption><strong>The gate.</strong> All conditions have to hold.</caption>
<thead><tr><th scope="col">Condition</th><th scope="col" class="number">Found</th><th scope="col" class="number">Needed</th><th scope="col" class="number">Holds</th></tr></thead>
<tbody>
${atLeast('Benchmark rows', n, delta.minRows)}
${delta.minPositives !== '0' && atLeast('Positive rows', positives, delta.minPositives)}
${line('Lower bound', bound, `> ${points(delta.minDeltaBps)} pp`, defined && payableBps > BigInt(delta.minDeltaBps))}
${exactLine(metric, counts, delta, line)}
${guardrails}
</tbody>
</table>`;
}

type Line = (condition: string, found: string, needed: string, holds: boolean) => Html;

/** Precision and F1 have no exact test; recall's is of the positive rows alone. */
function exactLine(metric: Metric, counts: Counts, delta: Delta, line: Line): Html | undefined {
  if (metric === 'precision' || metric === 'f1' || !('fixed' in counts)) return undefined;
  const recalled = metric === 'recall' && 'cells' in counts && [counts.cells[5]!, counts.cells[3]!];
  const [b, c] = recalled || [counts.fixed, counts.broken];
  const found =
    b! + c! > EXACT_UP_TO
      ? `not needed for more than ${EXACT_UP_TO} changed rows`
      : `${grouped(b!)} fixed of ${grouped(b! + c!)} changed`;
  const holds = exactBinomialPasses(BigInt(b!), BigInt(c!), BigInt(delta.alpha30));
  return line('Exact test', found, `chance ≤ ${chance(delta)}`, holds);
}

/** What the candidate fixed and broke, and what both models are good at. */
export function rowsSections(attestation: Attestation): Html | undefined {
  const { counts, benchmark } = attestation;
  if (!counts) return undefined;
  if ('positives' in counts) return rankingSection(counts);
  if (!('fixed' in counts)) return regressionSections(attestation);
  return html`<section>
<h2>What changed on the benchmark</h2>
<p>Of ${grouped(benchmark.n)} sealed rows the candidate fixed ${grouped(counts.fixed)} and broke ${grouped(counts.broken)}:
${net(counts.fixed - counts.broken)}.</p>
${fateTable(counts)}
</section>
${'cells' in counts ? confusionSection(benchmark, counts) : classesSection(attestation)}`;
}

function confusionSection({ metric }: Attestation['benchmark'], counts: CellCounts): Html {
  return html`<section>
<h2>Where each model is right and wrong</h2>
<div class="pair">
${confusionTable(counts, 'baseline', 'the model before')}
${confusionTable(counts, 'candidate', 'the model trained with the contribution')}
</div>
${metricsTable(metric, counts)}
</section>`;
}

const net = (gain: number): string => {
  if (gain === 0) return 'as many as before are right';
  return `${grouped(Math.abs(gain))} ${gain > 0 ? 'more' : 'fewer'} are right`;
};

const cell = (count: number, n: number, kind: 'right' | 'wrong' | 'same', meaning: string): Html =>
  html`<td class="${kind}" style="--share:${((100 * count) / n).toFixed(1)}%">${grouped(count)}<small>${meaning}</small></td>`;

function fateTable(counts: CellCounts | ClassCounts): Html {
  const { n, fixed, broken } = counts;
  const stillRight = 'cells' in counts ? counts.cells[0]! + counts.cells[7]! : counts.baselineCorrect - broken;
  const stillWrong = n - stillRight - fixed - broken;
  return html`<table class="grid">
<caption>Each row of the benchmark, by whether the two models are right about it</caption>
<thead><tr><td class="corner"></td><th scope="col">candidate right</th><th scope="col">candidate wrong</th></tr></thead>
<tbody>
<tr><th scope="row">baseline right</th>${cell(stillRight, n, 'same', 'still right')}${cell(broken, n, 'wrong', 'broken')}</tr>
<tr><th scope="row">baseline wrong</th>${cell(fixed, n, 'right', 'fixed')}${cell(stillWrong, n, 'same', 'still wrong')}</tr>
</tbody>
</table>`;
}

function confusionTable({ cells, n }: CellCounts, model: 'baseline' | 'candidate', meaning: string): Html {
  const { truePositive, falsePositive, falseNegative, trueNegative } = confusionOf(cells, model);
  const share = (count: number, kind: 'right' | 'wrong') => cell(count, n, kind, percent(count, n));
  return html`<table class="grid">
<caption><strong>${model === 'baseline' ? 'Baseline' : 'Candidate'}</strong>, ${meaning}</caption>
<thead><tr><td class="corner"></td><th scope="col">says positive</th><th scope="col">says negative</th></tr></thead>
<tbody>
<tr><th scope="row">is positive</th>${share(truePositive, 'right')}${share(falseNegative, 'wrong')}</tr>
<tr><th scope="row">is negative</th>${share(falsePositive, 'wrong')}${share(trueNegative, 'right')}</tr>
</tbody>
</table>`;
}

/** What each metric is called in a sentence, and says. */
export const METRIC: Readonly<Record<Metric, { name: string; meaning: string }>> = {
  accuracy: { name: 'accuracy', meaning: 'right of all' },
  precision: { name: 'precision', meaning: 'truly positive of those said to be' },
  recall: { name: 'recall', meaning: 'found of the positive' },
  f1: { name: 'F1', meaning: 'of precision and recall' },
  auroc: { name: 'AUROC', meaning: 'of the pairs of a positive and a negative row in order' },
  mse: { name: 'skill by squared error', meaning: 'of a constant’s squared error gone' },
  mae: { name: 'skill by absolute error', meaning: 'of a constant’s absolute error gone' },
};

function metricsTable(paidFor: Metric, { cells }: CellCounts): Html {
  const [baseline, candidate] = [metricsOf(confusionOf(cells, 'baseline')), metricsOf(confusionOf(cells, 'candidate'))];
  const value = (ratio: Ratio) => {
    const fraction = ratioValue(ratio);
    return fraction === null ? 'undefined' : `${(100 * fraction).toFixed(2)} %`;
  };
  const line = (metric: ClassMetric) => {
    const { name, meaning } = METRIC[metric];
    const title = name[0]!.toUpperCase() + name.slice(1);
    // As the gate has it: a candidate's 0/0 is 0, a baseline's is undefined.
    const bps = guardedBps(metric, pack(cells));
    const paid = metric === paidFor ? '; what is paid for' : '';
    return html`<tr><th scope="row">${title} <span class="soft small">${meaning}${paid}</span></th><td class="number">${value(baseline[metric])}</td><td class="number">${value(candidate[metric])}</td><td class="number">${bps === null ? '' : points(String(bps))}</td></tr>`;
  };
  return html`<table>
<caption>Metrics on the benchmark; the change is in percentage points</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th><th scope="col" class="number">Change</th></tr></thead>
<tbody>
${CLASS_METRICS.map(line)}
</tbody>
</table>`;
}

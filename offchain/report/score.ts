// The sections on what the benchmark's rows say: the gate, and what became of the rows. No row is in them, only counts.
import type { Attestation } from '../attest.ts';
import { EXACT_UP_TO } from '../delta.ts';
import { confusionOf, type Metric, metricsOf, type Ratio, ratioValue } from '../metrics.ts';
import { type Html, html } from './html.ts';
import { grouped, percent, points } from './numbers.ts';
import { intervalPicture } from './pictures.ts';

type Counts = NonNullable<Attestation['counts']>;
type Delta = NonNullable<Attestation['delta']>;

/** The interval against the gate, and the gate's conditions one by one. */
export function scoreSections({ counts, delta }: Attestation): Html | undefined {
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
<figcaption>Percentage points of accuracy. The true gain is right of the lower bound, but for a chance of ${chance(delta)} at
most. The contribution is accepted when that bound is right of the gate.</figcaption>
</figure>
${gateTable(counts, delta)}
</section>`;
}

/** alpha30 / 2^30. */
const chance = (delta: Delta): string => `${((100 * Number(delta.alpha30)) / 2 ** 30).toFixed(2)} %`;

function gateTable(counts: Counts, delta: Delta): Html {
  const changed = counts.fixed + counts.broken;
  const exact =
    changed > EXACT_UP_TO
      ? `not needed for more than ${EXACT_UP_TO} changed rows`
      : `${grouped(counts.fixed)} fixed of ${grouped(changed)} changed`;
  const line = (condition: string, found: string, needed: string, holds: boolean) => html`<tr>
<th scope="row">${condition}</th><td class="number">${found}</td><td class="number">${needed}</td>
<td class="number ${holds ? 'good' : 'bad'}">${holds ? '✔ yes' : '✖ no'}</td></tr>`;
  return html`<table class="wrap">
<caption><strong>The gate.</strong> All three conditions have to hold.</caption>
<thead><tr><th scope="col">Condition</th><th scope="col" class="number">Found</th><th scope="col" class="number">Needed</th><th scope="col" class="number">Holds</th></tr></thead>
<tbody>
${line('Benchmark rows', grouped(counts.n), `≥ ${grouped(Number(delta.minRows))}`, counts.n >= Number(delta.minRows))}
${line('Lower bound', `${points(delta.payableBps)} pp`, `> ${points(delta.minDeltaBps)} pp`, Number(delta.payableBps) > Number(delta.minDeltaBps))}
${line('Exact test', exact, `chance ≤ ${chance(delta)}`, delta.exactBinomialPasses)}
</tbody>
</table>`;
}

/** What the candidate fixed and broke, both confusion tables, and the metrics before and after. */
export function rowsSections({ counts, benchmark }: Attestation): Html | undefined {
  if (!counts) return undefined;
  return html`<section>
<h2>What changed on the benchmark</h2>
<p>Of ${grouped(benchmark.n)} sealed rows the candidate fixed ${grouped(counts.fixed)} and broke ${grouped(counts.broken)}:
${net(counts.fixed - counts.broken)}.</p>
${fateTable(counts)}
</section>
<section>
<h2>Where each model is right and wrong</h2>
<div class="pair">
${confusionTable(counts, 'baseline', 'the model before')}
${confusionTable(counts, 'candidate', 'the model trained with the contribution')}
</div>
${metricsTable(counts)}
</section>`;
}

const net = (gain: number): string => {
  if (gain === 0) return 'as many as before are right';
  return `${grouped(Math.abs(gain))} ${gain > 0 ? 'more' : 'fewer'} are right`;
};

const cell = (count: number, n: number, kind: 'right' | 'wrong' | 'same', meaning: string): Html =>
  html`<td class="${kind}" style="--share:${((100 * count) / n).toFixed(1)}%">${grouped(count)}<small>${meaning}</small></td>`;

function fateTable({ cells, n, fixed, broken }: Counts): Html {
  return html`<table class="grid">
<caption>Each row of the benchmark, by whether the two models are right about it</caption>
<thead><tr><td class="corner"></td><th scope="col">candidate right</th><th scope="col">candidate wrong</th></tr></thead>
<tbody>
<tr><th scope="row">baseline right</th>${cell(cells[0]! + cells[7]!, n, 'same', 'still right')}${cell(broken, n, 'wrong', 'broken')}</tr>
<tr><th scope="row">baseline wrong</th>${cell(fixed, n, 'right', 'fixed')}${cell(cells[1]! + cells[6]!, n, 'same', 'still wrong')}</tr>
</tbody>
</table>`;
}

function confusionTable({ cells, n }: Counts, model: 'baseline' | 'candidate', meaning: string): Html {
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

const METRICS: Readonly<Record<Metric, readonly [name: string, meaning: string]>> = {
  accuracy: ['Accuracy', 'right of all; what is paid for'],
  precision: ['Precision', 'truly positive of those said to be'],
  recall: ['Recall', 'found of the positive'],
  f1: ['F1', 'of precision and recall'],
};

function metricsTable({ cells }: Counts): Html {
  const [baseline, candidate] = [metricsOf(confusionOf(cells, 'baseline')), metricsOf(confusionOf(cells, 'candidate'))];
  const value = (ratio: Ratio) => {
    const fraction = ratioValue(ratio);
    return fraction === null ? 'undefined' : `${(100 * fraction).toFixed(2)} %`;
  };
  const change = (before: Ratio, after: Ratio) =>
    before.denominator === 0 || after.denominator === 0 ? '' : points(gainBps(before, after));
  const line = ([metric, [name, meaning]]: [string, readonly [string, string]]) => {
    const [before, after] = [baseline[metric as Metric], candidate[metric as Metric]];
    return html`<tr><th scope="row">${name} <span class="soft small">${meaning}</span></th><td class="number">${value(before)}</td><td class="number">${value(after)}</td><td class="number">${change(before, after)}</td></tr>`;
  };
  return html`<table>
<caption>Metrics on the benchmark; the change is in percentage points</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th><th scope="col" class="number">Change</th></tr></thead>
<tbody>
${Object.entries(METRICS).map(line)}
</tbody>
</table>`;
}

/** Rounded down once, as deltaOne is, so that the two say the same. */
function gainBps(before: Ratio, after: Ratio): number {
  const [from, to] = [BigInt(before.denominator), BigInt(after.denominator)];
  const scaled = 10_000n * (BigInt(after.numerator) * from - BigInt(before.numerator) * to);
  const quotient = scaled / (from * to);
  return Number(scaled % (from * to) < 0n ? quotient - 1n : quotient);
}

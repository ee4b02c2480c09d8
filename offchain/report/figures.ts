// What both models are good at, of more than two classes and of numbers. No row is in these sections.
import type { Attestation } from '../attestation/attest.ts';
import type { RankingCounts } from '../delta/named-counts.ts';
import { type Ratio, ratioValue } from '../metrics/exact.ts';
import { type ModelMetrics, metricValues, type Range, rankingMetrics } from '../metrics/model-metrics.ts';
import { type Html, html } from './html.ts';
import { grouped } from './numbers.ts';
import { changeBar } from './pictures.ts';

type Models = NonNullable<Attestation['models']>;

const metricsOf = ({ models }: { models?: Models | undefined }): [ModelMetrics, ModelMetrics] | undefined => {
  const [before, after] = [models?.baseline.metrics, models?.candidate.metrics];
  return before && after && [before, after];
};

const share = (ratio: Ratio): string => {
  const value = ratioValue(ratio);
  return value === null ? 'undefined' : `${(100 * value).toFixed(1)} %`;
};

const change = (before: string, after: string): Html => html`<td class="number">${before} → ${after}</td>`;

/** Each class against all others, before and after. */
export function classesSection(attestation: Attestation): Html | undefined {
  const [before, after] = metricsOf(attestation) ?? [];
  if (!before || !after || !('perClass' in before) || !('perClass' in after)) return undefined;
  const lines = before.perClass.map((one, at) => {
    const other = after.perClass[at];
    if (!other) return undefined;
    const cells = (['recall', 'precision', 'f1'] as const).map((metric) =>
      change(share(one[metric]), share(other[metric])),
    );
    const [recall, now] = [ratioValue(one.recall), ratioValue(other.recall)];
    const bar = recall !== null && now !== null && changeBar(recall, now);
    return html`<tr><th scope="row">${one.class}</th><td class="number">${grouped(one.recall.denominator)}</td><td class="bar">${bar}</td>${cells}</tr>`;
  });
  return html`<section>
<h2>What each model is good at</h2>
<p>Right of all rows: ${share(before.accuracy)} before, ${share(after.accuracy)} now.</p>
<table class="wrap">
<caption>Each class against all others, baseline → candidate. Signed by validators; the proof is of the rows right, fixed and broken.</caption>
<thead><tr><th scope="col">Class</th><th scope="col" class="number">Rows</th><th scope="col" class="bar">Change of recall</th><th scope="col" class="number">Recall</th><th scope="col" class="number">Precision</th><th scope="col" class="number">F1</th></tr></thead>
<tbody>
${lines}
</tbody>
</table>
</section>`;
}

/** How well both models rank the rows. */
export function rankingSection(counts: RankingCounts): Html {
  const [before, after] = (['baseline', 'candidate'] as const).map((of) =>
    ratioValue(rankingMetrics(counts, of).auroc),
  );
  const figure = (value: number | null | undefined) => (value == null ? 'undefined' : value.toFixed(4));
  return html`<section>
<h2>How well each model ranks</h2>
<p>${grouped(counts.positives)} positive and ${grouped(counts.negatives)} negative sealed rows, ranked by each model’s scores.</p>
<table>
<caption>The share of the pairs of a positive and a negative row in which the positive one has the higher score, equal ones
counting one half: the area under the ROC curve</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th><th scope="col" class="bar">Change</th></tr></thead>
<tbody>
<tr><th scope="row">AUROC</th><td class="number">${figure(before)}</td><td class="number">${figure(after)}</td><td class="bar">${before != null && after != null && changeBar(before, after)}</td></tr>
</tbody>
</table>
</section>`;
}

/** The errors of a regression, before and after, in units of the labels. */
export function regressionSections(attestation: Attestation): Html | undefined {
  const { benchmark } = attestation;
  const [before, after] = (metricsOf(attestation) ?? []).map((metrics) => errorsOf(metrics, benchmark.range));
  if (!before || !after) return undefined;
  const lines = before.map(([name, meaning, value], at) => {
    return html`<tr><th scope="row">${name} <span class="soft small">${meaning}</span></th><td class="number">${value}</td><td class="number">${after[at]![2]}</td></tr>`;
  });
  const range =
    benchmark.range &&
    `, which count as ${benchmark.range.low} to ${benchmark.range.high}: what is beyond is taken as that`;
  return html`<section>
<h2>How far off each model is</h2>
<p>On ${grouped(benchmark.n)} sealed rows, in units of the labels${range}.</p>
<table>
<caption>Errors on the benchmark</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th></tr></thead>
<tbody>
${lines}
</tbody>
</table>
</section>`;
}

function errorsOf(metrics: ModelMetrics, range: Range | undefined): [name: string, meaning: string, value: string][] {
  const { mse, mae, r2, mape } = metricValues(metrics, range) as Record<string, number | null>;
  const number = (value: number | null | undefined) => (value == null ? 'undefined' : value.toPrecision(4));
  const percent = (value: number | null | undefined) => (value == null ? 'undefined' : `${(100 * value).toFixed(2)} %`);
  return [
    ['Mean squared error', 'large errors count more', number(mse)],
    ['Mean absolute error', 'how far off on average', number(mae)],
    ['R²', 'of the labels’ variance explained', percent(r2)],
    ['Mean absolute percentage error', 'of the label', percent(mape)],
  ];
}

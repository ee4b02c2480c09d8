// What the model's owner reads of both models: curves that would help to guess the benchmark, so never for publication.
import type { CustomResult } from '../metrics/custom.ts';
import type { ClassEvaluation, Evaluation } from '../metrics/evaluation.ts';
import type { Significance } from '../metrics/significance.ts';
import type { TrainingSetChange } from '../run/finding.ts';
import { calibrationSection, curveSections, residualSections } from './curves.ts';
import { type Html, html, page } from './html.ts';
import { figure, grouped, points } from './numbers.ts';
import { changeBar } from './pictures.ts';
import { historySection, learningSection, searchSection, type Trainings, trainingSetSection } from './training.ts';

/** Tables of more classes than that are in metrics.json alone. */
const MOST_CELLS = 16;

/**
 * Both models' evaluation on the fold, as one HTML page without network or script; everything named by others is escaped.
 *
 * @param name - of the model
 */
export function evaluationHtml(
  name: string,
  evaluation: Evaluation,
  integration: TrainingSetChange,
  training?: Trainings,
): string {
  const sections =
    'residuals' in evaluation
      ? residualSections(evaluation)
      : [
          confusionSection(evaluation),
          changeSection(evaluation),
          curveSections(evaluation),
          calibrationSection(evaluation),
        ];
  return page(
    `${name}, evaluation of both models`,
    html`<header>
<p class="eyebrow">Hokusai evaluation · ${name}</p>
<h1>Both models on the benchmark</h1>
<p class="caution"><strong>For the model’s owner, not for publication.</strong> These curves help to guess rows of the
sealed benchmark. What may be shown is in report.html.</p>
</header>
${metricsSection(evaluation.metrics)}
${evaluation.learningCurve && learningSection(evaluation.learningCurve)}
${customSection(evaluation.custom)}
${sections}
${training && [searchSection(training), historySection(training)]}
${trainingSetSection(integration)}`,
  );
}

function metricsSection(metrics: readonly Significance[]): Html {
  const line = ({ metric, baseline, candidate, change, payable, better, test }: Significance) => html`<tr>
<th scope="row">${metric}</th><td class="number" data-head="Baseline">${figure(baseline)}</td><td class="number" data-head="Candidate">${figure(candidate)}</td>
<td class="number" data-head="Change">${figure(change)}</td><td class="number" data-head="The true change">${
    test.method === 'chain' ? `> ${points(test.lowerBps)} pp` : `${figure(test.low)} to ${figure(test.high)}`
  }</td>
<td class="${better ? 'good' : ''}" data-head="Better">${better ? '✔ yes' : 'no'}</td><td data-head="Payable">${payable ? 'yes' : 'not payable'}</td></tr>`;
  return html`<section>
<h2>Metrics</h2>
<p>As scikit-learn computes them, 0/0 being 0. A single bound is what the contract would find, in percentage points (of
errors, of skill), at the policy’s level; two are the middle 95 % of a bootstrap of paired rows. Each line is a test by itself: of
many lines, some are better by chance.</p>
<table class="stack">
<caption>The change is candidate less baseline; less is better of log_loss, mse, mae and mape</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th><th scope="col" class="number">Change</th><th scope="col" class="number">The true change</th><th scope="col">Better</th><th scope="col">Payable</th></tr></thead>
<tbody>
${metrics.map(line)}
</tbody>
</table>
</section>`;
}

function customSection(custom: readonly CustomResult[]): Html | undefined {
  if (custom.length === 0) return undefined;
  const line = (result: CustomResult) => {
    const cells =
      'error' in result
        ? html`<td colspan="3" class="bad">${result.error.message}</td>`
        : [result.baseline, result.candidate, result.change].map(
            (value) => html`<td class="number">${figure(value)}</td>`,
          );
    return html`<tr><th scope="row">${result.metric}</th>${cells}</tr>`;
  };
  return html`<section>
<h2>Metrics of your own</h2>
<table>
<caption>By modules that the configuration names; not payable</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th><th scope="col" class="number">Change</th></tr></thead>
<tbody>
${custom.map(line)}
</tbody>
</table>
</section>`;
}

function confusionSection({ classes, confusion }: ClassEvaluation): Html | undefined {
  if (classes.length > MOST_CELLS) return undefined;
  const table = (model: 'baseline' | 'candidate') => {
    const rows = confusion[model].map((cells, at) => {
      const all = cells.reduce((sum, count) => sum + count, 0);
      const cell = (count: number, said: number) =>
        html`<td class="${said === at ? 'right' : 'wrong'}" style="--share:${((100 * count) / (all || 1)).toFixed(1)}%">${grouped(count)}</td>`;
      return html`<tr><th scope="row">is ${classes[at]}</th>${cells.map(cell)}</tr>`;
    });
    return html`<table class="grid ${classes.length > 3 ? 'dense' : ''}">
<caption><strong>${model === 'baseline' ? 'Baseline' : 'Candidate'}</strong>, rows by class and by what is said; the shade is the share of the class</caption>
<thead><tr><td class="corner"></td>${classes.map((name) => html`<th scope="col">says ${name}</th>`)}</tr></thead>
<tbody>
${rows}
</tbody>
</table>`;
  };
  return html`<section>
<h2>Confusion</h2>
<div class="${classes.length > 3 ? 'stacked' : 'pair'}">
${table('baseline')}
${table('candidate')}
</div>
</section>`;
}

function changeSection({ perClass }: ClassEvaluation): Html {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const line = ({ class: name, rows, baseline, candidate, fixed, broken }: ClassEvaluation['perClass'][number]) => {
    const cells = (['recall', 'precision', 'f1'] as const).map(
      (metric) =>
        html`<td class="number" data-head="${metric}">${percent(baseline[metric])} → ${percent(candidate[metric])}</td>`,
    );
    return html`<tr><th scope="row">${name}</th><td class="number" data-head="Rows">${grouped(rows)}</td><td class="number" data-head="Fixed">${grouped(fixed)}</td><td class="number" data-head="Broken">${grouped(broken)}</td><td class="bar">${changeBar(baseline.recall, candidate.recall)}</td>${cells}</tr>`;
  };
  return html`<section>
<h2>Change by class</h2>
<table class="stack">
<caption>Baseline → candidate; the bar is of recall, from ring to dot</caption>
<thead><tr><th scope="col">Class</th><th scope="col" class="number">Rows</th><th scope="col" class="number">Fixed</th><th scope="col" class="number">Broken</th><th scope="col" class="bar">Change</th><th scope="col" class="number">Recall</th><th scope="col" class="number">Precision</th><th scope="col" class="number">F1</th></tr></thead>
<tbody>
${perClass.map(line)}
</tbody>
</table>
</section>`;
}

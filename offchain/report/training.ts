// How both models were trained, for their owner: on which rows, by which hyperparameters, and how it went.
import type { LearningCurve } from '../metrics/evaluation.ts';
import type { TrainingSetChange } from '../run/finding.ts';
import type { SearchResults } from '../train/search.ts';
import type { TrainReport } from '../train/train.ts';
import { axisOf, chart, legend } from './charts.ts';
import { type Html, html } from './html.ts';
import { figure, grouped } from './numbers.ts';

/** How both models were trained. */
export type Trainings = Readonly<Record<'baseline' | 'candidate', TrainReport>>;

const NAMES: Readonly<Record<string, string>> = {
  relative_gradient: 'gradient, against that at the start',
  loss: 'loss of the training rows',
  validation_loss: 'loss of the rows held out',
  validation_score: 'score of the rows held out',
};

const IGNORED: Readonly<Record<keyof TrainingSetChange['ignored'], string>> = {
  known: 'in the training set already, or near to known rows where the policy leaves such out',
  repeated: 'twice in the contribution',
  conflicting: 'with the key of another row of the contribution',
  overReplaced: 'they would have replaced more rows than the policy allows',
  overRows: 'over the most rows of one contribution',
};

/** More rows, better models? */
export function learningSection({ metric, points: all }: LearningCurve): Html | undefined {
  const points = all.filter(({ value }) => Number.isFinite(value)).map(({ rows, value }) => [rows, value] as const);
  if (points.length < 2) return undefined;
  const picture = chart({
    id: 'learning',
    title: 'Learning curve',
    description: `${metric} on the benchmark over the rows learned from: ${points.map(([rows, value]) => `${figure(value)} with ${grouped(rows)}`).join(', ')}.`,
    x: axisOf(
      'rows learned from',
      points.map(([rows]) => rows),
    ),
    y: axisOf(
      metric,
      points.map(([, value]) => value),
    ),
    series: [{ looks: 'candidate', points, dots: true }],
  });
  return html`<section>
<h2>Learning curve</h2>
<figure>
${picture}
<figcaption>From the baseline to the candidate, which has all of the contribution: whether more rows like these would do
more.</figcaption>
</figure>
</section>`;
}

/** What each model's search for hyperparameters came to. */
export function searchSection({ baseline, candidate }: Trainings): Html | undefined {
  if (!baseline.search || !candidate.search) return undefined;
  const [before, after] = [baseline.search, candidate.search];
  const score = ({ points, best }: SearchResults, at: number) =>
    html`<td class="number">${figure(points[at]!.mean)}${at === best ? ' ✓' : ''}</td>`;
  const lines = before.points.map(({ hyperparameters }, at) => {
    const text = Object.entries(hyperparameters).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    return html`<tr><th scope="row">${text.join(', ')}</th>${score(before, at)}${score(after, at)}</tr>`;
  });
  return html`<section>
<h2>Search for hyperparameters</h2>
<table>
<caption>Mean of ${before.metric} over ${before.cv} folds of the training rows; more is better, and ✓ was chosen</caption>
<thead><tr><th scope="col">Hyperparameters</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th></tr></thead>
<tbody>
${lines}
</tbody>
</table>
</section>`;
}

/** What was measured after each iteration of both trainings, where something was. */
export function historySection({ baseline, candidate }: Trainings): Html | undefined {
  const names = Object.keys(NAMES).filter(
    (name) => candidate.history.filter((point) => point.name === name).length > 1,
  );
  if (names.length === 0) return undefined;
  const of = ({ history }: TrainReport, name: string) =>
    history.filter((point) => point.name === name).map(({ step, value }) => [step, value] as const);
  const pictures = names.map((name) => {
    const [before, after] = [of(baseline, name), of(candidate, name)];
    const all = [...before, ...after];
    return html`<figure>
${chart({
  id: `history-${name.replace('_', '-')}`,
  title: NAMES[name]!,
  description: `The ${NAMES[name]} after each of ${after.length} iterations: ${figure(after[0]![1])} at first, ${figure(after.at(-1)![1])} at last.`,
  x: axisOf(
    'iteration',
    all.map(([step]) => step),
  ),
  y: axisOf(
    NAMES[name]!,
    all.map(([, value]) => value),
  ),
  series: [
    { looks: 'baseline', points: before },
    { looks: 'candidate', points: after },
  ],
})}
</figure>`;
  });
  return html`<section>
<h2>Training</h2>
${legend({ baseline: 'baseline', candidate: 'candidate' })}
<div class="pair">
${pictures}
</div>
</section>`;
}

/** What of the contribution was learned from. */
export function trainingSetSection({ ignored, near, replaced, classes, balance }: TrainingSetChange): Html {
  const reasons = Object.entries(IGNORED).map(
    ([reason, meaning]) =>
      html`<tr><th scope="row">${meaning}</th><td class="number">${grouped(ignored[reason as keyof typeof ignored])}</td></tr>`,
  );
  const [before, after] = [balance.before, balance.after].map((rows) => rows.reduce((sum, count) => sum + count, 0));
  const cell = (rows: number, all: number) => `${grouped(rows)} (${((100 * rows) / (all || 1)).toFixed(1)} %)`;
  const lines = classes.map(
    (name, at) =>
      html`<tr><th scope="row">${name}</th><td class="number">${cell(balance.before[at]!, before!)}</td><td class="number">${cell(balance.after[at]!, after!)}</td></tr>`,
  );
  const byClass = html`<table>
<caption>Rows that the models learned from, by class</caption>
<thead><tr><th scope="col">Class</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th></tr></thead>
<tbody>
${lines}
</tbody>
</table>`;
  return html`<section>
<h2>Training set</h2>
${classes.length > 0 && byClass}
<table>
<caption>Rows of the contribution that nothing was learned from</caption>
<thead><tr><th scope="col">Why</th><th scope="col" class="number">Rows</th></tr></thead>
<tbody>
${reasons}
</tbody>
</table>
<p>${grouped(replaced)} rows of the training set were replaced. Of the new rows, ${grouped(near.trainingSet)} are nearly in it and ${grouped(near.benchmark)} nearly in the benchmark.</p>
</section>`;
}

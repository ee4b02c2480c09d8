// Curves of both models: what they would come to at other thresholds, and how far off they are. For the model's owner.
import type { ClassEvaluation, NumberEvaluation } from '../metrics/evaluation.ts';
import { axisOf, chart, legend, shareAxis } from './charts.ts';
import { type Html, html } from './html.ts';

const MODELS = { baseline: 'baseline', candidate: 'candidate' };

type ClassCurves = ClassEvaluation['curves'][number];

/** ROC and PR curves of each class, and thresholds where there are two. */
export function curveSections({ classes, curves }: ClassEvaluation): readonly Html[] {
  return curves.map((curve, at) => {
    const { class: name, baseline, candidate } = curve;
    const [before, after] = [baseline, candidate].map(({ averagePrecision }) => averagePrecision.toFixed(3));
    return html`<section>
<h2>Telling ${name} from the rest</h2>
${legend(MODELS)}
<div class="pair">
<figure>
${rocChart(curve, at)}
<figcaption>ROC: positive rows found, against negative rows taken for positive. The dots are a coin’s.</figcaption>
</figure>
<figure>
${precisionRecallChart(curve, at)}
<figcaption>Precision and recall. Average precision ${before} before, ${after} now.</figcaption>
</figure>
</div>
${classes.length === 2 && thresholdFigure(curve)}
</section>`;
  });
}

const both = (points: (model: 'baseline' | 'candidate') => readonly (readonly [number, number])[], dots = false) =>
  (['baseline', 'candidate'] as const).map((looks) => ({ looks, points: points(looks), dots }));

const rocChart = (curve: ClassCurves, at: number): Html =>
  chart({
    id: `roc-${at}`,
    title: `ROC curve of ${curve.class}`,
    description: 'True positive rate over false positive rate of both models, from 0, 0 to 1, 1.',
    ...{ x: shareAxis('false positive rate'), y: shareAxis('true positive rate'), diagonal: true },
    series: both((model) => [[0, 0], ...curve[model].points.map((p) => [p.falsePositiveRate, p.recall] as const)]),
  });

const precisionRecallChart = (curve: ClassCurves, at: number): Html =>
  chart({
    id: `pr-${at}`,
    title: `Precision-recall curve of ${curve.class}`,
    description: 'Precision over recall of both models.',
    ...{ x: shareAxis('recall'), y: shareAxis('precision') },
    series: both((model) => curve[model].points.map((p) => [p.recall, p.precision] as const)),
  });

/** Of two classes, where a threshold is a probability, and what is said follows from it. */
function thresholdFigure({ class: name, candidate }: ClassCurves): Html {
  const over = (metric: 'precision' | 'recall' | 'f1') =>
    candidate.points.map((p) => [p.threshold, p[metric]] as const);
  const picture = chart({
    id: 'threshold',
    title: `Thresholds of ${name}`,
    description: 'Precision, recall and F1 of the candidate over the threshold of its probability.',
    ...{ x: shareAxis('threshold'), y: shareAxis('precision, recall, F1') },
    series: [
      { looks: 'baseline', points: over('precision') },
      { looks: 'third', points: over('recall') },
      { looks: 'candidate', points: over('f1') },
    ],
  });
  return html`${legend({ candidate: 'F1', baseline: 'precision', third: 'recall' })}
<figure>
${picture}
<figcaption>The candidate, by the probability from which on it would say ${name}.</figcaption>
</figure>`;
}

/** Whether probabilities come true. */
export function calibrationSection({ calibration, classes }: ClassEvaluation): Html {
  if (!calibration) return html``;
  const [before, after] = [calibration.baseline, calibration.candidate].map(({ error }) => (100 * error).toFixed(1));
  const what = classes.length === 2 ? `of ${classes[1]}` : 'of the class that is said';
  return html`<section>
<h2>Calibration</h2>
${legend(MODELS)}
<figure>
${chart({
  id: 'calibration',
  title: 'Calibration',
  description: `Share of rows that it came true of over the mean probability ${what}, by tenths; on the diagonal they agree.`,
  ...{ x: shareAxis(`probability ${what}`), y: shareAxis('share that came true'), diagonal: true },
  series: both((model) => calibration[model].bins.map((bin) => [bin.predicted, bin.observed] as const), true),
})}
<figcaption>On the dotted line, what is said with a probability comes true as often. Off by ${before} points on average before, ${after} now.
Probabilities are a mapping of integer scores, and of linear models no log-odds.</figcaption>
</figure>
</section>`;
}

/** How far off a regression is, and where. */
export function residualSections({ residuals, bands }: NumberEvaluation): Html {
  const steps = (model: 'baseline' | 'candidate') =>
    residuals.flatMap(({ from, to, [model]: rows }) => [[from, rows] as const, [to, rows] as const]);
  const ends = residuals.flatMap(({ from, to }) => [from, to]);
  const counts = residuals.flatMap((bin) => [bin.baseline, bin.candidate]);
  const all = [...bands.baseline, ...bands.candidate];
  const medians = (model: 'baseline' | 'candidate') =>
    bands[model].map((band) => [band.prediction, band.median] as const);
  const around = [
    ...bands.candidate.map((band) => [band.prediction, band.ninetieth] as const),
    ...bands.candidate.toReversed().map((band) => [band.prediction, band.tenth] as const),
  ];
  return html`<section>
<h2>Residuals</h2>
${legend(MODELS)}
<figure>
${chart({
  id: 'residuals',
  title: 'Residuals',
  description: 'Rows by label less prediction, of both models.',
  ...{ x: axisOf('label less prediction', ends), y: axisOf('rows', [0, ...counts]) },
  series: both(steps),
})}
<figcaption>How many rows each model is off by how much, in units of the label. The outermost bins hold what is beyond.</figcaption>
</figure>
${
  all.length > 0 &&
  html`<figure>
${chart({
  id: 'bands',
  title: 'Residuals by prediction',
  description: 'Median residual over the prediction of both models, and the middle 80 % of the candidate’s.',
  x: axisOf(
    'prediction',
    all.map(({ prediction }) => prediction),
  ),
  y: axisOf('label less prediction', [0, ...all.flatMap(({ tenth, ninetieth }) => [tenth, ninetieth])]),
  series: [{ looks: 'candidate', points: around, fill: true }, ...both(medians)],
})}
<figcaption>Median residual where a model says little or much; the band is the middle 80 % of the candidate’s.</figcaption>
</figure>`
}
</section>`;
}

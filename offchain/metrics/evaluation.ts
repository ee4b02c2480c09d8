/** All that is said of two models on a fold for the model's owner: doubles, for people, never hashed and never paid by. */

import { isRanking } from '../delta/auroc.ts';
import type { GateTerms } from '../delta/delta.ts';
import type { ModelLine } from '../line.ts';
import type { PartialModel } from '../run/learning.ts';
import { labelsOf } from '../table/check-table.ts';
import { classNames, type NumberLabel } from '../table/label.ts';
import { quantise } from '../table/quantise.ts';
import { type Model, predict, scores } from '../train/model.ts';
import { classesBy, type RankingModel, sumsBy } from '../train/ranking.ts';
import { confusionTable, perClass } from './classes.ts';
import { type Calibration, type Curve, calibrationOf, curveOf } from './curves.ts';
import { type CustomMetric, type CustomResult, customResults } from './custom.ts';
import { measureOf } from './measure.ts';
import { namedMetrics } from './names.ts';
import { probabilitiesOf } from './probabilities.ts';
import { type ResidualBand, type ResidualBin, residualBands, residualBins } from './residuals.ts';
import type { ClassRows, NumberRows, Rows } from './rows.ts';
import { type Significance, significanceOf } from './significance.ts';

/** Curves are of each class up to so many. */
const MOST_CURVES = 16;

type Both<What> = Readonly<Record<'baseline' | 'candidate', What>>;
type ClassFigures = Readonly<Record<'precision' | 'recall' | 'f1', number>>;

/** What became of the rows of one class. */
export interface ClassChange extends Both<ClassFigures> {
  readonly class: string;
  readonly rows: number;
  /** Rows that the candidate alone is right about, and the baseline alone. */
  readonly fixed: number;
  readonly broken: number;
}

/** What more rows do: the metric that is paid for, of models of more and more rows, from the baseline to the candidate. */
export interface LearningCurve {
  readonly metric: string;
  /** `value` is NaN where the metric is not defined. */
  readonly points: readonly { readonly rows: number; readonly value: number }[];
}

interface Told {
  readonly learningCurve?: LearningCurve;
  readonly metrics: readonly Significance[];
  /** Of the owner's own modules. */
  readonly custom: readonly CustomResult[];
}

/** What is evaluated, and how. */
export interface Evaluating {
  /** Metrics by the names of a configuration. */
  readonly metrics: readonly string[];
  /** From the baseline to the candidate, of more and more rows; none for no curve. */
  readonly learning?: readonly PartialModel[];
  /** The level at which the policy tests. */
  readonly terms: GateTerms;
}

/** Of classes. Tables and lists are in the order of `classes`. */
export interface ClassEvaluation extends Told {
  readonly classes: readonly string[];
  /** Rows by label and prediction. */
  readonly confusion: Both<readonly (readonly number[])[]>;
  readonly perClass: readonly ClassChange[];
  /** Of two classes the positive one against the other; of up to 16 each against all others. */
  readonly curves: readonly ({ readonly class: string } & Both<Curve>)[];
  /** Of two classes of the positive one; of more, of the class that is said. Absent where models say no probabilities. */
  readonly calibration?: Both<Calibration>;
}

/** Of numbers, in units of the labels. */
export interface NumberEvaluation extends Told {
  readonly residuals: readonly ResidualBin[];
  readonly bands: Both<readonly ResidualBand[]>;
}

export type Evaluation = ClassEvaluation | NumberEvaluation;

/** All of it but what modules of the owner's own say. */
export type Described = Omit<ClassEvaluation, 'custom'> | Omit<NumberEvaluation, 'custom'>;

/** Evaluates both models on the line's fold. */
export function evaluation(
  line: ModelLine,
  models: Both<Model>,
  { metrics, terms, learning = [] }: Evaluating,
): Described {
  const labels = labelsOf(line.benchmark, line.schema);
  const { classes } = line.fold;
  const { baseline, candidate, rows } = rowsOf(line, models);
  const said = (of: Rows, which: keyof typeof models) =>
    'classes' in of
      ? of.predictions
      : (predict(models[which], quantise(line.benchmark, line.quantiser)) as Uint16Array);
  const predictions = {
    baselinePredictions: said(baseline, 'baseline'),
    candidatePredictions: said(candidate, 'candidate'),
  };
  const told = {
    ...(learning.length > 0 && { learningCurve: learningCurve(line, learning, rows) }),
    metrics: significanceOf(
      { classes, baseline, candidate, labels, ...predictions },
      tellable(namedMetrics(metrics, classes), baseline),
      terms,
      `bootstrap/${line.foldId}`,
    ),
  };
  // Both are of the same labels, and so of the same kind.
  if ('classes' in baseline) {
    return { ...told, ...classEvaluation(classNames(line.schema.label), baseline, candidate as ClassRows) };
  }
  const numbers = candidate as NumberRows;
  return {
    ...told,
    residuals: residualBins(baseline, numbers),
    bands: { baseline: residualBands(baseline), candidate: residualBands(numbers) },
  };
}

/** What modules of the owner's own say of both models on the line's fold. */
export async function customOf(
  metrics: readonly CustomMetric[],
  line: ModelLine,
  models: Both<Model>,
): Promise<CustomResult[]> {
  if (metrics.length === 0) return [];
  const { baseline, candidate } = rowsOf(line, models);
  return customResults(metrics, baseline, candidate);
}

/** The fold's rows as each model sees them, and as any other would. */
function rowsOf(line: ModelLine, models: Both<Model>) {
  const labels = labelsOf(line.benchmark, line.schema);
  const features = quantise(line.benchmark, line.quantiser);
  const { label } = line.schema;
  const { classes } = line.fold;
  const rows = (model: Model): Rows => {
    const given = predict(model, features);
    if ('low' in label) return numberRows(label, labels, given);
    const known = { classes, labels: Uint8Array.from(labels) };
    if (isRanking(line.metric)) return { ...known, ...ranked(model as RankingModel, given, line) };
    const said = { ...known, predictions: Uint8Array.from(given) };
    const sure = scores(model, features);
    if (!sure) return said;
    return { ...said, scores: sure, probabilities: probabilitiesOf(model, sure, line.spec.modelType) };
  };
  return { baseline: rows(models.baseline), candidate: rows(models.candidate), rows };
}

function learningCurve(
  { metric }: ModelLine,
  models: readonly PartialModel[],
  rowsOf: (model: Model) => Rows,
): LearningCurve {
  const points = models.map(({ rows, model }) => ({ rows, value: measureOf(rowsOf(model))()[metric]! }));
  return { metric, points };
}

/** What is shown is what is paid for: the scores that were committed to. */
function ranked(model: RankingModel, predictions: ArrayLike<number>, { spec }: ModelLine) {
  const given = Float64Array.from(predictions);
  const probabilities = probabilitiesOf(model, [sumsBy(model, given)], spec.modelType);
  return { predictions: classesBy(given), scores: [given], probabilities };
}

type ScoredRows = Required<ClassRows>;

const isScored = (rows: ClassRows): rows is ScoredRows => rows.scores !== undefined && rows.probabilities !== undefined;

/** Programs of other frameworks need not say how sure they are. */
const tellable = (names: readonly string[], rows: Rows): readonly string[] =>
  'classes' in rows && !isScored(rows) ? names.filter((name) => !/^(auroc|log_loss)/.test(name)) : names;

function numberRows({ low, high }: NumberLabel, labels: ArrayLike<number>, predictions: ArrayLike<number>): NumberRows {
  const unit = (Number(high) - Number(low)) / 65_535;
  const inUnits = (values: ArrayLike<number>) => Float64Array.from(values, (value) => Number(low) + value * unit);
  return { labels: inUnits(labels), predictions: inUnits(predictions) };
}

function classEvaluation(
  names: readonly string[],
  baseline: ClassRows,
  candidate: ClassRows,
): Omit<ClassEvaluation, keyof Told> {
  const table = (rows: ClassRows) => {
    const cells = confusionTable(rows);
    return names.map((_, at) => [...cells.subarray(at * names.length, (at + 1) * names.length)]);
  };
  return {
    classes: names,
    confusion: { baseline: table(baseline), candidate: table(candidate) },
    perClass: changes(names, baseline, candidate),
    ...(isScored(baseline) && isScored(candidate)
      ? {
          curves: curves(names, baseline, candidate),
          calibration: { baseline: calibration(baseline), candidate: calibration(candidate) },
        }
      : { curves: [] }),
  };
}

function changes(names: readonly string[], baseline: ClassRows, candidate: ClassRows): ClassChange[] {
  const [fixed, broken] = [new Uint32Array(names.length), new Uint32Array(names.length)];
  for (const [row, label] of baseline.labels.entries()) {
    const [before, after] = [baseline.predictions[row] === label, candidate.predictions[row] === label];
    if (after && !before) fixed[label]!++;
    if (before && !after) broken[label]!++;
  }
  const [before, after] = [perClass(baseline), perClass(candidate)];
  return names.map((name, at) => {
    const { rows, ...baselineFigures } = before[at]!;
    const { rows: _, ...candidateFigures } = after[at]!;
    const models = { baseline: baselineFigures, candidate: candidateFigures };
    return { class: name, rows, fixed: fixed[at]!, broken: broken[at]!, ...models };
  });
}

function curves(names: readonly string[], baseline: ScoredRows, candidate: ScoredRows): ClassEvaluation['curves'] {
  if (names.length > MOST_CURVES) return [];
  const curve = ({ scores: given, probabilities, labels }: ScoredRows, at: number) =>
    names.length === 2 ? curveOf(given[0]!, probabilities[0]!, labels) : curveOf(given[at]!, given[at]!, labels, at);
  const told = names.length === 2 ? [1] : [...names.keys()];
  return told.flatMap((at) => {
    const [before, after] = [curve(baseline, at), curve(candidate, at)];
    return before && after ? [{ class: names[at]!, baseline: before, candidate: after }] : [];
  });
}

function calibration({ classes, labels, predictions, probabilities }: ScoredRows): Calibration {
  if (classes === 2) return calibrationOf(probabilities[0]!, labels);
  const confidence = Float64Array.from(predictions, (said, row) => probabilities[said]![row]!);
  return calibrationOf(
    confidence,
    labels.map((label, row) => Number(label === predictions[row])),
  );
}

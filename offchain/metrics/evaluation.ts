/** All that is said of two models on a fold for the model's owner: doubles, for people, never hashed and never paid by. */
import { labelsOf } from '../check-table.ts';
import type { GateTerms } from '../delta.ts';
import { isRanking } from '../delta-auroc.ts';
import { classNames, type NumberLabel } from '../label.ts';
import type { ModelLine } from '../line.ts';
import type { PartialModel } from '../pipeline.ts';
import { quantise } from '../quantise.ts';
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
  readonly custom: readonly CustomResult[];
}

/** What is evaluated, and how. */
export interface Evaluating {
  /** Metrics by the names of a configuration. */
  readonly metrics: readonly string[];
  readonly customMetrics: readonly CustomMetric[];
  /** From the baseline to the candidate, of more and more rows. */
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

/** Evaluates both models on the line's fold. */
export async function evaluation(line: ModelLine, models: Both<Model>, evaluating: Evaluating): Promise<Evaluation> {
  const labels = labelsOf(line.benchmark, line.schema);
  const features = quantise(line.benchmark, line.quantiser);
  const [before, after] = [predict(models.baseline, features), predict(models.candidate, features)];
  const { label } = line.schema;
  const { classes } = line.fold;
  const told = async <Of extends Rows>(baseline: Of, candidate: Of): Promise<Told> => {
    const said = (rows: Rows, predictions: Uint8Array | Uint16Array) =>
      'classes' in rows ? rows.predictions : predictions;
    const predictions = { baselinePredictions: said(baseline, before), candidatePredictions: said(candidate, after) };
    const { metrics, customMetrics, terms, learning } = evaluating;
    const compared = { classes, baseline, candidate, labels, ...predictions };
    return {
      ...(learning && { learningCurve: learningCurve(line, learning, (model) => rowsOf(model)) }),
      metrics: significanceOf(
        compared,
        tellable(namedMetrics(metrics, classes), baseline),
        terms,
        `bootstrap/${line.foldId}`,
      ),
      custom: await customResults(customMetrics, baseline, candidate),
    };
  };
  const rowsOf = (model: Model): Rows =>
    'low' in label ? numberRows(label, labels, predict(model, features)) : rows(model, predict(model, features));
  if ('low' in label) {
    const [baseline, candidate] = [numberRows(label, labels, before), numberRows(label, labels, after)];
    return {
      ...(await told(baseline, candidate)),
      residuals: residualBins(baseline, candidate),
      bands: { baseline: residualBands(baseline), candidate: residualBands(candidate) },
    };
  }
  const rows = (model: Model, predictions: ArrayLike<number>): ClassRows => {
    const known = { classes, labels: Uint8Array.from(labels) };
    if (isRanking(line.metric)) return { ...known, ...ranked(model as RankingModel, predictions, line) };
    const given = scores(model, features);
    const said = { ...known, predictions: Uint8Array.from(predictions) };
    if (!given) return said;
    return { ...said, scores: given, probabilities: probabilitiesOf(model, given, line.spec.modelType) };
  };
  const [baseline, candidate] = [rows(models.baseline, before), rows(models.candidate, after)];
  return { ...(await told(baseline, candidate)), ...classEvaluation(classNames(label), baseline, candidate) };
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

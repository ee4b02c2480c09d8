/** Metrics of classes said, as scikit-learn has them: each class that there may be counts, and 0/0 is 0 (zero_division). */
import { ratioValue } from './exact.ts';
import type { ClassRows, Measure } from './rows.ts';

const AVERAGED = ['precision', 'recall', 'f1'] as const;
type Averaged = (typeof AVERAGED)[number];

/** Rows by label and prediction: `labels * classes + predictions`, each row counted so many times. */
export function confusionTable({ classes, labels, predictions }: ClassRows, weights?: ArrayLike<number>): Float64Array {
  const table = new Float64Array(classes * classes);
  for (let row = 0; row < labels.length; row++) {
    table[labels[row]! * classes + predictions[row]!]! += weights ? weights[row]! : 1;
  }
  return table;
}

/** 0/0 is 0, as scikit-learn's `zero_division` has it. */
const over = (numerator: number, denominator: number): number => ratioValue({ numerator, denominator }) ?? 0;

const METRIC: Readonly<Record<Averaged, (right: number, said: number, rows: number) => number>> = {
  precision: (right, said) => over(right, said),
  recall: (right, _, rows) => over(right, rows),
  f1: (right, said, rows) => over(2 * right, said + rows),
};

/**
 * Accuracy, and precision, recall and F1: of two classes of the positive one, and in any case over all classes, `_macro`
 * as their mean, `_weighted` by how many rows each has, `_micro` of all rows together, which is the accuracy.
 */
export function classMeasure(rows: ClassRows): Measure {
  return (weights) => {
    const perClass = classCounts(confusionTable(rows, weights), rows.classes);
    const total = perClass.reduce((sum, { rows: own }) => sum + own, 0);
    const accuracy = perClass.reduce((sum, { right }) => sum + right, 0) / total;
    const values: Record<string, number> = { accuracy };
    for (const metric of AVERAGED) {
      const each = perClass.map(({ right, said, rows: own }) => METRIC[metric](right, said, own));
      if (rows.classes === 2) values[metric] = each[1]!;
      values[`${metric}_macro`] = each.reduce((sum, value) => sum + value, 0) / each.length;
      values[`${metric}_micro`] = accuracy;
      values[`${metric}_weighted`] = each.reduce((sum, value, at) => sum + value * perClass[at]!.rows, 0) / total;
    }
    return values;
  };
}

/** Of each class: rows of it, rows said to be of it, and both. */
function classCounts(table: Float64Array, classes: number) {
  return Array.from({ length: classes }, (_, at) => {
    let [said, rows] = [0, 0];
    for (let other = 0; other < classes; other++) {
      said += table[other * classes + at]!;
      rows += table[at * classes + other]!;
    }
    return { right: table[at * classes + at]!, said, rows };
  });
}

/** Precision, recall and F1 of each class against all others, by class. */
export function perClass(rows: ClassRows) {
  return classCounts(confusionTable(rows), rows.classes).map(({ right, said, rows: own }) => ({
    rows: own,
    precision: METRIC.precision(right, said, own),
    recall: METRIC.recall(right, said, own),
    f1: METRIC.f1(right, said, own),
  }));
}

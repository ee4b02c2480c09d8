import { HokusaiError } from '../errors.ts';
import { rowsByClass } from '../table/label.ts';
import { CLASS_WEIGHT_UNIT } from './trainer.ts';

/**
 * scikit-learn's `class_weight`: how much rows of each class count.
 *
 * @param weight - `balanced` for n / (classes * rows of the class), or a weight for each class by its name, 1 where there is none
 * @param names - of the classes
 * @returns given the labels, whole weights in units of 1 / CLASS_WEIGHT_UNIT, at least 1
 * @throws HokusaiError `configuration` CLASS_WEIGHT_UNKNOWN with the names that are of no class
 */
export function classWeightsOf(
  weight: 'balanced' | Readonly<Record<string, number>>,
  names: readonly string[],
): (labels: ArrayLike<number>) => number[] {
  const whole = (value: number) => Math.max(1, Math.floor(value * CLASS_WEIGHT_UNIT + 0.5));
  if (weight === 'balanced') {
    return (labels) =>
      rowsByClass(labels, names.length).map((rows) => whole(labels.length / (names.length * Math.max(rows, 1))));
  }
  const unknown = Object.keys(weight).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    const text = `class_weight names ${unknown.join(', ')}, but the label is one of ${names.join(', ')}`;
    throw new HokusaiError('configuration', 'CLASS_WEIGHT_UNKNOWN', text, {
      details: { unknown, names },
      next: 'Name classes by the values of the label, or say balanced.',
    });
  }
  const own = names.map((name) => whole(weight[name] ?? 1));
  return () => own;
}

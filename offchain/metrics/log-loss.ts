import type { ClassRows, Measure } from './rows.ts';
import { meanOf } from './sum.ts';

/** Mean of -log of the probability of the label, kept within 2^-52 of 0 and 1 as scikit-learn keeps it. */
export function logLossMeasure(rows: ClassRows & Required<Pick<ClassRows, 'probabilities'>>): Measure {
  const { classes, labels, probabilities } = rows;
  const inside = (p: number) => Math.min(Math.max(p, Number.EPSILON), 1 - Number.EPSILON);
  const ofLabel = (row: number): number => {
    if (classes > 2) return inside(probabilities[labels[row]!]![row]!);
    const positive = inside(probabilities[0]![row]!);
    return labels[row] === 1 ? positive : 1 - positive;
  };
  const losses = new Float64Array(labels.length);
  for (let row = 0; row < losses.length; row++) losses[row] = -Math.log(ofLabel(row));
  return (weights) => ({ log_loss: meanOf(losses.length, (row) => losses[row]!, weights) });
}

import { classMeasure } from './classes.ts';
import { errorMeasure } from './errors.ts';
import { logLossMeasure } from './log-loss.ts';
import { aurocMeasure } from './ranking.ts';
import { checkRows, type Measure, type Rows } from './rows.ts';

/**
 * All metrics of rows: of classes those of what was said, AUROC where there are scores, the logarithmic loss where there
 * are probabilities; of numbers those of the errors. What is not defined is NaN.
 *
 * @throws HokusaiError what {@link checkRows} throws
 */
export function measureOf(rows: Rows): Measure {
  checkRows(rows);
  if (!('classes' in rows)) return errorMeasure(rows);
  const { scores, probabilities } = rows;
  const parts = [classMeasure(rows)];
  if (scores) parts.push(aurocMeasure({ ...rows, scores }));
  if (probabilities) parts.push(logLossMeasure({ ...rows, probabilities }));
  return (weights) => Object.assign({}, ...parts.map((part) => part(weights)));
}

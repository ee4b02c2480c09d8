/** How far off a regression is: labels less predictions, in units of the labels. */
import { quantileOf } from './quantile.ts';
import type { NumberRows } from './rows.ts';

/** Rows whose residual is in from..to, of each model; the outermost hold what is beyond, too. */
export interface ResidualBin {
  readonly from: number;
  readonly to: number;
  readonly baseline: number;
  readonly candidate: number;
}

/** The residuals of rows with similar predictions. */
export interface ResidualBand {
  /** Mean of the predictions. */
  readonly prediction: number;
  /** Of the residuals. */
  readonly tenth: number;
  readonly median: number;
  readonly ninetieth: number;
}

const BINS = 30;
/** Residuals beyond these shares of both models' rows are in the outermost bins. */
const EDGES = [0.01, 0.99] as const;
const BANDS = 12;
/** A band of fewer rows has no tenth. */
const BAND_ROWS = 10;

const residualsOf = ({ labels, predictions }: NumberRows) => labels.map((label, row) => label - predictions[row]!);

/** How often each model is off by how much, in bins of one width. */
export function residualBins(baseline: NumberRows, candidate: NumberRows): ResidualBin[] {
  const models = [residualsOf(baseline), residualsOf(candidate)] as const;
  const sorted = new Float64Array(2 * models[0].length);
  sorted.set(models[0]);
  sorted.set(models[1], models[0].length);
  sorted.sort();
  const [low, high] = EDGES.map((share) => quantileOf(sorted, share)) as [number, number];
  const width = (high - low) / BINS;
  if (width === 0) return [{ from: low, to: high, baseline: models[0].length, candidate: models[1].length }];
  const counts = models.map((residuals) => {
    const bins = new Array<number>(BINS).fill(0);
    for (const residual of residuals) bins[Math.min(Math.max(Math.floor((residual - low) / width), 0), BINS - 1)]!++;
    return bins;
  });
  return Array.from({ length: BINS }, (_, bin) => ({
    ...{ from: low + bin * width, to: low + (bin + 1) * width },
    ...{ baseline: counts[0]![bin]!, candidate: counts[1]![bin]! },
  }));
}

/** Whether a model is off where it says much or little: bands of as many rows each, by ascending prediction. */
export function residualBands(rows: NumberRows): ResidualBand[] {
  const { predictions } = rows;
  const residuals = residualsOf(rows);
  const order = Array.from(predictions.keys()).sort((a, b) => predictions[a]! - predictions[b]! || a - b);
  const bands = Math.min(BANDS, Math.floor(order.length / BAND_ROWS));
  return Array.from({ length: bands }, (_, band) => {
    const own = order.slice(Math.floor((band * order.length) / bands), Math.floor(((band + 1) * order.length) / bands));
    const sorted = Float64Array.from(own, (row) => residuals[row]!).sort();
    return {
      prediction: own.reduce((sum, row) => sum + predictions[row]!, 0) / own.length,
      tenth: quantileOf(sorted, 0.1),
      median: quantileOf(sorted, 0.5),
      ninetieth: quantileOf(sorted, 0.9),
    };
  });
}

import { compareRounded, type DenseModel, quantiseDense, type Rounding } from './dense.ts';
import { minimise, type Optimum } from './newton.ts';
import { linearTrainer } from './reference.ts';
import { CLASS_WEIGHT_UNIT, type Trainer } from './trainer.ts';

export interface MulticlassReport {
  /** Of each class against the rest. */
  optima: Optimum[];
  rounding: Rounding;
}

/**
 * Trains a linear classifier of more than two classes: for each class the one that tells it from the rest, as
 * scikit-learn's LinearSVC does, all rounded on one scale; the same bits on every machine. The integer model is the model.
 *
 * @param hyperparameters.C - as `referenceTrainer`'s
 * @throws HokusaiError as `referenceTrainer`
 */
export function multiclassTrainer({ C = 1 }: { C?: number } = {}): Trainer<DenseModel, MulticlassReport> {
  return linearTrainer(C, async (input) => {
    const optima: Optimum[] = [];
    for (let c = 0; c < input.classes; c++) {
      const labels = Uint8Array.from(input.labels, (label) => Number(label === c));
      // Like LIBLINEAR, which gives the rest no weight.
      const weights = input.classWeights && ([CLASS_WEIGHT_UNIT, input.classWeights[c]!] as const);
      optima.push(await minimise({ ...input, labels }, C, weights));
    }
    const outputs = optima.map(({ weights, bias }) => ({ bias, weights: [...weights] }));
    const model = quantiseDense({ hidden: [], outputs }, input.quantiserHash);
    return { model, report: { optima, rounding: compareRounded(input, { hidden: [], outputs }, model) } };
  });
}

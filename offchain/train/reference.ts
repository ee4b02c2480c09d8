import { HokusaiError } from '../errors.ts';
import { addColumns } from './columns.ts';
import { type LinearModel, predict, quantiseLinear, refuseTooWide } from './linear.ts';
import { minimise, type Optimum } from './newton.ts';
import { refuseOneClass, type Trainer, type TrainInput } from './trainer.ts';

/** As scikit-learn's LinearSVC. */
const DEFAULT_C = 1;

export interface ReferenceReport {
  optimum: Optimum;
  /** On the training rows: how many each gets right, and on how many the two disagree. */
  rounding: { rows: number; correctBefore: number; correctAfter: number; changed: number };
}

/**
 * The trainer whose models are paid for by default: the linear classifier that minimises LinearSVC's objective, rounded
 * to integers; the same bits on every machine. The integer model is the model.
 *
 * @param hyperparameters.C - weight of the loss against |w|^2 / 2, in [1e-6, 1e6]; 1 by default
 * @throws HokusaiError `configuration` TRAIN_C_INVALID; from `train` `terminal` TRAIN_ONE_CLASS, TRAIN_TOO_WIDE and
 * those of {@link minimise}
 */
export function referenceTrainer(hyperparameters: { C?: number } = {}): Trainer<LinearModel, ReferenceReport> {
  const { C = DEFAULT_C } = hyperparameters;
  return linearTrainer(C, async (input) => {
    const optimum = await minimise(input, C, input.classWeights as [number, number] | undefined);
    const model = quantiseLinear(optimum, input.quantiserHash);
    return { model, report: { optimum, rounding: compareRounded(input, optimum, model) } };
  });
}

/**
 * A trainer of a linear classifier, given what is to be learned from once it is known to be fit for that.
 *
 * @throws HokusaiError `configuration` TRAIN_C_INVALID; from `train` `terminal` TRAIN_ONE_CLASS, TRAIN_TOO_WIDE
 */
export function linearTrainer<Model, Report>(
  C: number,
  train: Trainer<Model, Report>['train'],
): Trainer<Model, Report> {
  checkC(C);
  return {
    name: 'reference',
    train: async (input) => {
      refuseOneClass(input);
      refuseTooWide(input.features);
      return train(input);
    },
  };
}

function checkC(C: number): void {
  if (C >= 1e-6 && C <= 1e6) return;
  throw new HokusaiError('configuration', 'TRAIN_C_INVALID', `C is ${C}, expected 1e-6 to 1e6`, {
    details: { C },
    next: 'Correct C; 1 is a good start.',
  });
}

function compareRounded(input: TrainInput, optimum: Optimum, model: LinearModel): ReferenceReport['rounding'] {
  const { features, labels } = input;
  const after = predict(model, features);
  const rounding = { rows: features.rows, correctBefore: 0, correctAfter: 0, changed: 0 };
  const scores = addColumns(new Float64Array(features.rows), optimum.weights, features);
  for (let row = 0; row < labels.length; row++) {
    const before = scores[row]! / 255 + optimum.bias > 0 ? 1 : 0;
    rounding.correctBefore += Number(before === labels[row]);
    rounding.correctAfter += Number(after[row] === labels[row]);
    rounding.changed += Number(before !== after[row]);
  }
  return rounding;
}

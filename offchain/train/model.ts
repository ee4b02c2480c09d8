import type { Features } from '../table/quantise.ts';
import { denseScores } from './dense.ts';
import { type ExternalModel, predictionsOf, probabilitiesIn } from './external.ts';
import { forestScores } from './forest-model.ts';
import { linearScores } from './linear.ts';
import { predictReference, type ReferenceModel } from './reference-model.ts';

/** What can be trained, committed to and paid for: integers only, or what another program left. */
export type Model = ReferenceModel | ExternalModel;

/** Class of each row, or its value of 0 to 65535; an external model has predicted one fold, once. */
export const predict = (model: Model, features: Features): Uint8Array | Uint16Array =>
  model.family === 'external' ? predictionsOf(model) : predictReference(model, features);

/**
 * What a classifier decides by, exact integers: of two classes one vector, more being more positive, of more classes one
 * vector per class; `undefined` of a regression, whose values are all that it says. Of an external model
 * probabilities, where it said any.
 */
export function scores(model: Model, features: Features): Float64Array[] | undefined {
  switch (model.family) {
    case 'linear':
      return [linearScores(model, features)];
    case 'linear-regression':
      return undefined;
    case 'dense':
      return denseScores(model, features);
    case 'forest':
      return model.classes === 0 ? undefined : binaryScores(forestScores(model, features));
    case 'external':
      return probabilitiesIn(model);
  }
}

/** Of votes for two classes the share of the second is all there is to say. */
const binaryScores = (columns: Float64Array[]): Float64Array[] => (columns.length === 2 ? [columns[1]!] : columns);

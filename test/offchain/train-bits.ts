/** Prints the SHA-256 of the canonical JSON of a model of each kind, one line of JSON. With a number, with so many threads. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../offchain/canonical.ts';
import { HYPERPARAMETERS, type ModelType, type ReferenceSpec } from '../../offchain/train/spec.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { trainerOf } from '../../offchain/train/trainer-of.ts';
import { drawn, example } from './train-tables.ts';

const workers = Number(process.argv[2] ?? 1);
const [two] = await example('breast-cancer/breast_cancer.csv');
const [ten] = await example('digits/digits.csv');
const [numbers] = await example('diabetes/diabetes.csv');
/** Large enough for threads, and for a sample of the rows to stand for all. */
const large = drawn(40_000, 30, 2, 5);

const early = { n_iter_no_change: 3, subsample: 0.5, max_features: 'sqrt', class_weight: { 0: 3 } };
const CASES: readonly (readonly [name: string, input: TrainInput, modelType: ModelType, given: object])[] = [
  ['linear', two, 'LinearSVC', {}],
  ['linear, balanced', two, 'LinearSVC', { class_weight: 'balanced' }],
  ['linear, many rows', large, 'LinearSVC', { C: 0.1 }],
  ['linear, logistic', two, 'LogisticRegression', {}],
  ['linear, logistic, many rows', large, 'LogisticRegression', { C: 0.1, class_weight: 'balanced' }],
  ['linear regression', numbers, 'Ridge', {}],
  ['dense without a hidden layer', ten, 'LinearSVC', {}],
  ['dense without a hidden layer, softmax', ten, 'LogisticRegression', {}],
  ['dense', two, 'MLPClassifier', { hidden_layer_sizes: [8], max_iter: 5 }],
  [
    'dense, early',
    ten,
    'MLPClassifier',
    { hidden_layer_sizes: [8], max_iter: 12, early_stopping: true, n_iter_no_change: 1 },
  ],
  ['forest of votes', ten, 'RandomForestClassifier', { n_estimators: 5, class_weight: 'balanced' }],
  ['forest of shares', large, 'RandomForestClassifier', { n_estimators: 5, max_samples: 0.3, min_samples_split: 20 }],
  ['forest of means', numbers, 'RandomForestRegressor', { n_estimators: 5, max_features: 0.5, bootstrap: false }],
  ['boosting of classes', two, 'GradientBoostingClassifier', { n_estimators: 20 }],
  ['boosting of classes, many rows', large, 'GradientBoostingClassifier', { n_estimators: 10, max_depth: 6 }],
  ['boosting of classes, early', two, 'GradientBoostingClassifier', early],
  ['boosting of numbers', numbers, 'GradientBoostingRegressor', { n_estimators: 20, min_samples_leaf: 5 }],
];

const hashes: Record<string, string> = {};
for (const [name, input, modelType, given] of CASES) {
  const hyperparameters = HYPERPARAMETERS[modelType].parse(given);
  const spec = { framework: 'reference', modelType, hyperparameters } as ReferenceSpec;
  const { model } = await trainerOf(spec, input.classes).train({ ...input, workers });
  hashes[name] = createHash('sha256')
    .update(canonicalJson(model as never))
    .digest('hex');
}
console.log(JSON.stringify(hashes));

import { HokusaiError } from '../errors.ts';
import type { ForestModel } from './forest-model.ts';
import type { TreeOptions } from './tree.ts';

/** So many of something: a whole number from 1, or a share of all between 0 and 1; all where it is null. */
export type Share = number | null;

/** How a forest is learnt; what is left out is as scikit-learn has it, but for the depth. */
export interface ForestSpec {
  /**
   * As RandomForestClassifier and -Regressor, GradientBoostingClassifier and -Regressor, DecisionTreeClassifier and
   * -Regressor.
   */
  readonly kind: 'random-forest' | 'gradient-boosting' | 'decision-tree';
  /** 1 to 1,000; 100 by default, and 1 for a decision tree. */
  readonly trees?: number;
  /** 1 to 23; 10 by default, 3 for boosting. */
  readonly maxDepth?: number;
  /** At least 2. */
  readonly maxLeafNodes?: number;
  /** At least 1, the default. */
  readonly minSamplesLeaf?: number;
  /** At least 2, the default. */
  readonly minSamplesSplit?: number;
  /** Of the features; by default the square root for a random forest of classes, else all. */
  readonly maxFeatures?: Share | 'sqrt' | 'log2';
  /** Of a random forest: whether each tree learns from rows drawn with replacement; true by default. */
  readonly bootstrap?: boolean;
  /** Rows that are drawn then; as many as there are by default. */
  readonly maxSamples?: Share;
  /** Of boosting: above 0, at most 1; 0.1 by default. */
  readonly learningRate?: number;
  /** Of boosting: the share of the rows that each tree learns from, drawn without replacement; 1 by default. */
  readonly subsample?: number;
  /** Of boosting: ends when the loss of rows set aside has not fallen by `tol` in so many trees; never by default. */
  readonly nIterNoChange?: number | null;
  /** Share of the rows that are set aside, by their keys; 0.1 by default. */
  readonly validationFraction?: number;
  /** 1e-4 by default. */
  readonly tol?: number;
  /** Begins the generator of random numbers; 0 to 2^53 - 1, 0 by default. */
  readonly seed?: number;
}

const whole = (least: number, most: number) => (value: unknown) =>
  Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
const within = (low: number, high: number) => (value: unknown) => Number(value) > low && Number(value) < high;
const share = (value: unknown) => value === null || whole(1, 2 ** 32)(value) || within(0, 1)(value);
const RANGES: Readonly<Record<string, (value: unknown) => boolean>> = {
  trees: whole(1, 1_000),
  maxDepth: whole(1, 23),
  maxLeafNodes: whole(2, 2 ** 23),
  minSamplesLeaf: whole(1, 2 ** 32),
  minSamplesSplit: whole(2, 2 ** 32),
  maxFeatures: (value) => value === 'sqrt' || value === 'log2' || share(value),
  maxSamples: share,
  learningRate: (value) => within(0, 1)(value) || value === 1,
  subsample: (value) => within(0, 1)(value) || value === 1,
  nIterNoChange: (value) => value === null || whole(1, 1_000)(value),
  validationFraction: within(0, 1),
  tol: (value) => Number(value) >= 0 && Number(value) < Infinity,
  seed: whole(0, Number.MAX_SAFE_INTEGER),
};

/** @throws HokusaiError `configuration` TRAIN_FOREST_INVALID with the names of what is out of range */
export function checkSpec(spec: ForestSpec): void {
  const wrong = Object.entries(RANGES).filter(([name, holds]) => {
    const value = spec[name as keyof ForestSpec];
    return value !== undefined && !holds(value);
  });
  if (wrong.length === 0) return;
  const names = wrong.map(([name]) => name).join(', ');
  throw new HokusaiError('configuration', 'TRAIN_FOREST_INVALID', `out of range: ${names}`, {
    details: { ...spec },
    next: `Correct ${names}, or leave it out.`,
  });
}

/** What the two ways to learn a forest have in common: the trees, and what is added to their sum. */
export type Learnt = Pick<ForestModel, 'trees' | 'bias'>;

/** What of a spec concerns single trees. */
export function optionsOf(
  spec: ForestSpec,
  width: number,
  defaults: Pick<ForestSpec, 'maxDepth' | 'maxFeatures'>,
): TreeOptions {
  const { maxLeafNodes, minSamplesLeaf = 1, minSamplesSplit = 2, maxFeatures = defaults.maxFeatures ?? null } = spec;
  const limits = { minSamplesLeaf, minSamplesSplit, ...(maxLeafNodes !== undefined && { maxLeafNodes }) };
  return { maxDepth: spec.maxDepth ?? defaults.maxDepth!, maxFeatures: featuresOf(maxFeatures, width), ...limits };
}

function featuresOf(asked: Share | 'sqrt' | 'log2', width: number): number {
  if (asked === 'sqrt') return Math.max(1, Math.floor(Math.sqrt(width)));
  // The position of the highest bit is the logarithm, rounded down.
  if (asked === 'log2') return Math.max(1, 31 - Math.clz32(width));
  return countOf(asked, width);
}

/** What a share is of so many, rounded down and at least 1. */
export function countOf(share: Share, all: number): number {
  if (share === null) return all;
  return Math.max(1, Math.min(all, share < 1 ? Math.floor(share * all) : share));
}

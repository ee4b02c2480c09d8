import { setImmediate } from 'node:timers/promises';
import { HokusaiError } from '../errors.ts';
import type { ForestModel, Tree } from './forest-model.ts';
import type { TrainInput } from './trainer.ts';
import type { TreeOptions } from './tree.ts';

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
  /** At least 1; by default the square root for a random forest of classes, else all. */
  readonly maxFeatures?: number;
  /** Of boosting: above 0, at most 1; 0.1 by default. */
  readonly learningRate?: number;
  /** Begins the generator of random numbers; 0 to 2^53 - 1, 0 by default. */
  readonly seed?: number;
}

const whole = (least: number, most: number) => (value: number) =>
  Number.isSafeInteger(value) && value >= least && value <= most;
const RANGES = {
  trees: whole(1, 1_000),
  maxDepth: whole(1, 23),
  maxLeafNodes: whole(2, 2 ** 23),
  minSamplesLeaf: whole(1, 2 ** 32),
  maxFeatures: whole(1, 2 ** 16),
  learningRate: (value: number) => value > 0 && value <= 1,
  seed: whole(0, Number.MAX_SAFE_INTEGER),
};

/** @throws HokusaiError `configuration` TRAIN_FOREST_INVALID with the names of what is out of range */
export function checkSpec(spec: ForestSpec): void {
  const wrong = Object.entries(RANGES).filter(([name, holds]) => {
    const value = spec[name as keyof typeof RANGES];
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

/** What of a spec concerns single trees, but for the features that are drawn. */
export function optionsOf(spec: ForestSpec, maxDepth: number): Omit<TreeOptions, 'maxFeatures'> {
  const { maxLeafNodes, minSamplesLeaf = 1 } = spec;
  return { maxDepth: spec.maxDepth ?? maxDepth, minSamplesLeaf, ...(maxLeafNodes !== undefined && { maxLeafNodes }) };
}

/** Makes trees one after the other; the event loop runs between them. */
export async function eachTree(input: TrainInput, count: number, make: (i: number) => Tree): Promise<Tree[]> {
  const trees: Tree[] = [];
  for (let i = 0; i < count; i++) {
    await setImmediate();
    if (input.signal?.aborted) {
      throw new HokusaiError('retryable', 'TRAIN_ABORTED', `training was stopped after ${i} trees`, {
        details: { trees: i },
        next: 'Run it again: it starts anew and gives the same model.',
      });
    }
    trees.push(make(i));
    input.onProgress?.({ iteration: i + 1, relativeGradient: 1 - (i + 1) / count });
  }
  return trees;
}

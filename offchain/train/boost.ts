import { setImmediate } from 'node:timers/promises';
import { type BoostLoss, logisticLoss, squaredLoss } from './boost-loss.ts';
import { addLeaves, flatten, HALF, leafInteger, type Tree } from './forest-model.ts';
import { type ForestSpec, type Learnt, optionsOf } from './forest-spec.ts';
import { keptTrees, treesState } from './forest-trees.ts';
import { Packed } from './packed.ts';
import { type Random, randomOf, seedOf } from './random.ts';
import { refuseAborted, rowsAside, selectInput, type TrainInput } from './trainer.ts';
import { growTree, type TreeOptions } from './tree.ts';

/** The loss is told of so many rows, which are any, as they are in the order of their digests. */
const TOLD_ROWS = 16_384;

/**
 * Gradient boosting (Friedman: Greedy Function Approximation, Annals of Statistics 29, 2001; Stochastic Gradient Boosting,
 * 2002): each tree fits what the ones before left over. The sums are those of the integer model, so that the next tree
 * also makes good the rounding. They follow from the trees, which are all that a checkpoint holds.
 */
export async function boost(input: TrainInput, spec: ForestSpec): Promise<Learnt> {
  const { fitted, validation } = setAside(input, spec);
  const boosting = new Boosting(fitted, spec);
  const watched = new Watched(validation ?? selectInput(fitted, (row) => row < TOLD_ROWS), boosting.loss.start);
  const stops = validation && stopping(spec);
  const count = spec.trees ?? 100;
  const trees: Tree[] = [];
  const kept = (await keptTrees(input)) as Tree[];
  while (trees.length < count) {
    await setImmediate();
    await refuseAborted(input, trees.length, () => treesState(trees));
    const tree = boosting.next(trees.length, kept[trees.length]);
    trees.push(tree);
    const value = watched.add(tree);
    const name = validation ? 'validation_loss' : 'loss';
    input.onProgress?.({ iteration: trees.length, done: trees.length / count, name, value });
    if (stops?.(value)) break;
    if (input.checkpoint?.due()) await input.checkpoint.save(treesState(trees));
  }
  return { trees, bias: boosting.loss.start + (input.classes === 0 ? HALF : 0) };
}

/** Rows to fit, and where training is to end early rows to validate by: a row is always among the same. */
function setAside(input: TrainInput, spec: ForestSpec): { fitted: TrainInput; validation?: TrainInput } {
  if (spec.nIterNoChange === undefined || spec.nIterNoChange === null) return { fitted: input };
  const aside = rowsAside(input, spec.validationFraction ?? 0.1);
  return aside ?? { fitted: input };
}

/** Whether to end, as scikit-learn decides it: when a loss is not `tol` below any of the last ones that were. */
function stopping({ nIterNoChange, tol = 1e-4 }: ForestSpec): (loss: number) => boolean {
  const before = new Array<number>(nIterNoChange!).fill(Number.POSITIVE_INFINITY);
  let iteration = 0;
  return (loss) => {
    if (!before.some((value) => loss + tol < value)) return true;
    before[iteration++ % before.length] = loss;
    return false;
  };
}

const lossOf = ({ labels, classes, classWeights }: TrainInput): BoostLoss =>
  classes === 0 ? squaredLoss(labels) : logisticLoss(labels, classWeights);

/** Rows whose loss is told after each tree. */
class Watched {
  readonly #input: TrainInput;
  readonly #loss: BoostLoss;
  readonly #sums: Float64Array;

  constructor(input: TrainInput, start: number) {
    this.#input = input;
    this.#loss = lossOf(input);
    this.#sums = new Float64Array(input.features.rows).fill(start);
  }

  add(tree: Tree): number {
    addLeaves(this.#sums, tree, this.#input.features);
    return this.#loss.mean(this.#sums);
  }
}

/** The sums so far, and what the next tree makes of them. */
class Boosting {
  readonly loss: BoostLoss;
  readonly #input: TrainInput;
  readonly #options: TreeOptions;
  readonly #rate: number;
  readonly #subsample: number;
  readonly #seed: string;
  readonly #sums: Float64Array;
  readonly #residuals: Float64Array;
  readonly #channel: Uint8Array;
  readonly #weights: Float64Array | undefined;
  readonly #packed: Packed | undefined;

  constructor(input: TrainInput, spec: ForestSpec) {
    const { features, labels, classWeights } = input;
    this.#input = input;
    this.loss = lossOf(input);
    this.#options = optionsOf(spec, features.columns.length, { maxDepth: 3 });
    this.#rate = spec.learningRate ?? 0.1;
    this.#subsample = spec.subsample ?? 1;
    // What is not drawn does not depend on the round.
    const draws = this.#subsample < 1 || this.#options.maxFeatures < features.columns.length;
    this.#seed = draws ? seedOf(spec.seed ?? 0, input) : String(spec.seed ?? 0);
    this.#sums = new Float64Array(features.rows).fill(this.loss.start);
    this.#residuals = new Float64Array(features.rows);
    this.#channel = new Uint8Array(features.rows);
    this.#weights = classWeights && Float64Array.from(labels, (label) => classWeights[label]!);
    if (this.#subsample === 1 && !classWeights) this.#packed = Packed.of(features);
  }

  /** @param kept the tree, where it was made before */
  next(i: number, kept: Tree | undefined): Tree {
    const { features } = this.#input;
    if (kept) {
      addLeaves(this.#sums, kept, features);
      return kept;
    }
    const random = randomOf(`${this.#seed}/${i}`);
    this.loss.residuals(this.#sums, this.#residuals);
    const weights = this.#subsample < 1 ? this.#drawn(random) : this.#weights;
    const learning = {
      ...{ rows: features.rows, width: features.columns.length, values: features.values, channels: 1 },
      ...{ channel: this.#channel, amounts: this.#residuals, ...(weights && { weights }) },
      ...(this.#packed && { packed: this.#packed }),
    };
    const root = growTree(learning, this.#options, random);
    const [sums, whole] = [this.#sums, this.#subsample === 1];
    const tree = flatten(root, ({ rows }) => {
      const value = leafInteger(this.#rate * this.loss.step(rows, this.#residuals));
      // Of rows that were drawn, leaves hold no others.
      if (whole) for (let at = 0; at < rows.length; at++) sums[rows[at]!]! += value;
      return value;
    });
    if (!whole) addLeaves(sums, tree, features);
    return tree;
  }

  /** The weights of a share of the rows, of others 0: each as likely (Knuth's algorithm S). */
  #drawn(random: Random): Float64Array {
    const rows = this.#sums.length;
    const drawn = new Float64Array(rows);
    let left = Math.max(1, Math.floor(this.#subsample * rows));
    for (let row = 0; row < rows; row++) {
      if (random(rows - row) >= left) continue;
      drawn[row] = this.#weights?.[row] ?? 1;
      left--;
    }
    return drawn;
  }
}

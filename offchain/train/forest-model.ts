import { HokusaiError } from '../errors.ts';
import type { Features } from '../table/quantise.ts';
import type { Node } from './tree.ts';

/** Votes are for one of so many classes. */
export const MOST_VOTED_CLASSES = 16;
/** Leaves of sums are below this in magnitude. */
export const LEAF_LIMIT = 2 ** 23;
/** Numbers are predicted in units of 1/256. */
export const NUMBER_UNIT = 2 ** 8;
/** Added to the sum, so that its floor is the nearest number. */
export const HALF = NUMBER_UNIT / 2;

/**
 * A decision tree of bytes, its nodes level by level from the root, each level from left to right: the children of the
 * i-th node that splits (from 0) are nodes 2 i + 1 and 2 i + 2.
 */
export type Tree = {
  /** The feature that a node splits by; -1 in a leaf. */
  features: number[];
  /** Of a node that splits, the threshold, 1 to 255: rows go right where x >= threshold. Of a leaf, its class or number. */
  values: number[];
};

/**
 * Decision trees of bytes in integers. `votes`: each leaf is one of at most 16 classes, and the class of a row is the one
 * that most trees say, of several the least. `sum`: each leaf is an integer of magnitude below 2^23, and the class of a row
 * (2 classes) is 1 where bias + sum of leaves is above 0; its number (classes 0) is floor((bias + sum) / 2^8), clipped to
 * 0..65535.
 */
export type ForestModel = {
  version: 1;
  family: 'forest';
  output: 'votes' | 'sum';
  /** 2 to 16; 0 where numbers are predicted. */
  classes: number;
  /** How many features it reads. */
  width: number;
  trees: Tree[];
  /** Magnitude below 2^31; 0 for votes. */
  bias: number;
  /** Of a binary forest in the form of numbers (`ranking.ts`): its leaves are 2^scale times as large. */
  scale?: number;
  quantiserHash: `0x${string}`;
};

/** The integer form of a tree that was grown. */
export function flatten(root: Node, leafOf: (leaf: Node) => number): Tree {
  const tree: Tree = { features: [], values: [] };
  const queue = [root];
  // The loop also goes over what it appends.
  for (const node of queue) {
    tree.features.push(node.split?.feature ?? -1);
    tree.values.push(node.split?.threshold ?? leafOf(node));
    if (node.split) queue.push(node.split.left, node.split.right);
  }
  return tree;
}

/** Rounded, halves up, and clipped to what a leaf can hold. */
export const leafInteger = (value: number): number =>
  Math.min(Math.max(Math.floor(value + 0.5), 1 - LEAF_LIMIT), LEAF_LIMIT - 1);

/** The leaf that each row ends in: the index of the node. */
export function leavesOf(tree: Tree, { rows, values }: Pick<Features, 'rows' | 'values'>): Uint32Array {
  const left = new Uint32Array(tree.features.length);
  let splits = 0;
  for (const [node, feature] of tree.features.entries()) if (feature >= 0) left[node] = 2 * splits++ + 1;
  const [tested, threshold] = [Int32Array.from(tree.features), Int32Array.from(tree.values)];
  const leaves = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    let node = 0;
    for (let feature = tested[0]!; feature >= 0; feature = tested[node]!) {
      node = left[node]! + Number(values[feature * rows + row]! >= threshold[node]!);
    }
    leaves[row] = node;
  }
  return leaves;
}

/** Adds to each row's sum what its leaf holds. */
export function addLeaves(sums: Float64Array, tree: Tree, features: Pick<Features, 'rows' | 'values'>): void {
  const leaves = leavesOf(tree, features);
  for (let row = 0; row < leaves.length; row++) sums[row]! += tree.values[leaves[row]!]!;
}

/**
 * What the trees of a forest come to for each row, exact: the votes for each class, a vector per class, or the one vector
 * of bias + sum of leaves.
 *
 * @throws HokusaiError `terminal` MODEL_MISFIT when the model reads another number of features
 */
export function forestScores(model: ForestModel, features: Features): Float64Array[] {
  const { columns, rows } = features;
  if (model.width !== columns.length) {
    const text = `the model reads ${model.width} features and the table gives ${columns.length}`;
    throw new HokusaiError('terminal', 'MODEL_MISFIT', text, {
      details: { width: model.width, features: columns.length },
      next: 'Use the quantiser that the model was trained with.',
    });
  }
  const votes = model.output === 'votes';
  const scores = Array.from({ length: votes ? model.classes : 1 }, () => new Float64Array(rows).fill(model.bias));
  for (const tree of model.trees) {
    if (!votes) {
      addLeaves(scores[0]!, tree, features);
      continue;
    }
    const leaves = leavesOf(tree, features);
    for (let row = 0; row < rows; row++) scores[tree.values[leaves[row]!]!]![row]!++;
  }
  return scores;
}

/** What a forest says of each row: class indices, or numbers in 0..65535. Errors as {@link forestScores}. */
export function predictForest(model: ForestModel, features: Features): Uint8Array | Uint16Array {
  const scores = forestScores(model, features);
  if (model.output === 'votes') return mostVoted(scores, features.rows);
  const sums = scores[0]!;
  if (model.classes === 0)
    return Uint16Array.from(sums, (sum) => Math.min(Math.max(Math.floor(sum / NUMBER_UNIT), 0), 65_535));
  return Uint8Array.from(sums, (sum) => Number(sum > 0));
}

/** The class that most trees say, of several the least. */
function mostVoted(votes: readonly Float64Array[], rows: number): Uint8Array {
  const said = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let c = 1; c < votes.length; c++) if (votes[c]![row]! > votes[said[row]!]![row]!) said[row] = c;
  }
  return said;
}

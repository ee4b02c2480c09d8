import { loadPoseidon, tag } from '../commitment.ts';
import { HokusaiError } from '../errors.ts';
import { type ForestModel, LEAF_LIMIT, type Tree } from '../train/forest-model.ts';
import type { ChainShape } from './inference-chain.ts';

/** How a circuit cuts a forest: the parameters of the template `ForestInference` that have the same names. */
export interface ForestShape extends ChainShape {
  readonly trees: number;
  readonly depth: number;
  readonly groups: number;
}

/** A node of a forest, named by its tree, from 1, and its place in it: 1 is the root, 2 n and 2 n + 1 the children of n. */
export interface Node {
  readonly tree: number;
  readonly place: number;
  readonly leaf: boolean;
  /** 24 bits: threshold + 2^8 feature of an inner node; a leaf's number + 2^23, or 2^8 class of one that votes. */
  readonly value: number;
}

/** The class of a leaf that votes for none. */
export const NO_CLASS = 16;

/** The nodes of all trees, in the order in which a circuit reads them, padded with trees of one leaf that says nothing. */
export function forestNodes({ trees, output }: ForestModel, shape: Pick<ForestShape, 'trees' | 'depth'>): Node[] {
  const leafValue = (value: number) => (output === 'sum' ? value + LEAF_LIMIT : 2 ** 8 * value);
  const padding: Tree = { features: [-1], values: [output === 'sum' ? 0 : NO_CLASS] };
  const padded = [...trees, ...new Array<Tree>(Math.max(shape.trees - trees.length, 0)).fill(padding)];
  const nodes = padded.flatMap(({ features, values }, t) => {
    const places = [1];
    return features.map((feature, i): Node => {
      const [place, leaf] = [places[i]!, feature < 0];
      if (!leaf) places.push(2 * place, 2 * place + 1);
      return { tree: t + 1, place, leaf, value: leaf ? leafValue(values[i]!) : values[i]! + 2 ** 8 * feature };
    });
  });
  const depth = 31 - Math.clz32(nodes.reduce((most, { place }) => Math.max(most, place), 1));
  if (padded.length > shape.trees || depth > shape.depth) {
    const text = `${trees.length} trees of depth ${depth} do not fit a circuit of ${shape.trees} of depth ${shape.depth}`;
    throw new HokusaiError('configuration', 'INFERENCE_TOO_LARGE', text, {
      details: { trees: trees.length, depth, mostTrees: shape.trees, mostDepth: shape.depth },
      next: 'Train fewer trees, or less deep ones, or use assurance: scored.',
    });
  }
  return nodes;
}

/** The 60 bits that each node is committed to by, see `circuits/forest-table.circom`. */
export const recordsOf = (nodes: readonly Node[]): number[] =>
  nodes.map(({ tree, place, leaf, value }, i) => {
    const before = nodes[i - 1];
    const begins = tree !== before?.tree;
    const further = place - (begins ? 0 : before.place) - 1;
    return value + 2 ** 24 * Number(leaf) + 2 ** 25 * (place % 2) + 2 ** 26 * Number(begins) + 2 ** 27 * further;
  });

/** Groups of so many elements, of four records each, zeros behind the last. */
export function recordGroups(records: readonly number[], width: number): bigint[][] {
  const count = Math.ceil(records.length / (4 * width));
  const lane = (at: number) => BigInt(records[at] ?? 0);
  return Array.from({ length: count }, (_, group) =>
    Array.from({ length: width }, (_, e) => {
      const at = 4 * (group * width + e);
      return lane(at) | (lane(at + 1) << 60n) | (lane(at + 2) << 120n) | (lane(at + 3) << 180n);
    }),
  );
}

/** The state of a forest's commitment before its first group of records and after each; the last one is the commitment. */
export async function tableStates(
  records: readonly number[],
  { laneBits, width, trees, columns }: Pick<ForestShape, 'laneBits' | 'width' | 'trees' | 'columns'>,
  bias: number,
  salt: bigint,
): Promise<bigint[]> {
  const poseidon = await loadPoseidon();
  const states = [
    poseidon([tag('forest'), BigInt(laneBits + 2 ** 8 * trees + 2 ** 16 * columns), BigInt(bias + 2 ** 31), salt]),
  ];
  for (const group of recordGroups(records, width)) states.push(poseidon([states.at(-1)!, ...group]));
  return states;
}

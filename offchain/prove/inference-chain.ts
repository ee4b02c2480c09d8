import {
  absorb,
  columnElement,
  elementRows,
  featureBlockRows,
  featureGroups,
  featuresStates,
  type LaneBits,
  loadPoseidon,
  packBlock,
  tag,
  vectorStates,
} from '../commitment.ts';
import type { Features } from '../table/quantise.ts';

/** The public signals of an inference circuit, by name and in the circuit's order. */
export interface InferenceSignals {
  readonly modelCommitment: bigint;
  /** Like predictionsRoot 0 in all chunks but the last. */
  readonly featuresRoot: bigint;
  readonly predictionsRoot: bigint;
  /** 0 in the first chunk. */
  readonly stateIn: bigint;
  /** 0 in the last chunk. */
  readonly stateOut: bigint;
}

/** One link of the chain of proofs over a fold's rows: what a circuit is given, by name, and what it says. */
export interface InferenceChunk {
  readonly signals: InferenceSignals;
  readonly input: Record<string, string | string[] | string[][]>;
}

/** How a circuit cuts a fold: the parameters of the template `InferenceChain` that have the same names. */
export interface ChainShape {
  readonly rows: number;
  readonly blockRows: number;
  readonly width: number;
  readonly columns: number;
  readonly featureBits: number;
  readonly laneBits: LaneBits;
}

/** Rows of a fold, what a model predicts on them, and the salts of both commitments. */
export interface Predicted {
  /** Of the fold's rows, in its order. */
  readonly features: Features;
  /** One value a row, below 2^laneBits. */
  readonly predictions: ArrayLike<number>;
  readonly featuresSalt: bigint;
  readonly predictionsSalt: bigint;
  /** Hides what passes from chunk i - 1 to chunk i; another one for each i, known to the model's owner and validators only. */
  readonly stateSalt: (i: number) => bigint;
}

/** Where both commitments stand between two chunks. */
interface Boundary {
  /** Rows of the chunks before. */
  readonly rows: number;
  readonly features: bigint;
  readonly predictions: bigint;
  /** Which part of its block of predictions the next chunk begins with, and the block so far. */
  readonly part: number;
  readonly pending: readonly bigint[];
  readonly extra: readonly bigint[];
  readonly salt: bigint;
}

/** What a family adds to a chain. */
export interface Extra {
  /** Its elements of the state, before the first chunk, between each two, and after the last. */
  readonly states: readonly (readonly bigint[])[];
}

/** Rows by which the places differ that a chunk may begin at in its block of predictions. */
function partRows({ rows, blockRows }: ChainShape): number {
  let [divisor, rest] = [rows, blockRows];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  return divisor;
}

/** How many chunks hold so many rows. */
export const chunksOf = (rows: number, shape: Pick<ChainShape, 'rows'>): number => Math.ceil(rows / shape.rows);

/**
 * The part of each chunk that does not depend on the family of the model: the twin of `circuits/inference-chain.circom`.
 *
 * @param extra of families whose chunks pass more on; there are as many chunks as it has states, less one
 * @returns the chunks in their order, without modelCommitment and the family's inputs
 */
export async function inferenceChain(
  predicted: Predicted,
  shape: ChainShape,
  extra?: Extra,
): Promise<(Omit<InferenceChunk, 'signals'> & { readonly signals: Omit<InferenceSignals, 'modelCommitment'> })[]> {
  const boundaries = await boundariesOf(predicted, shape, extra);
  const states = await Promise.all(boundaries.map((boundary) => stateOf(boundary, predicted.features, shape)));
  const last = boundaries.length - 2;
  return boundaries.slice(1).map((after, i) => ({
    signals: {
      featuresRoot: i === last ? after.features : 0n,
      predictionsRoot: i === last ? after.predictions : 0n,
      stateIn: i === 0 ? 0n : states[i]!,
      stateOut: i === last ? 0n : states[i + 1]!,
    },
    input: inputOf(predicted, shape, boundaries[i]!, after, { first: i === 0, last: i === last }),
  }));
}

async function boundariesOf(predicted: Predicted, shape: ChainShape, extra?: Extra): Promise<Boundary[]> {
  const { features, predictions, featuresSalt, predictionsSalt, stateSalt } = predicted;
  const { blockRows, width, featureBits, laneBits } = shape;
  const featureStates = await featuresStates(features, featuresSalt, featureBits, shape);
  const vector = { name: 'predictions', laneBits, values: predictions, salt: predictionsSalt } as const;
  const predictionStates = await vectorStates(vector, shape);
  const n = features.rows;
  const count = extra ? extra.states.length - 1 : chunksOf(n, shape);
  return Array.from({ length: count + 1 }, (_, i) => {
    const rows = Math.min(i * shape.rows, n);
    const block = rows === n ? predictionStates.length - 1 : Math.floor(rows / blockRows);
    const start = rows === n ? n : block * blockRows;
    return {
      rows,
      features: featureStates[Math.ceil(rows / featureBlockRows(featureBits, width))]!,
      predictions: predictionStates[block]!,
      part: rows === n ? 0 : (rows % blockRows) / partRows(shape),
      pending: blockRows === partRows(shape) ? [] : packBlock(predictions, laneBits, start, rows, blockRows),
      extra: extra?.states[i] ?? [],
      salt: stateSalt(i),
    };
  });
}

async function stateOf(at: Boundary, features: Features, { featureBits, width }: ChainShape): Promise<bigint> {
  const poseidon = await loadPoseidon();
  const groups = featureGroups(features.columns.length, featureBits, width);
  const numbers = [at.rows, features.rows, groups, at.part].map(BigInt);
  const begun = poseidon([tag('chunk'), at.features, at.predictions, ...numbers, at.salt]);
  return absorb(poseidon, begun, [...at.pending, ...at.extra], width);
}

/** The inputs of the chunk between two boundaries. */
function inputOf(
  { features, featuresSalt, predictionsSalt }: Predicted,
  shape: ChainShape,
  before: Boundary,
  after: Boundary,
  { first, last }: { first: boolean; last: boolean },
): InferenceChunk['input'] {
  const { rows, blockRows, width, columns, featureBits } = shape;
  const n = features.rows;
  const groups = (of: number) => featureGroups(of, featureBits, width);
  const ones = (length: number, is: (i: number) => boolean) => Array.from({ length }, (_, i) => String(Number(is(i))));
  return {
    first: String(Number(first)),
    last: String(Number(last)),
    done: String(Number(after.rows === n)),
    n: String(n),
    rowsBefore: String(before.rows),
    part: ones(blockRows / partRows(shape), (i) => i === before.part),
    active: ones(rows, (i) => before.rows + i < n),
    groupActive: ones(groups(columns), (i) => i < groups(features.columns.length)),
    features: Array.from({ length: rows / elementRows(featureBits) }, (_, block) =>
      Array.from({ length: columns }, (_, column) => {
        const row = before.rows + block * elementRows(featureBits);
        return String(columnElement(features, row, column, featureBits));
      }),
    ),
    featuresSalt: String(featuresSalt),
    predictionsSalt: String(predictionsSalt),
    featuresBefore: first ? '0' : String(before.features),
    predictionsBefore: first ? '0' : String(before.predictions),
    pendingBefore: before.pending.map(String),
    stateInSalt: first ? '0' : String(before.salt),
    stateOutSalt: last ? '0' : String(after.salt),
  };
}

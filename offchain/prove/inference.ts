import type { Hex } from 'viem';
import { BLOCK_ROWS, groupsOfBlock, loadPoseidon, parametersOf, tag, vectorStates } from '../commitment.ts';
import { HokusaiError } from '../errors.ts';
import type { Executor } from '../executor.ts';
import type { Features } from '../quantise.ts';
import { type LinearModel, predict } from '../train/linear.ts';
import { CIRCUITS, circuitRecords, circuitsOf, developmentKeyFile, type InferenceCircuit } from './circuits.ts';
import type { VerificationKey } from './keys.ts';
import { openProver, type ProvingOptions, sideBySide } from './pool.ts';
import type { Groth16Proof, Proven } from './prove.ts';

/** A model and the rows of a fold that it predicts, with the salts of their commitments. */
export interface Inference {
  readonly model: LinearModel;
  /** Of the fold's rows, in its order. */
  readonly features: Features;
  readonly modelSalt: bigint;
  readonly featuresSalt: bigint;
  readonly predictionsSalt: bigint;
  /** Hides what passes from chunk i to the next; another one for each i, known to the model's owner and validators only. */
  readonly stateSalt: (i: number) => bigint;
}

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

/** The arguments of the template: blocks of a chunk, rows of a block, most features, elements of a group. */
type Size = readonly [blocks: number, blockRows: number, widest: number, width: number];

/** One link of the chain of proofs over a fold's rows. */
export interface InferenceChunk {
  readonly signals: InferenceSignals;
  readonly input: Record<string, string | string[] | string[][]>;
}

/**
 * The smallest inference circuit that holds a model of so many features.
 *
 * @throws HokusaiError `INFERENCE_TOO_WIDE` (configuration) when none does.
 */
export function inferenceCircuit(features: number): InferenceCircuit {
  const classes = circuitsOf('LinearInference');
  const fitting = classes.find((name) => CIRCUITS[name].args[2] >= features);
  if (fitting) return fitting;
  const largest = CIRCUITS[classes.at(-1)!].args[2];
  throw new HokusaiError(
    'configuration',
    'INFERENCE_TOO_WIDE',
    `No inference circuit holds a model of ${features} features.`,
    {
      details: { features, largest },
      next: `Use at most ${largest} features (a category is one for each of its values), or assurance: scored.`,
    },
  );
}

/** Where the commitments of features and predictions stand between two chunks. */
interface Boundary {
  readonly rows: number;
  readonly features: bigint;
  readonly predictions: bigint;
  readonly salt: bigint;
}

/**
 * The chunks that prove what a model predicts on a fold, in their order: the twin of `circuits/linear-inference.circom`.
 *
 * @param size of another circuit than the one that fits, in a test
 */
export async function inferenceChunks(
  inference: Inference,
  size: Size = CIRCUITS[inferenceCircuit(inference.features.columns.length)].args,
): Promise<InferenceChunk[]> {
  const poseidon = await loadPoseidon();
  const [blocks, blockRows, , width] = size;
  const shape = { blockRows, width };
  const { model, features, modelSalt, featuresSalt, predictionsSalt, stateSalt } = inference;
  const { rows, columns } = features;
  const columnValues = columnsOf(features);
  const committed = { name: 'features', laneBits: 8, columns: columnValues, salt: featuresSalt } as const;
  const featuresStates = await vectorStates(committed, shape);
  const predicted = [predict(model, features)];
  const predictions = { name: 'predictions', laneBits: 1, columns: predicted, salt: predictionsSalt } as const;
  const predictionsStates = await vectorStates(predictions, shape);
  const parameters = { name: 'linear', laneBits: 32, columns: [parametersOf(model)], salt: modelSalt } as const;
  const modelCommitment = (await vectorStates(parameters, { blockRows: BLOCK_ROWS, width })).at(-1)!;

  const groups = groupsOfBlock(columns.length, 8, shape);
  const boundaries = Array.from({ length: Math.ceil(rows / (blocks * blockRows)) + 1 }, (_, i): Boundary => {
    const block = Math.min(i * blocks, featuresStates.length - 1);
    const [before, at] = [Math.min(i * blocks * blockRows, rows), stateSalt(i)];
    return { rows: before, features: featuresStates[block]!, predictions: predictionsStates[block]!, salt: at };
  });
  const last = boundaries.length - 2;
  const state = (i: number) => {
    if (i === 0 || i > last) return 0n;
    const { features: f, predictions: p, rows: before, salt } = boundaries[i]!;
    return poseidon([tag('chunk'), f, p, BigInt(before), BigInt(rows), BigInt(groups), salt]);
  };
  return boundaries.slice(1).map((after, i) => ({
    signals: {
      modelCommitment,
      featuresRoot: i === last ? after.features : 0n,
      predictionsRoot: i === last ? after.predictions : 0n,
      stateIn: state(i),
      stateOut: state(i + 1),
    },
    input: inputOf(inference, size, columnValues, boundaries[i]!, i === last ? undefined : after),
  }));
}

const columnsOf = ({ rows, columns, values }: Features): Uint8Array[] =>
  columns.map((_, j) => values.subarray(j * rows, (j + 1) * rows));

/** The inputs of the chunk between two boundaries; behind the last chunk there is none. */
function inputOf(
  { model, features: { rows }, modelSalt, featuresSalt, predictionsSalt }: Inference,
  [blocks, blockRows, widest, width]: Size,
  columns: readonly Uint8Array[],
  before: Boundary,
  after: Boundary | undefined,
): InferenceChunk['input'] {
  const first = before.rows === 0;
  const parameters = parametersOf(model);
  const [groups, mostGroups] = [columns.length, widest].map((count) => groupsOfBlock(count, 8, { blockRows, width }));
  const chunkRows = Array.from({ length: blocks * blockRows }, (_, i) => before.rows + i);
  const cell = (row: number, column: number) => String((row < rows && columns[column]?.[row]) || 0);
  return {
    first: String(Number(first)),
    last: String(Number(after === undefined)),
    n: String(rows),
    rowsBefore: String(before.rows),
    active: chunkRows.map((row) => String(Number(row < rows))),
    groupActive: Array.from({ length: mostGroups! }, (_, i) => String(Number(i < groups!))),
    features: chunkRows.map((row) => Array.from({ length: widest }, (_, column) => cell(row, column))),
    parameters: Array.from({ length: widest + 1 }, (_, j) => String(parameters[j] ?? 0)),
    parameterCount: String(parameters.length),
    modelSalt: String(modelSalt),
    featuresSalt: String(featuresSalt),
    predictionsSalt: String(predictionsSalt),
    featuresBefore: first ? '0' : String(before.features),
    predictionsBefore: first ? '0' : String(before.predictions),
    stateInSalt: first ? '0' : String(before.salt),
    stateOutSalt: String(after?.salt ?? 0),
  };
}

/** A chunk with its proof, in snarkjs's forms. */
export type ProvenChunk = { readonly proof: Groth16Proof; readonly publicSignals: readonly string[] };

/** What a model predicts on a fold, proven. */
export interface ProvenInference {
  readonly circuit: InferenceCircuit;
  readonly circuitId: Hex;
  readonly chunks: readonly ProvenChunk[];
  readonly verificationKey: VerificationKey;
  readonly prover: Proven['prover'];
}

/**
 * Proves what a model predicts with the development key of the circuit that fits. Each chunk is a step, so a run that is
 * stopped goes on after the last one, and a head that was proven is not proven again. Chunks are proven side by side.
 */
export async function proveInference(
  inference: Inference,
  executor: Executor,
  options: ProvingOptions = {},
): Promise<ProvenInference> {
  const circuit = inferenceCircuit(inference.features.columns.length);
  const circuitId = circuitRecords()[circuit].developmentCircuitId;
  const chunks = await inferenceChunks(inference);
  const prover = openProver(circuit, () => developmentKeyFile(circuit), options);
  try {
    const proven = await sideBySide(chunks, prover.jobs, ({ input, signals }, i) =>
      executor.step(
        'infer',
        { circuitId, statement: Object.values(signals).map(String) },
        async ({ signal, progress }) => {
          progress(i / chunks.length, `chunk ${i + 1} of ${chunks.length}`);
          const { proof, publicSignals, verificationKey, prover: used } = await prover.prove(input, signal);
          return { chunk: { proof, publicSignals }, verificationKey, prover: used };
        },
        { retries: 1, timeout: 1_800 },
      ),
    );
    // A fold has a row, and so a chunk.
    const { verificationKey, prover: used } = proven[0]!;
    return { circuit, circuitId, chunks: proven.map(({ chunk }) => chunk), verificationKey, prover: used };
  } finally {
    prover.close();
  }
}

import { readFile } from 'node:fs/promises';
import type { Hex } from 'viem';
import { groupsOfBlock, loadPoseidon, parametersOf, tag, vectorStates } from '../commitment.ts';
import { HokusaiError } from '../errors.ts';
import type { Executor } from '../executor.ts';
import type { Features } from '../quantise.ts';
import { type LinearModel, predict } from '../train/linear.ts';
import { CIRCUITS, circuitRecords, circuitsOf, developmentKeyFile, type InferenceCircuit } from './circuits.ts';
import { type VerificationKey, verificationKey } from './keys.ts';
import { type Groth16Proof, type Proven, prove } from './prove.ts';

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
  const classes = circuitsOf<InferenceCircuit>('LinearInference');
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

/**
 * The chunks that prove what a model predicts on a fold, in their order: the twin of `circuits/linear-inference.circom`.
 *
 * @param size of another circuit than the one that fits, in a test
 */
export async function inferenceChunks(
  { model, features, ...salts }: Inference,
  [blocks, blockRows, widest, width]: Size = CIRCUITS[inferenceCircuit(features.columns.length)].args,
): Promise<InferenceChunk[]> {
  const poseidon = await loadPoseidon();
  const shape = { blockRows, width };
  const { rows, columns, values } = features;
  const predictions = predict(model, features);
  const columnValues = columns.map((_, j) => values.subarray(j * rows, (j + 1) * rows));
  const parameters = parametersOf(model);
  const features8 = { name: 'features', laneBits: 8, columns: columnValues, salt: salts.featuresSalt } as const;
  const featuresStates = await vectorStates(features8, shape);
  const predicted = { name: 'predictions', laneBits: 1, columns: [predictions], salt: salts.predictionsSalt } as const;
  const predictionsStates = await vectorStates(predicted, shape);
  const commitment = { name: 'linear', laneBits: 32, columns: [parameters], salt: salts.modelSalt } as const;
  const modelCommitment = (await vectorStates(commitment, { blockRows: 248, width })).at(-1)!;

  const [groups, mostGroups] = [columns.length, widest].map((count) => groupsOfBlock(count, 8, shape)) as [
    number,
    number,
  ];
  const capacity = blocks * blockRows;
  const count = Math.ceil(rows / capacity);
  const at = (states: readonly bigint[], chunk: number) => states[Math.min(chunk * blocks, states.length - 1)]!;
  const stateBefore = (chunk: number) => ({
    features: at(featuresStates, chunk),
    predictions: at(predictionsStates, chunk),
    rows: BigInt(Math.min(chunk * capacity, rows)),
    salt: salts.stateSalt(chunk),
  });
  const boundary = (chunk: number) => {
    if (chunk === 0 || chunk === count) return 0n;
    const { features: f, predictions: p, rows: before, salt } = stateBefore(chunk);
    return poseidon([tag('chunk'), f, p, before, BigInt(rows), BigInt(groups), salt]);
  };

  return Array.from({ length: count }, (_, chunk) => {
    const before = stateBefore(chunk);
    const [first, last] = [chunk === 0, chunk === count - 1];
    const cells = (row: number) =>
      Array.from({ length: widest }, (_, j) => String((row < rows && columnValues[j]?.[row]) || 0));
    return {
      signals: {
        modelCommitment,
        featuresRoot: last ? featuresStates.at(-1)! : 0n,
        predictionsRoot: last ? predictionsStates.at(-1)! : 0n,
        stateIn: boundary(chunk),
        stateOut: boundary(chunk + 1),
      },
      input: {
        first: String(Number(first)),
        last: String(Number(last)),
        n: String(rows),
        rowsBefore: String(before.rows),
        active: Array.from({ length: capacity }, (_, i) => (chunk * capacity + i < rows ? '1' : '0')),
        groupActive: Array.from({ length: mostGroups }, (_, i) => (i < groups ? '1' : '0')),
        features: Array.from({ length: capacity }, (_, i) => cells(chunk * capacity + i)),
        parameters: Array.from({ length: widest + 1 }, (_, j) => String(parameters[j] ?? 0)),
        parameterCount: String(parameters.length),
        modelSalt: String(salts.modelSalt),
        featuresSalt: String(salts.featuresSalt),
        predictionsSalt: String(salts.predictionsSalt),
        featuresBefore: first ? '0' : String(before.features),
        predictionsBefore: first ? '0' : String(before.predictions),
        stateInSalt: first ? '0' : String(before.salt),
        stateOutSalt: last ? '0' : String(stateBefore(chunk + 1).salt),
      },
    };
  });
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
 * stopped goes on after the last one, and a head that was proven is not proven again.
 */
export async function proveInference(
  inference: Inference,
  executor: Executor,
  prover?: Proven['prover'],
): Promise<ProvenInference> {
  const circuit = inferenceCircuit(inference.features.columns.length);
  const circuitId = circuitRecords()[circuit].developmentCircuitId;
  const chunks = await inferenceChunks(inference);
  const keyFile = await developmentKeyFile(circuit);
  const proven: (ProvenChunk & { prover: Proven['prover'] })[] = [];
  for (const [i, { input, signals }] of chunks.entries()) {
    const statement = Object.values(signals).map(String);
    const chunk = await executor.step(
      'infer',
      { circuitId, statement },
      async ({ signal, progress }) => {
        progress(i / chunks.length, `chunk ${i + 1} of ${chunks.length}`);
        const {
          proof,
          publicSignals,
          prover: used,
        } = await prove(circuit, input, keyFile, {
          signal,
          ...(prover && { prover }),
        });
        return { proof, publicSignals, prover: used };
      },
      { retries: 1, timeout: 1_800 },
    );
    proven.push(chunk);
  }
  const key = verificationKey(await readFile(keyFile));
  const parts = proven.map(({ proof, publicSignals }) => ({ proof, publicSignals }));
  return { circuit, circuitId, chunks: parts, verificationKey: key, prover: proven[0]!.prover };
}

import { readFile } from 'node:fs/promises';
import type { Hex } from 'viem';
import { HokusaiError } from '../errors.ts';
import type { Executor } from '../executor.ts';
import type { LinearModel as Model } from '../train/linear.ts';
import { CIRCUITS, circuitRecords, developmentKeyFile, INFERENCE_CIRCUITS, type InferenceCircuit } from './circuits.ts';
import type { ChainShape, InferenceChunk, Predicted } from './inference-chain.ts';
import { type VerificationKey, verificationKey } from './keys.ts';
import { linearChunks } from './linear-inference.ts';
import { type Groth16Proof, type Proven, prove } from './prove.ts';

/** A model and the rows of a fold that it predicts, with the salts of their commitments. */
export interface Inference extends Predicted {
  readonly model: Model;
  readonly modelSalt: bigint;
}

/** What decides which circuit a model is proven with: known before anything is trained. */
export interface ModelShape {
  readonly family: Model['family'];
  /** Features of a row. */
  readonly inputs: number;
}

/**
 * The smallest inference circuit that holds a model of a shape.
 *
 * @throws HokusaiError `INFERENCE_TOO_WIDE` (configuration) when none does.
 */
export function inferenceCircuit({ family, inputs }: ModelShape): InferenceCircuit {
  const classes = INFERENCE_CIRCUITS.filter((name) => CIRCUITS[name].family === family);
  const fitting = classes.find((name) => chainShape(name).columns >= inputs);
  if (fitting) return fitting;
  const largest = Math.max(0, ...classes.map((name) => chainShape(name).columns));
  throw new HokusaiError(
    'configuration',
    'INFERENCE_TOO_WIDE',
    `No circuit proves a ${family} model of ${inputs} features.`,
    {
      details: { family, inputs, largest },
      next: `Use at most ${largest} features (a category is one for each of its values), or assurance: scored.`,
    },
  );
}

/** How a circuit cuts a fold. */
export function chainShape(name: InferenceCircuit): ChainShape {
  const [rows, blockRows, width, columns, laneBits] = CIRCUITS[name].args;
  return { rows, blockRows, width, columns, laneBits };
}

/** The chunks that prove what a model predicts on a fold, in their order. */
export function inferenceChunks({ model, modelSalt, ...predicted }: Inference): Promise<InferenceChunk[]> {
  const circuit = inferenceCircuit(shapeOf(model));
  return linearChunks(model, modelSalt, predicted, chainShape(circuit));
}

/** The shape of a model that there is. */
export const shapeOf = ({ family, weights }: Model): ModelShape => ({ family, inputs: weights.length });

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
  const circuit = inferenceCircuit(shapeOf(inference.model));
  const circuitId = circuitRecords()[circuit].developmentCircuitId;
  const chunks = await inferenceChunks(inference);
  // Derived and read when there is something to prove: what was proven before takes no key.
  let keyFile: string | undefined;
  const proven = [];
  for (const [i, { input, signals }] of chunks.entries()) {
    const statement = Object.values(signals).map(String);
    const chunk = await executor.step(
      'infer',
      { circuitId, statement },
      async ({ signal, progress }) => {
        progress(i / chunks.length, `chunk ${i + 1} of ${chunks.length}`);
        keyFile ??= await developmentKeyFile(circuit);
        const made = await prove(circuit, input, keyFile, { signal, ...(prover && { prover }) });
        const { proof, publicSignals } = made;
        return {
          chunk: { proof, publicSignals },
          verificationKey: verificationKey(await readFile(keyFile)),
          prover: made.prover,
        };
      },
      { retries: 1, timeout: 1_800 },
    );
    proven.push(chunk);
  }
  // A fold has a row, and so a chunk.
  const { verificationKey: key, prover: used } = proven[0]!;
  return { circuit, circuitId, chunks: proven.map(({ chunk }) => chunk), verificationKey: key, prover: used };
}

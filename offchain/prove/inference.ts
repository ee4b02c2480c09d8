import type { Hex } from 'viem';
import { HokusaiError } from '../errors.ts';
import type { Executor } from '../executor.ts';
import type { Model } from '../train/model.ts';
import { CIRCUITS, INFERENCE_CIRCUITS, type InferenceCircuit } from './circuits.ts';
import type { ChainShape, InferenceChunk, Predicted } from './inference-chain.ts';
import type { VerificationKey } from './keys.ts';
import { linearChunks } from './linear-inference.ts';
import { openProver, type ProvingOptions, sideBySide } from './pool.ts';
import type { Groth16Proof, Proven } from './prove.ts';
import { provingCircuitId, provingKeyFile } from './proving-key.ts';

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
 * Proves what a model predicts with the circuit that fits. Each chunk is a step, so a run that is stopped goes on after
 * the last one, and a head that was proven is not proven again. Chunks are proven side by side.
 *
 * @param policyCircuitId of the key to prove with, where a policy names one
 */
export async function proveInference(
  inference: Inference,
  executor: Executor,
  options: ProvingOptions = {},
  policyCircuitId?: Hex,
): Promise<ProvenInference> {
  const circuit = inferenceCircuit(shapeOf(inference.model));
  const circuitId = policyCircuitId ?? provingCircuitId(circuit);
  const chunks = await inferenceChunks(inference);
  const prover = openProver(circuit, () => provingKeyFile(circuit, circuitId), options);
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

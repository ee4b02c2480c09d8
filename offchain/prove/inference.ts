import type { Hex } from 'viem';
import { type LaneBits, parametersOf, parametersRoot } from '../commitment.ts';
import { HokusaiError } from '../errors.ts';
import type { Executor } from '../run/executor.ts';
import { externalCommitment } from '../train/external.ts';
import type { Model } from '../train/model.ts';
import { CIRCUITS, INFERENCE_CIRCUITS, type InferenceCircuit } from './circuits.ts';
import { type DenseShape, denseChunks } from './dense-inference.ts';
import { forestChunks, forestCommitment } from './forest-inference.ts';
import type { ForestShape } from './forest-table.ts';
import type { ChainShape, InferenceChunk, Predicted } from './inference-chain.ts';
import type { VerificationKey } from './keys.ts';
import { linearChunks } from './linear-inference.ts';
import { openProvers } from './machines.ts';
import { type ProvingOptions, sideBySide } from './pool.ts';
import type { Groth16Proof, Proven } from './prove.ts';
import { provingCircuitId, provingKeyFile } from './proving-key.ts';

/** Of any forest that is trained. */
const MOST_DEPTH = 23;

/** A model and the rows of a fold that it predicts, with the salts of their commitments. */
export interface Inference extends Predicted {
  readonly model: Model;
  /** Of every model of its line: the circuit is the same for all. */
  readonly shape: ModelShape;
  readonly modelSalt: bigint;
}

/** What decides which circuit a model is proven with: known before anything is trained. */
export interface ModelShape {
  readonly family: Model['family'];
  /** Features of a row. */
  readonly inputs: number;
  readonly laneBits: LaneBits;
  /** Of a dense model: hidden units, and outputs. */
  readonly hidden?: number;
  readonly outputs?: number;
  /** Of a forest: trees, and decisions from a root to a leaf. */
  readonly trees?: number;
  readonly depth?: number;
}

/** What a circuit holds, by the names of its template's parameters. */
type Capacity = ChainShape &
  Partial<Pick<DenseShape, 'hidden' | 'outputs'> & Pick<ForestShape, 'trees' | 'depth' | 'groups'>>;

/** How a circuit cuts a fold, and what models it holds. */
export function capacityOf(name: InferenceCircuit): Capacity {
  const circuit = CIRCUITS[name];
  const [rows, blockRows, width, columns] = circuit.args;
  const chain = { rows, blockRows, width, columns, featureBits: 8 } as const;
  if (circuit.template === 'LinearInference') {
    const [, , , , featureBits, laneBits] = circuit.args;
    return { ...chain, featureBits, laneBits };
  }
  if (circuit.template === 'ForestInference') {
    const [, , , , laneBits, trees, depth, groups] = circuit.args;
    return { ...chain, laneBits, trees, depth, groups };
  }
  const [, , , , hidden, outputs] = circuit.args;
  return { ...chain, hidden, outputs, laneBits: outputs > 1 ? 8 : 1 };
}

/**
 * The smallest inference circuit that holds the models of a shape.
 *
 * @throws HokusaiError `INFERENCE_TOO_LARGE` or `INFERENCE_SCORES` (configuration) when none does.
 */
export function inferenceCircuit(shape: ModelShape): InferenceCircuit {
  const fitting = fittingCircuit(shape);
  if (fitting) return fitting;
  if (shape.family === 'dense' && shape.laneBits === 16) {
    throw new HokusaiError('configuration', 'INFERENCE_SCORES', 'No circuit proves the scores of a perceptron.', {
      details: { ...shape },
      next: 'Choose another training.model_type, pay for another metric than auroc, or use assurance: scored.',
    });
  }
  const classes = INFERENCE_CIRCUITS.filter((name) => CIRCUITS[name].family === shape.family);
  const { family, ...sizes } = shape;
  const text = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  const known = classes.map((name) => `${name} (${describe(capacityOf(name))})`);
  throw new HokusaiError(
    'configuration',
    'INFERENCE_TOO_LARGE',
    `No circuit proves what a ${family} model of ${text.join(', ')} predicts.`,
    {
      details: { ...shape },
      next: `Make it smaller, ${known.length > 0 ? `for there are ${known.join(', ')}; ` : ''}or use assurance: scored.`,
    },
  );
}

const fittingCircuit = (shape: ModelShape): InferenceCircuit | undefined =>
  INFERENCE_CIRCUITS.find((name) => CIRCUITS[name].family === shape.family && holds(capacityOf(name), shape));

function holds(capacity: Capacity, shape: ModelShape): boolean {
  const { columns, laneBits, hidden = 0, outputs = 1, trees = 0, depth = 0 } = capacity;
  const asked = { hidden: 0, outputs: 1, trees: 0, depth: 0, ...shape };
  const inLayers = hidden >= asked.hidden && outputs >= asked.outputs;
  const fits = columns >= asked.inputs && inLayers && trees >= asked.trees && depth >= asked.depth;
  // A layer that is there needs a unit, and a circuit of one output has another kind of prediction.
  return fits && laneBits === asked.laneBits && hidden > 0 === asked.hidden > 0;
}

function describe({ columns, hidden, outputs, trees, depth }: Capacity): string {
  const sizes = { features: columns, 'hidden units': hidden, outputs, trees, 'levels of decisions': depth };
  return Object.entries(sizes)
    .flatMap(([name, size]) => (size ? [`${size} ${name}`] : []))
    .join(', ');
}

/**
 * The commitment to a model of a line: of a forest, to its nodes as the circuit that fits reads them, or as they are where
 * none does.
 */
export function modelCommitment(model: Model, salt: bigint, shape: ModelShape): Promise<bigint> {
  if (model.family === 'external') return externalCommitment(model, salt);
  if (model.family !== 'forest') return parametersRoot(parametersOf(model), salt);
  const fitting = fittingCircuit(shape);
  const own = {
    trees: model.trees.length,
    depth: MOST_DEPTH,
    columns: model.width,
    laneBits: shape.laneBits,
    width: 15,
  };
  return forestCommitment(model, salt, fitting ? (capacityOf(fitting) as ForestShape) : own);
}

/** The chunks that prove what a model predicts on a fold, in their order. */
export function inferenceChunks({ model, shape, modelSalt, ...predicted }: Inference): Promise<InferenceChunk[]> {
  const capacity = capacityOf(inferenceCircuit(shape));
  // There is no circuit for its shape, which has been refused above.
  if (model.family === 'external') throw new Error('An external model is not proven.');
  if (model.family === 'dense') return denseChunks(model, modelSalt, predicted, capacity as DenseShape);
  if (model.family === 'forest') return forestChunks(model, modelSalt, predicted, capacity as ForestShape);
  return linearChunks(model, modelSalt, predicted, capacity);
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
 * Proves what a model predicts with the circuit that fits. Each chunk is a step, so a run that is stopped goes on after
 * the last one, and a head that was proven is not proven again. Chunks are proven side by side, on other machines too where
 * there are some.
 *
 * @param policyCircuitId of the key to prove with, where a policy names one
 */
export async function proveInference(
  inference: Inference,
  executor: Executor,
  options: ProvingOptions = {},
  policyCircuitId?: Hex,
): Promise<ProvenInference> {
  const circuit = inferenceCircuit(inference.shape);
  const circuitId = policyCircuitId ?? provingCircuitId(circuit);
  const chunks = await inferenceChunks(inference);
  const keyFile = () => provingKeyFile(circuit, circuitId);
  const provers = await openProvers(circuit, circuitId, keyFile, options, (error) => executor.warn('infer', error));
  try {
    const proven = await sideBySide(chunks, provers.jobs, ({ input, ...chunk }, i) => {
      const signals = Object.values(chunk.signals).map(String);
      return executor.step(
        'infer',
        { circuitId, statement: signals },
        async ({ signal, progress }) => {
          progress(i / chunks.length, `chunk ${i + 1} of ${chunks.length}`);
          const { proof, publicSignals, verificationKey, prover } = await provers.prove({ input, signals }, signal);
          return { chunk: { proof, publicSignals }, verificationKey, prover };
        },
        { retries: 1, timeout: 1_800 },
      );
    });
    // A fold has a row, and so a chunk.
    const { verificationKey, prover } = proven[0]!;
    return { circuit, circuitId, chunks: proven.map(({ chunk }) => chunk), verificationKey, prover };
  } finally {
    provers.close();
  }
}

import { parametersOf, parametersRoot } from '../commitment.ts';
import { type DenseModel, denseSums, predictDense, type Unit } from '../train/dense.ts';
import { type ChainShape, type InferenceChunk, inferenceChain, type Predicted } from './inference-chain.ts';

/** The parameters of the template `DenseInference`; one output, or several, of which a model uses at least two. */
export interface DenseShape extends ChainShape {
  /** Most hidden units; 0 where models are linear. */
  readonly hidden: number;
  readonly outputs: number;
}

/**
 * The chunks that prove what a dense model predicts on a fold, in their order: the twin of `circuits/dense-inference.circom`.
 *
 * @param modelSalt of the model's commitment
 * @param shape     of a circuit that holds the model
 */
export async function denseChunks(
  model: DenseModel,
  modelSalt: bigint,
  predicted: Predicted,
  shape: DenseShape,
): Promise<InferenceChunk[]> {
  const modelCommitment = await parametersRoot(parametersOf(model), modelSalt, shape);
  const chain = await inferenceChain(predicted, shape);
  const parameters = {
    ...parametersInput(model, predicted.features.columns.length, shape),
    modelSalt: String(modelSalt),
  };
  return chain.map(({ signals, input }) => ({
    signals: { modelCommitment, ...signals },
    input: { ...input, ...parameters, ...rowsInput(model, input.features as string[][], predicted, shape) },
  }));
}

/** The model's units, filled up with zeros to as many as the circuit has, and how many are the model's. */
function parametersInput({ hidden, outputs }: DenseModel, inputs: number, shape: DenseShape): InferenceChunk['input'] {
  const layer = (units: readonly Unit[], count: number, width: number) => ({
    biases: Array.from({ length: count }, (_, i) => String(units[i]?.bias ?? 0)),
    weights: Array.from({ length: count }, (_, i) => fill(units[i]?.weights ?? [], width)),
  });
  const [first, second] = [
    layer(hidden, shape.hidden, shape.columns),
    layer(outputs, shape.outputs, shape.hidden || shape.columns),
  ];
  const ones = (count: number, most: number) => fill(new Array<number>(count).fill(1), most);
  return {
    inputActive: ones(inputs, shape.columns),
    hiddenActive: ones(hidden.length, shape.hidden),
    outputActive: ones(outputs.length, shape.outputs),
    hiddenBiases: first.biases,
    hiddenWeights: first.weights,
    outputBiases: second.biases,
    outputWeights: second.weights,
  };
}

/** Sums, scores and classes of a chunk's rows; a row that is not one of the fold's has features of 0. */
function rowsInput(
  model: DenseModel,
  rows: readonly (readonly string[])[],
  { features: { columns } }: Predicted,
  shape: DenseShape,
): InferenceChunk['input'] {
  const values = Uint8Array.from(columns.flatMap((_, j) => rows.map((row) => Number(row[j]))));
  const features = { rows: rows.length, columns, values };
  const { hidden, outputs } = denseSums(model, features);
  const classes = predictDense(model, features);
  const ofRow = (sums: readonly Float64Array[], row: number): number[] => sums.map((sum) => sum[row]!);
  return {
    hiddenSums: rows.map((_, row) => fill(ofRow(hidden, row), shape.hidden)),
    // Outputs that the model has not are as far below the largest as the largest itself: not at all.
    scores: rows.map((_, row) => fill(ofRow(outputs, row), shape.outputs, Math.max(...ofRow(outputs, row)))),
    chosen: rows.map((_, row) =>
      fill([], shape.outputs > 1 ? shape.outputs : 0).map((zero, c) => (c === classes[row] ? '1' : zero)),
    ),
  };
}

const fill = (values: readonly number[], count: number, rest = 0): string[] =>
  Array.from({ length: count }, (_, i) => String(values[i] ?? rest));

import { type Linear, parametersOf, parametersRoot } from '../commitment.ts';
import { type ChainShape, type InferenceChunk, inferenceChain, type Predicted } from './inference-chain.ts';

/**
 * The chunks that prove what a linear model predicts on a fold, in their order: the twin of
 * `circuits/linear-inference.circom`.
 *
 * @param modelSalt of the model's commitment
 */
export async function linearChunks(
  model: Linear,
  modelSalt: bigint,
  predicted: Predicted,
  shape: ChainShape,
): Promise<InferenceChunk[]> {
  const modelCommitment = await parametersRoot(parametersOf(model), modelSalt);
  const parameters = [model.bias, ...model.weights].map((parameter) => String(parameter + 2 ** 31));
  const chain = await inferenceChain(predicted, shape);
  return chain.map(({ signals, input }) => ({
    signals: { modelCommitment, ...signals },
    input: {
      ...input,
      parameters: Array.from({ length: shape.columns + 1 }, (_, j) => parameters[j] ?? '0'),
      inputActive: Array.from({ length: shape.columns }, (_, j) => String(Number(j < model.weights.length))),
      modelSalt: String(modelSalt),
    },
  }));
}

import type { Features } from '../table/quantise.ts';
import { addColumns } from './columns.ts';
import { refuseMisfit } from './linear.ts';
import type { TrainInput } from './trainer.ts';

/**
 * Weights are signed 12-bit integers, symmetric. Whatever the features, a hidden unit's sum is below 2^17 in magnitude, and
 * an output's below 2^21: every bit more is a constraint for each weight, hidden unit or class. On digits (64-64-10), 4 of
 * 3,588 held-out predictions are others than before rounding, 1 where all three have 4 bits more.
 */
const WEIGHT_LIMIT = 2 ** 11;
const HIDDEN_LIMIT = 2 ** 17;
export const OUTPUT_LIMIT = 2 ** 21;
/** Of an output's 22 bits a score has the upper 16. */
export const SCORE_UNIT = 2 ** 6;
/** Lowest bits that ReLU leaves out. */
const HIDDEN_SHIFT = 7;
/** Where the search for a scale begins, met only by weights that are all nearly 0; the factor is 2^60. */
const START_SCALE = 60;
const START_FACTOR = 0x1000000000000000;

/** A weighted sum: `bias + sum of weights[j] * inputs[j]`. */
export type Unit = {
  readonly bias: number;
  /** One per input. */
  readonly weights: readonly number[];
};

/** Two layers, of which there may be no hidden one: then the features are what the outputs weigh. */
export interface Layers {
  readonly hidden: readonly Unit[];
  /** One for two classes, else one per class. */
  readonly outputs: readonly Unit[];
}

/**
 * A classifier of bytes in integers: a multi-class linear model where there is no hidden unit, else a perceptron with one
 * hidden layer, whose units give `max(0, z) >> 7` of their weighted sum z of the features. One output: the class is 1
 * where it is above 0, else 0 (0 at a tie). Several: the class is that of the largest output, the lowest class at a tie.
 *
 * Weights are below 2^11 in magnitude, and no row of bytes takes a hidden sum to 2^17 or an output to 2^21: so many bits
 * the circuit has for them.
 */
export type DenseModel = {
  version: 1;
  family: 'dense';
  hidden: Unit[];
  outputs: Unit[];
  /** Exponent of a power of two, at most 60: the outputs are so many times those before rounding. */
  scale: number;
  /** Of one output: what it predicts is a score, the upper 16 bits of (output - 1 + 2^21), instead of the class. */
  output?: 'score';
  quantiserHash: `0x${string}`;
};

/** On the training rows: how many the model gets right before rounding and after, and on how many the two disagree. */
export interface Rounding {
  rows: number;
  correctBefore: number;
  correctAfter: number;
  changed: number;
}

/** What the inputs of a layer are: the real value of a step of each, and the most steps. */
interface Inputs {
  readonly steps: readonly number[];
  readonly most: readonly number[];
}

/**
 * Rounds a model of features x / 255 to integers, halves up. A hidden unit has the largest scale within its limits, for
 * which the outputs make up; the outputs have one in common, so that they compare. Scales are powers of two: multiplying
 * by one is exact, so the same model follows everywhere.
 *
 * @param layers - finite numbers
 */
export function quantiseDense({ hidden, outputs }: Layers, quantiserHash: `0x${string}`): DenseModel {
  const width = (hidden[0] ?? outputs[0]!).weights.length;
  const features = { steps: new Array<number>(width).fill(1 / 255), most: new Array<number>(width).fill(255) };
  // Half of what ReLU leaves out is added, so that it rounds and does not cut.
  const half = 2 ** (HIDDEN_SHIFT - 1);
  const rounded = hidden.map((unit) => {
    const { units, factor } = roundUnits([unit], features, HIDDEN_LIMIT - half);
    const { bias, weights } = units[0]!;
    return { unit: { bias: bias + half, weights }, step: 2 ** HIDDEN_SHIFT / factor };
  });
  const activations = {
    steps: rounded.map(({ step }) => step),
    most: rounded.map(({ unit }) => activation(reach(unit, features.most)[1])),
  };
  const { units, scale } = roundUnits(outputs, hidden.length > 0 ? activations : features, OUTPUT_LIMIT);
  return { version: 1, family: 'dense', hidden: rounded.map(({ unit }) => unit), outputs: units, scale, quantiserHash };
}

/** Rounds units on the largest power of two at which none reaches the limit: 1 becomes `factor`, 2^`scale`. */
function roundUnits(units: readonly Unit[], { steps, most }: Inputs, limit: number) {
  let factor = START_FACTOR;
  for (let scale = START_SCALE; ; scale--) {
    const round = (value: number): number => Math.floor(value * factor + 0.5);
    const rounded = units.map(({ bias, weights }) => ({
      bias: round(bias),
      weights: weights.map((weight, j) => round(weight * steps[j]!)),
    }));
    const fits = rounded.every((unit) => {
      const [low, high] = reach(unit, most);
      return low > -limit && high < limit && unit.weights.every((weight) => Math.abs(weight) < WEIGHT_LIMIT);
    });
    if (fits) return { units: rounded, factor, scale };
    factor /= 2;
  }
}

/** The least and the most that a unit's sum can be. */
function reach({ bias, weights }: Unit, most: readonly number[]): [low: number, high: number] {
  let [low, high] = [bias, bias];
  for (const [j, weight] of weights.entries()) {
    if (weight < 0) low += weight * most[j]!;
    else high += weight * most[j]!;
  }
  return [low, high];
}

/** ReLU, without the lowest bits. */
export const activation = (sum: number): number => Math.floor(Math.max(0, sum) / 2 ** HIDDEN_SHIFT);

/**
 * The sums of each unit, hidden and output, a vector of rows each; in integers, and exact.
 *
 * @throws HokusaiError `terminal` MODEL_MISFIT when the model has not one weight per feature
 */
export function denseSums(model: DenseModel, features: Features): { hidden: Float64Array[]; outputs: Float64Array[] } {
  refuseMisfit((model.hidden[0] ?? model.outputs[0]!).weights.length, features);
  return layerSums(model, features, 1, activation);
}

/** Score of each row: of the one output, or one vector per class; exact. Errors as {@link denseSums}. */
export const denseScores = (model: DenseModel, features: Features): Float64Array[] =>
  denseSums(model, features).outputs;

/** Class of each row, or its score. Errors as {@link denseSums}. */
export function predictDense(model: DenseModel, features: Features): Uint8Array | Uint16Array {
  const { outputs } = denseSums(model, features);
  if (model.output !== 'score') return decide(outputs);
  return Uint16Array.from(outputs[0]!, (output) => Math.floor((output - 1 + OUTPUT_LIMIT) / SCORE_UNIT));
}

/** How much rounding changes on the training rows. */
export function compareRounded(input: TrainInput, layers: Layers, model: DenseModel): Rounding {
  const before = decide(layerSums(layers, input.features, 255, (sum) => Math.max(0, sum)).outputs);
  const after = predictDense(model, input.features);
  const rounding = { rows: input.features.rows, correctBefore: 0, correctAfter: 0, changed: 0 };
  for (const [row, label] of input.labels.entries()) {
    rounding.correctBefore += Number(before[row] === label);
    rounding.correctAfter += Number(after[row] === label);
    rounding.changed += Number(before[row] !== after[row]);
  }
  return rounding;
}

/** @param unit - what features are divided by */
function layerSums({ hidden, outputs }: Layers, features: Features, unit: number, relu: (sum: number) => number) {
  const first = ({ bias, weights }: Unit): Float64Array =>
    addColumns(
      new Float64Array(features.rows).fill(bias),
      weights.map((weight) => weight / unit),
      features,
    );
  if (hidden.length === 0) return { hidden: [], outputs: outputs.map(first) };
  const before = hidden.map(first);
  const inputs = before.map((sums) => sums.map(relu));
  const second = ({ bias, weights }: Unit): Float64Array => {
    const sums = new Float64Array(features.rows).fill(bias);
    for (const [j, weight] of weights.entries()) {
      const input = inputs[j]!;
      for (let row = 0; row < sums.length; row++) sums[row]! += weight * input[row]!;
    }
    return sums;
  };
  return { hidden: before, outputs: outputs.map(second) };
}

/** The class that the outputs of each row say. */
function decide(outputs: readonly Float64Array[]): Uint8Array {
  const classes = new Uint8Array(outputs[0]!.length);
  for (let row = 0; row < classes.length; row++) {
    if (outputs.length === 1) classes[row] = Number(outputs[0]![row]! > 0);
    else
      for (let c = 1; c < outputs.length; c++) if (outputs[c]![row]! > outputs[classes[row]!]![row]!) classes[row] = c;
  }
  return classes;
}

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CIRCUITS_FOLDER } from '../../offchain/prove/circuits.ts';
import { type DenseShape, denseChunks } from '../../offchain/prove/dense-inference.ts';
import { mod, R } from '../../offchain/prove/field.ts';
import type { InferenceChunk } from '../../offchain/prove/inference-chain.ts';
import type { Features } from '../../offchain/table/quantise.ts';
import { type DenseModel, denseSums, predictDense, quantiseDense, type Unit } from '../../offchain/train/dense.ts';
import {
  believe,
  build,
  describeSoundness,
  HANDED_ON,
  honestCircuit,
  type Inputs,
  lie,
  violations,
  witness,
} from './soundness.ts';

/** Half a block of eight rows a chunk, two rows at a time; up to three features, and three of all else. */
const CHAIN = { rows: 4, blockRows: 8, width: 2, columns: 3, featureBits: 8 };
const PERCEPTRON: DenseShape = { ...CHAIN, laneBits: 8, hidden: 3, outputs: 3 };
const LINEAR: DenseShape = { ...CHAIN, laneBits: 8, hidden: 0, outputs: 3 };
const BINARY: DenseShape = { ...CHAIN, laneBits: 1, hidden: 2, outputs: 1 };
const mainOf = ({ rows, blockRows, width, columns, hidden, outputs }: DenseShape) => ({
  file: 'dense-inference.circom',
  template: 'DenseInference',
  args: [rows, blockRows, width, columns, hidden, outputs],
  publicInputs: [],
});

const FILES = ['dense-inference.circom', 'dense-layer.circom', 'dense-row.circom', 'absorb-all.circom'];
const unit = (bias: number, ...weights: number[]): Unit => ({ bias, weights });
const modelOf = (hidden: Unit[], outputs: Unit[]): DenseModel => ({
  version: 1,
  family: 'dense',
  hidden,
  outputs,
  scale: 0,
  quantiserHash: '0x00',
});

const ROWS = [
  [1, 0, 255],
  [0, 0, 0],
  [255, 255, 255],
  [0, 255, 0],
  [200, 3, 9],
  [7, 77, 177],
  [255, 0, 255],
];
const SALTS = { featuresSalt: 22n, predictionsSalt: 23n, stateSalt: (i: number) => 100n + BigInt(i) };
const featuresOf = (rows: number, columns: number): Features => ({
  rows,
  columns: Array.from({ length: columns }, (_, j) => `x${j}`),
  values: Uint8Array.from({ length: rows * columns }, (_, i) => ROWS[(i % rows) % 7]![Math.floor(i / rows)]!),
});
function chunks(model: DenseModel, rows: number, shape: DenseShape): Promise<InferenceChunk[]> {
  const features = featuresOf(rows, (model.hidden[0] ?? model.outputs[0]!).weights.length);
  return denseChunks(model, 21n, { features, predictions: predictDense(model, features), ...SALTS }, shape);
}

/** Sums on both sides of 0, at 0 and at their ends; a tie of the two lower classes in each row, one of all three in one. */
const FULL = modelOf(
  [unit(-256, 128, -128, 64), unit(1 - 2 ** 17, 0, 0, 257), unit(-3, 200, 100, 11)],
  [unit(3, 1, 0, -1), unit(3, 1, 0, -1), unit(3, -4, 2047, 0)],
);
const LESS = modelOf([unit(-300, 512, -9)], [unit(-7, 2047), unit(2 ** 21 - 2 ** 19, -2047)]);
/** Seven rows: a full chunk, and one that is cut short. */
const [first, last] = (await chunks(FULL, 7, PERCEPTRON)) as [InferenceChunk, InferenceChunk];
/** Of two features, one hidden unit and two outputs: less than the circuit has. */
const [less] = (await chunks(LESS, 4, PERCEPTRON)) as [InferenceChunk];

/** The first class in each row. */
const [alone] = (await chunks(modelOf([unit(-300, 512, -9)], [unit(5, 9), unit(4, 9)]), 4, PERCEPTRON)) as [
  InferenceChunk,
];

const told = ({ input }: InferenceChunk, changes: Partial<InferenceChunk['input']> = {}): Inputs =>
  ({ ...input, ...changes }) as Inputs;
/** Cells, or members of lists, that are others. */
function set(
  chunk: InferenceChunk,
  ...changes: [name: string, value: bigint | number, at: number, column?: number][]
): Inputs {
  const input = structuredClone(chunk.input);
  for (const [name, value, at, column] of changes) {
    const list = input[name] as (string | string[])[];
    const item = list[at];
    if (Array.isArray(item)) item[column!] = String(value);
    else list[at] = String(value);
  }
  return input as Inputs;
}
const cell = ({ input }: InferenceChunk, name: string, at: number, column: number): number =>
  Number((input[name] as string[][])[at]![column]);
const other = (chunk: InferenceChunk, name: string): string[][] => {
  const [a, b, ...rest] = chunk.input[name] as string[][];
  return [b!, a!, ...rest];
};
const perceptron = await honestCircuit(mainOf(PERCEPTRON));
const drawn = perceptron.names.indexOf('main.drawn');
const challenge = (await witness(perceptron, told(first)))[drawn]!;
const HALF = (R + 1n) / 2n;

const DISHONEST: Record<string, Inputs> = {
  'the second of two equal classes': set(first, ['chosen', 0, 2, 0], ['chosen', 1, 2, 1]),
  'a class below the largest': set(first, ['chosen', 0, 0, 0], ['chosen', 1, 0, 2]),
  'no class, where all scores are below 0': set(first, ['chosen', 0, 2, 0]),
  'two classes': set(first, ['chosen', 1, 1, 0], ['chosen', 1, 1, 1]),
  'two classes, less one': set(first, ['chosen', 1, 1, 0], ['chosen', 1, 1, 1], ['chosen', -1, 1, 2]),
  'half of two classes': set(first, ['chosen', HALF, 1, 0], ['chosen', HALF, 1, 1]),
  'a class that the model has not': set(less, ['chosen', 0, 0, 0], ['chosen', 0, 0, 1], ['chosen', 1, 0, 2]),
  'a class that the model has not, with the largest score': set(
    less,
    ['chosen', 0, 0, 0],
    ['chosen', 0, 0, 1],
    ['chosen', 1, 0, 2],
    ['scores', 2 ** 21 - 1, 0, 2],
  ),
  'a score one higher': set(first, ['scores', cell(first, 'scores', 1, 2) + 1, 1, 2]),
  'the scores of another row': told(first, { scores: other(first, 'scores'), chosen: other(first, 'chosen') }),
  'the sums of another row': told(first, { hiddenSums: other(first, 'hiddenSums') }),
  'an activation one higher': set(first, ['hiddenSums', cell(first, 'hiddenSums', 0, 0) + 128, 0, 0]),
  'a sum one higher, of the same activation': set(first, ['hiddenSums', cell(first, 'hiddenSums', 0, 2) + 1, 0, 2]),
  'a negative sum that is said to be positive': set(first, ['hiddenSums', -cell(first, 'hiddenSums', 1, 0), 1, 0]),
  'a sum that does not fit its bits': set(first, ['hiddenSums', 2 ** 17, 2, 1]),
  'a negative sum that does not fit its bits': set(first, ['hiddenSums', -(2 ** 17) - 1, 1, 1]),
  'two sums moved together so that the honest challenge would accept': set(
    first,
    ['hiddenSums', mod(BigInt(cell(first, 'hiddenSums', 0, 0)) - challenge), 0, 0],
    ['hiddenSums', cell(first, 'hiddenSums', 0, 1) + 1, 0, 1],
  ),
  'sums of two rows moved against each other': set(
    first,
    ['hiddenSums', cell(first, 'hiddenSums', 0, 2) + 1, 0, 2],
    ['hiddenSums', cell(first, 'hiddenSums', 2, 2) - 1, 2, 2],
  ),
  'a weight above its bits': set(first, ['hiddenWeights', 2 ** 11, 0, 0]),
  'a weight below its bits': set(first, ['outputWeights', -(2 ** 11) - 1, 0, 0]),
  'a bias above its bits': set(first, ['hiddenBiases', 2 ** 21, 0]),
  'a bias below its bits': set(first, ['outputBiases', -(2 ** 21) - 1, 0]),
  'a weight and its neighbour that pack to the same element': set(
    first,
    ['hiddenWeights', cell(first, 'hiddenWeights', 0, 0) + 2 ** 32, 0, 0],
    ['hiddenWeights', cell(first, 'hiddenWeights', 0, 1) - 1, 0, 1],
  ),
  'a bias and a weight that pack to the same element': set(
    first,
    ['outputBiases', 3 + 2 ** 32, 0],
    ['outputWeights', cell(first, 'outputWeights', 0, 0) - 1, 0, 0],
  ),
  'no feature': set(less, ['inputActive', 0, 0], ['inputActive', 0, 1]),
  'a feature that is left out': set(first, ['inputActive', 0, 1]),
  'a feature that is there twice': set(first, ['inputActive', 2, 1], ['inputActive', 0, 2]),
  'no hidden unit': set(less, ['hiddenActive', 0, 0]),
  'a hidden unit that is left out': set(first, ['hiddenActive', 0, 1]),
  'a hidden unit that is there twice': set(first, ['hiddenActive', 2, 1]),
  'one class alone, which is always the first': set(alone, ['outputActive', 0, 1]),
  'a class after one that is not there': set(first, ['outputActive', 0, 1]),
  'a last class that is there by half': set(first, ['outputActive', 2, 2]),
};

describeSoundness('perceptrons', {
  main: mainOf(PERCEPTRON),
  files: [...FILES, 'bits.circom'],
  honest: [first, last, less, alone].map((chunk) => told(chunk)),
  dishonest: DISHONEST,
  forged: {
    'a challenge that is chosen, and not drawn': {
      file: 'dense-inference.circom',
      before: 'challenge <== drawn;',
      // As long as before, as in the test of what that would be good for, below.
      after: 'challenge <-- 0;'.padStart(24),
    },
  },
  harmless: HANDED_ON,
  least: { lies: 50, mutants: 40 },
});

/** The two lower classes are equal in each row. */
const SCORES = modelOf([], [unit(-5, 1, 2, -3), unit(-5, 1, 2, -3), unit(100, -2000, 0, 9)]);
const [scored] = (await chunks(SCORES, 3, LINEAR)) as [InferenceChunk];
describeSoundness('linear models of several classes', {
  main: mainOf(LINEAR),
  files: ['dense-layer.circom', 'bits.circom'],
  honest: [told(scored)],
  dishonest: {
    'a score one higher': set(scored, ['scores', cell(scored, 'scores', 1, 2) + 1, 1, 2]),
    'the scores of another row': told(scored, { scores: other(scored, 'scores'), chosen: other(scored, 'chosen') }),
    'the second of two equal classes': set(scored, ['chosen', 0, 2, 0], ['chosen', 1, 2, 1]),
  },
  least: { lies: 12, mutants: 16 },
});

/** A score of 1 in the first row and of 0 in the third. */
const SIGN = modelOf([unit(-256, 128, -128, 64), unit(128, 0, 0, -1)], [unit(-125, 1, 0)]);
const [sign] = (await chunks(SIGN, 4, BINARY)) as [InferenceChunk];
describeSoundness('perceptrons of one output', {
  main: mainOf(BINARY),
  files: ['dense-layer.circom', 'bits.circom'],
  honest: [told(sign)],
  dishonest: {
    'a score of 0 that is said to be 1': set(sign, ['scores', 1, 2, 0]),
    'a score that does not fit its bits': set(sign, ['scores', 2 ** 21 + 1, 0, 0]),
    'the scores of another row': told(sign, { scores: other(sign, 'scores') }),
  },
  least: { lies: 12, mutants: 16 },
});

/** Partial rounds of Poseidon of so many inputs, from 1. */
const PARTIAL = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];
/** Constraints of Poseidon: three for each S-box, and none for those of inputs that are constant. */
const poseidon = (inputs: number, constants = 0): number =>
  3 * (8 * (inputs + 1) + PARTIAL[inputs - 1]! - 1 - constants);

/** Constraints of a chunk beside the chain's: once, and for each row. The challenge has 14 sums, or 11 scores, an element. */
function cost({ rows, columns, hidden, outputs, width }: DenseShape) {
  const absorb = (count: number) =>
    Math.ceil(count / width) * poseidon(width + 1) - 3 * (Math.ceil(count / width) * width - count);
  /** The first `least` units are known to be active, the first power of the challenge is 1, and the first input is active. */
  const layer = (units: number, inputs: number, least: number) => {
    const committed = units * (12 * inputs + 22 + absorb(Math.ceil((inputs + 1) / 7)) + 1) - least;
    const powers = Math.max(0, units - 2) + units - least;
    return units - least + committed + powers + (units - 1) * (inputs + 1) + inputs - 1;
  };
  const [least, inputs] = [outputs > 1 ? 2 : 1, hidden || columns];
  const constants = 1 + Number(hidden === 0) + Number(outputs === 1);
  const layers = (hidden > 0 ? layer(hidden, columns, 1) : 0) + layer(outputs, inputs, least);
  const row = (hidden > 0 ? 19 * hidden + columns + hidden - 1 : 0) + inputs + outputs - 1;
  return {
    once: columns - 1 + poseidon(5, constants) + poseidon(3, 1) + layers,
    row: row + (outputs > 1 ? 2 * outputs + 22 * (outputs + 1) : 22),
    challenge: absorb(Math.ceil((rows * hidden) / 14) + Math.ceil((rows * (outputs > 1 ? outputs + 2 : 1)) / 11)),
  };
}

describe('dense inference', () => {
  it('costs what the README says, by a formula that is exact', async () => {
    const real = { rows: 240, blockRows: 240, width: 15, featureBits: 8, laneBits: 8 } as const;
    assert.deepEqual(cost({ ...real, columns: 64, hidden: 0, outputs: 16 }), {
      once: 23_874,
      row: 485,
      challenge: 16_407,
    });
    assert.deepEqual(cost({ ...real, columns: 64, hidden: 64, outputs: 16 }), {
      once: 116_862,
      row: 1_828,
      challenge: 60_873,
    });
    assert.deepEqual(cost({ ...real, columns: 30, hidden: 32, outputs: 1 }), {
      once: 33_483,
      row: 723,
      challenge: 23_709,
    });
    const { rows, blockRows, width, columns } = CHAIN;
    // The chain costs the same for predictions of 1 bit and of 8, as its small blocks are of one element.
    const args = [rows, blockRows, width, columns, 8, 8, 0];
    const main = { file: 'inference-chain.circom', template: 'InferenceChain', args, publicInputs: [] };
    const chain = (await honestCircuit(main)).r1cs.constraints.length;
    for (const shape of [PERCEPTRON, LINEAR, BINARY]) {
      const { once, row, challenge } = cost(shape);
      const { length } = (await honestCircuit(mainOf(shape))).r1cs.constraints;
      assert.equal(length, chain + once + rows * row + challenge);
    }
  });

  it('is tried on what it says: ties, a tie of all classes, scores of 0 and 1, and sums at their ends', () => {
    assert.deepEqual(first.input.chosen!.slice(0, 3), [
      ['1', '0', '0'],
      ['1', '0', '0'],
      ['1', '0', '0'],
    ]);
    assert.deepEqual((first.input.scores as string[][])[1], ['3', '3', '3']);
    assert.deepEqual((first.input.hiddenSums as string[][])[1], ['-256', String(1 - 2 ** 17), '-3']);
    assert.deepEqual(
      [0, 2].map((row) => cell(sign, 'scores', row, 0)),
      [1, 0],
    );
  });

  it('gives the public signals of its twin, in each chunk of a chain, of models of any size that fits', async () => {
    for (const [model, shape] of [
      [FULL, PERCEPTRON],
      [LESS, PERCEPTRON],
      [SCORES, LINEAR],
      [modelOf([], [unit(1, 3), unit(2, -3)]), LINEAR],
      [SIGN, BINARY],
    ] as const) {
      const circuit = await honestCircuit(mainOf(shape));
      for (const rows of [1, 4, 7, 9]) {
        const chain = await chunks(model, rows, shape);
        for (const [i, { input, signals }] of chain.entries()) {
          const w = await witness(circuit, input);
          assert.deepEqual(w.slice(1, 6), Object.values(signals), `${rows} rows, chunk ${i}`);
          assert.deepEqual(violations(circuit, w), []);
        }
      }
    }
  });

  it('commits to a model alike in circuits of any size', async () => {
    const [small] = await chunks(SCORES, 3, LINEAR);
    const [large] = await chunks(SCORES, 3, { ...LINEAR, columns: 9, outputs: 7 });
    assert.equal(small!.signals.modelCommitment, large!.signals.modelCommitment);
    const [perceptron] = await chunks(modelOf([unit(0, 1)], [unit(0, 1), unit(0, 1)]), 3, PERCEPTRON);
    const [linear] = await chunks(modelOf([], [unit(0, 1), unit(0, 1), unit(0, 1)]), 3, LINEAR);
    assert.notEqual(perceptron!.signals.modelCommitment, linear!.signals.modelCommitment);
  });

  it('holds for whatever the quantiser makes, at the ends of its ranges', async () => {
    const circuit = await honestCircuit(mainOf(PERCEPTRON));
    const real = fc.oneof(fc.double({ noNaN: true, min: -9, max: 9 }), fc.constantFrom(0, 1e6, -1e6));
    const units = fc.array(
      fc.tuple(real, real, real, real).map(([bias, ...weights]) => unit(bias, ...weights)),
      { minLength: 3, maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(units, units, async (hidden, outputs) => {
        const model = quantiseDense({ hidden, outputs }, '0x00');
        for (const { input, signals } of await chunks(model, 7, PERCEPTRON)) {
          const w = await witness(circuit, input);
          assert.deepEqual(w.slice(1, 6), Object.values(signals));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('attack: weights of units and inputs that the model has not count nowhere', async () => {
    const circuit = await honestCircuit(mainOf(PERCEPTRON));
    const honest = await witness(circuit, told(less));
    const stuffed = set(
      less,
      ['hiddenWeights', 2047, 1, 0],
      ['hiddenBiases', 99, 2],
      ['outputWeights', -77, 2, 0],
      ['outputBiases', 5, 2],
      ['hiddenSums', 60_000, 0, 1],
    );
    const w = await witness(circuit, stuffed);
    assert.deepEqual(violations(circuit, w), []);
    assert.deepEqual(w.slice(1, 6), honest.slice(1, 6));
  });

  it('attack: a prover who chooses the challenge, for whom all sums but the first of each row would be free', async () => {
    const circuit = await honestCircuit(mainOf(PERCEPTRON));
    const file = 'dense-inference.circom';
    const lines = (await readFile(join(CIRCUITS_FOLDER, file), 'utf8')).split('\n');
    const line = lines.findIndex((text) => text.includes('challenge <== drawn')) + 1;
    assert.ok(line > 0);
    const before = lines[line - 1]!;
    // As long as before: the compiler names anonymous components by their offset in the file.
    const change = { file, line, before, after: 'challenge <-- 0;'.padStart(before.length) };
    // With a challenge of 0, all powers but the first are 0, and the last score of the first row may be another one.
    const liar = await build(mainOf(PERCEPTRON), [change], 'O0');
    const forged = set(first, ['scores', cell(first, 'scores', 0, 2) - 1, 0, 2]);
    assert.deepEqual(violations(liar, await witness(liar, forged)), []);
    assert.notDeepEqual(violations(circuit, believe(circuit, await lie(liar, forged))), []);
  });

  it('proves what the sums of a model say: the twin’s own are those of denseSums', () => {
    const features = featuresOf(4, 3);
    const { hidden } = denseSums(FULL, features);
    assert.deepEqual(
      hidden.map((sums) => String(sums[2])),
      (first.input.hiddenSums as string[][])[2],
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { R } from '../../offchain/prove/field.ts';
import type { ChainShape, InferenceChunk } from '../../offchain/prove/inference-chain.ts';
import { linearChunks } from '../../offchain/prove/linear-inference.ts';
import type { Features } from '../../offchain/table/quantise.ts';
import { type LinearModel, predict } from '../../offchain/train/linear.ts';
import { describeSoundness, HANDED_ON, honestCircuit, type Inputs, witness } from './soundness.ts';

/** A chunk of a block and a half of eight rows, six rows and up to five features in an element each, two a group. */
const SHAPE: ChainShape = { rows: 12, blockRows: 8, width: 2, columns: 5, featureBits: 40, laneBits: 1 };
/** Blocks of two elements, absorbed as one group. */
const VALUES: ChainShape = { rows: 8, blockRows: 16, width: 2, columns: 2, featureBits: 62, laneBits: 16 };
const mainOf = ({ rows, blockRows, width, columns, featureBits, laneBits }: ChainShape) => ({
  file: 'linear-inference.circom',
  template: 'LinearInference',
  args: [rows, blockRows, width, columns, featureBits, laneBits],
  publicInputs: [],
});

const WEIGHTS = [700, -32_767, 32_767, 3, -900];
/** The extremes of features, and scores on both sides of 0; further features repeat these. */
const ROWS = [
  [0, 0, 0, 0, 0],
  [255, 0, 255, 255, 0],
  [0, 255, 0, 0, 255],
  [1, 0, 0, 100, 0],
  [9, 8, 7, 6, 5],
  [255, 255, 255, 255, 255],
  [3, 1, 4, 1, 5],
];

const SALTS = { featuresSalt: 22n, predictionsSalt: 23n, stateSalt: (i: number) => 100n + BigInt(i) };
const featuresOf = (rows: number, columns: number): Features => ({
  rows,
  columns: Array.from({ length: columns }, (_, j) => `x${j}`),
  values: Uint8Array.from({ length: rows * columns }, (_, i) => ROWS[(i % rows) % 7]![Math.floor(i / rows) % 5]!),
});

/** The chunks of the first rows and features. */
function chunks(rows: number, columns: number, bias = -1_000, weights = WEIGHTS): Promise<InferenceChunk[]> {
  const own = { weights: weights.slice(0, columns), bias };
  const model: LinearModel = { version: 1, family: 'linear', ...own, scale: 3, quantiserHash: '0x00' };
  const features = featuresOf(rows, columns);
  return linearChunks(model, 21n, { features, predictions: predict(model, features), ...SALTS }, SHAPE);
}

const MINUS_ONE = String(R - 1n);
/** 19 rows of four features: a full chunk, and one that begins in the middle of a block and is cut short. */
const [first, last] = (await chunks(19, 4)) as [InferenceChunk, InferenceChunk];
/** All rows in one chunk, of two features: one group. */
const [only] = (await chunks(12, 2)) as [InferenceChunk];
/** Three chunks, of which the last is one row; all features. */
const [, , third] = (await chunks(25, 5)) as [InferenceChunk, InferenceChunk, InferenceChunk];

type Changes = Partial<InferenceChunk['input']>;
const told = ({ input }: InferenceChunk, changes: Changes): Inputs => ({ ...input, ...changes }) as Inputs;
/** Members of a list that are others. */
function set(chunk: InferenceChunk, name: string, value: string, ...places: readonly number[]) {
  const list = [...(chunk.input[name] as string[])];
  for (const at of places) list[at] = value;
  return told(chunk, { [name]: list });
}

const DISHONEST: Record<string, Inputs> = {
  'a weight of 2^32': set(first, 'parameters', String(2 ** 32), 1),
  'a weight below the least': set(first, 'parameters', MINUS_ONE, 4),
  'a bias of 2^32': set(first, 'parameters', String(2 ** 32), 0),
  'weights by which a score leaves its lane': set(first, 'parameters', String(2 ** 32 - 1), 1, 3),
  'weights by which a score leaves its lane downwards': set(first, 'parameters', '1', 1, 3),
  'a weight behind the last': set(only, 'parameters', String(2 ** 31 + 5), 3),
  'a weight of a feature that is in no root': told(only, {
    inputActive: ['1', '1', '1', '0', '0'],
    parameters: [...(only.input.parameters!.slice(0, 3) as string[]), String(2 ** 31 + 5), '0', '0'],
    features: [...Array.from({ length: 2 }, () => ['1', '2', '3', '0', '0'])],
  }),
  'a feature that is left out in between': told(first, { inputActive: ['1', '0', '1', '1', '0'] }),
  'a feature that counts twice': told(first, { inputActive: ['1', '2', '1', '1', '0'] }),
  'no feature': told(only, { inputActive: ['0', '0', '0', '0', '0'] }),
};

describeSoundness('linear inference', {
  main: mainOf(SHAPE),
  files: ['linear-inference.circom'],
  honest: [first, last, only, third].map((chunk) => told(chunk, {})),
  dishonest: DISHONEST,
  forged: {
    'a group of features that weighs and is in no root': {
      file: 'linear-inference.circom',
      before: 'chain.groupActive <== groupActive;',
      after: 'chain.groupActive <== [1, 0, 0];',
    },
  },
  harmless: HANDED_ON,
  least: { lies: 20, mutants: 20 },
});

/** Scores of a regression below 0, at 0, just below and at a whole number, at the greatest value and above it. */
const SCORES = [-5, 0, 255, 256, 256 * 65_535, 256 * 65_536, 2 ** 37, -(2 ** 37), 7 * 256];

/** The only feature is 1 in all rows but one, and the bias is the score. */
async function valueChunks(rows: number, score: number): Promise<InferenceChunk[]> {
  const [bias, weight] = Math.abs(score) < 2 ** 31 ? [score, 0] : [0, score / 128];
  const features = { rows, columns: ['x'], values: new Uint8Array(rows).fill(128) };
  const model = { version: 1, family: 'linear-regression', weights: [weight], bias, quantiserHash: '0x00' } as const;
  const value = Math.min(Math.max(Math.floor(score / 256), 0), 65_535);
  return linearChunks(model, 21n, { features, predictions: new Uint16Array(rows).fill(value), ...SALTS }, VALUES);
}

/** The first value is above the greatest. */
const regressions = (await Promise.all([256 * 65_536, -5, 256 * 65_535].map((score) => valueChunks(9, score)))).flat();

describeSoundness('linear regression', {
  main: mainOf(VALUES),
  files: ['linear-inference.circom'],
  honest: regressions.map((chunk) => told(chunk, {})),
  dishonest: { 'a weight behind the last': set(regressions[0]!, 'parameters', String(2 ** 31 + 5), 2) },
  forged: {
    'a value above the greatest that is not clipped': {
      file: 'linear-inference.circom',
      before: 'signal inverse <-- above == 0 ? 0 : 1 / above;',
      after: 'signal inverse <-- 0;',
    },
  },
  harmless: HANDED_ON,
  least: { lies: 15, mutants: 14 },
});

describe('linear inference', () => {
  it('gives the public signals of its twin, in each chunk of a chain', async () => {
    const circuit = await honestCircuit(mainOf(SHAPE));
    for (const rows of [1, 4, 5, 7, 8, 9, 11, 12, 13, 16, 17, 24, 25, 36]) {
      for (const columns of [1, 2, 3, 5]) {
        const chain = await chunks(rows, columns);
        assert.equal(chain.length, Math.ceil(rows / 12));
        for (const [i, { input, signals }] of chain.entries()) {
          const w = await witness(circuit, input);
          assert.deepEqual(w.slice(1, 6), Object.values(signals), `${rows} rows, ${columns} features, chunk ${i}`);
          assert.equal(signals.stateIn, i === 0 ? 0n : chain[i - 1]!.signals.stateOut);
          assert.equal(signals.stateOut === 0n, i === chain.length - 1);
        }
      }
    }
  });

  it('predicts what the weights say at either end of a lane, and in the lanes beside it', async () => {
    const circuit = await honestCircuit(mainOf(SHAPE));
    const most = 2 ** 31 - 1;
    for (const sign of [1, -1]) {
      // |bias| + 255 |weights| is 2^39 - 1, the most that half of a lane holds.
      const [chunk] = await chunks(12, 2, sign * most, [sign * most, sign]);
      assert.deepEqual((await witness(circuit, chunk!.input)).slice(1, 6), Object.values(chunk!.signals));
      const [beyond] = await chunks(12, 2, sign * most, [sign * most, 2 * sign]);
      await assert.rejects(witness(circuit, beyond!.input), /Assert Failed/);
    }
  });

  it('predicts 0 at a score of 0 and 1 at a score of 1, at either end of the bias', async () => {
    const circuit = await honestCircuit(mainOf(SHAPE));
    const biases = [0, 1, -1, 2 ** 31 - 1, 1 - 2 ** 31];
    for (const bias of biases) {
      const [chunk] = await chunks(1, 2, bias);
      assert.deepEqual((await witness(circuit, chunk!.input)).slice(1, 6), Object.values(chunk!.signals), String(bias));
    }
  });

  it('rounds the value of a regression down, and clips it, over blocks of two elements', async () => {
    const circuit = await honestCircuit(mainOf(VALUES));
    for (const score of SCORES) {
      for (const rows of [1, 8, 15, 16, 17, 33]) {
        for (const { input, signals } of await valueChunks(rows, score)) {
          assert.deepEqual(
            (await witness(circuit, input)).slice(1, 6),
            Object.values(signals),
            `${score}, ${rows} rows`,
          );
        }
      }
    }
  });
});

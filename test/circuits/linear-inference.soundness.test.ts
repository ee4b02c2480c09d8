import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChainShape, InferenceChunk } from '../../offchain/prove/inference-chain.ts';
import { linearChunks } from '../../offchain/prove/linear-inference.ts';
import type { Features } from '../../offchain/table/quantise.ts';
import { type LinearModel, predict } from '../../offchain/train/linear.ts';
import { describeSoundness, honestCircuit, type Inputs, witness } from './soundness.ts';

/** Half a block of eight rows a chunk, two rows at a time, and up to 33 features: two elements a row. */
const SHAPE: ChainShape = { rows: 4, blockRows: 8, width: 2, columns: 33, laneBits: 1 };
/** Blocks of two elements, absorbed as one group. */
const VALUES: ChainShape = { rows: 8, blockRows: 16, width: 2, columns: 2, laneBits: 16 };
const mainOf = ({ rows, blockRows, width, columns, laneBits }: ChainShape) => ({
  file: 'linear-inference.circom',
  template: 'LinearInference',
  args: [rows, blockRows, width, columns, laneBits],
  publicInputs: [],
});

const WEIGHTS = [700, -32_767, 32_767, 3, -900, ...Array.from({ length: 28 }, (_, j) => 11 * j - 150)];
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
function chunks(rows: number, columns: number, bias = -1_000): Promise<InferenceChunk[]> {
  const weights = WEIGHTS.slice(0, columns);
  const model: LinearModel = { version: 1, family: 'linear', weights, bias, scale: 3, quantiserHash: '0x00' };
  const features = featuresOf(rows, columns);
  return linearChunks(model, 21n, { features, predictions: predict(model, features), ...SALTS }, SHAPE);
}

const MINUS_ONE = '21888242871839275222246405745257275088548364400416034343698204186575808495616';
/** Seven rows of 32 features: a full chunk, and one that is cut short. */
const [first, last] = (await chunks(7, 32)) as [InferenceChunk, InferenceChunk];
/** All rows in one chunk, of five features: one element a row. */
const [only] = (await chunks(4, 5)) as [InferenceChunk];
/** Three chunks: one block, and a half. */
const [, second, third] = (await chunks(9, 33)) as [InferenceChunk, InferenceChunk, InferenceChunk];

type Changes = Partial<InferenceChunk['input']>;
const told = ({ input }: InferenceChunk, changes: Changes): Inputs => ({ ...input, ...changes }) as Inputs;
/** A cell, or a member of a list, that is another. */
function set(chunk: InferenceChunk, name: string, value: string, at: number, column = 0) {
  const list = structuredClone(chunk.input[name]) as (string | string[])[];
  const item = list[at];
  if (Array.isArray(item)) item[column] = value;
  else list[at] = value;
  return told(chunk, { [name]: list as string[] });
}

const DISHONEST: Record<string, Inputs> = {
  'a first chunk that passes over rows': told(first, { rowsBefore: '4' }),
  'a chunk that is half the first': told(last, { first: '2' }),
  'a chunk that is minus the first': told(last, { first: MINUS_ONE }),
  'a chunk that is twice the last': told(first, { last: '2' }),
  'a chunk that is minus the last': told(first, { last: MINUS_ONE }),
  'an end before the last row': told(first, { last: '1' }),
  'an end before the last row that says it is none': told(first, { last: '1', done: '1' }),
  'rows that are twice done': told(last, { done: '2' }),
  'rows that are done before the last': told(first, { done: '1' }),
  'an end behind the last row': told(last, { n: '8' }),
  'fewer rows than there are': told(last, { n: '6' }),
  'a chunk without a row, before the last row': told(last, { active: ['0', '0', '0', '0'], done: '0' }),
  'a row left out at the beginning': told(last, { active: ['0', '1', '1', '0'], n: '6' }),
  'a row left out in between': told(last, { active: ['1', '0', '1', '0'], n: '6' }),
  'a row that counts twice': told(last, { active: ['1', '2', '1', '0'], n: '8' }),
  'a first row that counts twice': told(last, { active: ['2', '0', '0', '0'], n: '6' }),
  'a row that counts for minus one': told(last, { active: ['1', '1', MINUS_ONE, '0'], n: '5' }),
  'a chunk in the middle that is cut short': told(first, { active: ['1', '1', '1', '0'] }),
  'a first chunk in the middle of its block': told(first, { part: ['0', '1'] }),
  'a block that is dropped': told(third, { active: ['0', '0', '0', '0'], rowsBefore: '9', part: ['0', '1'] }),
  'a part of no block': told(second, { part: ['0', '0'] }),
  'both parts of a block': told(second, { part: ['1', '1'] }),
  'a part and a half': told(second, { part: [MINUS_ONE, '2'] }),
  'a first chunk that finds predictions': told(first, { pendingBefore: ['5'] }),
  'no element of features': set(first, 'groupActive', '0', 0),
  'twice the first element of features': set(first, 'groupActive', '2', 0),
  'a second element that is half': set(first, 'groupActive', '2', 1),
  'a feature in an element that is not there': set(only, 'features', '7', 2, 32),
  'a feature of 256': set(first, 'features', '256', 0),
  'a feature of minus one': set(first, 'features', MINUS_ONE, 3, 4),
  'a weight of 2^32': set(first, 'parameters', String(2 ** 32), 1),
  'a weight below the least': set(first, 'parameters', MINUS_ONE, 6),
  'a bias of 2^32': set(first, 'parameters', String(2 ** 32), 0),
};

describeSoundness('linear inference', {
  main: mainOf(SHAPE),
  files: ['linear-inference.circom', 'inference-chain.circom', 'group-commitment.circom', 'bits.circom'],
  honest: [first, last, only, second, third].map((chunk) => told(chunk, {})),
  dishonest: DISHONEST,
  least: { lies: 70, mutants: 60 },
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

describeSoundness('linear regression', {
  main: mainOf(VALUES),
  files: ['linear-inference.circom'],
  honest: (await Promise.all([-5, 256 * 65_535, 256 * 65_536].map((score) => valueChunks(9, score))))
    .flat()
    .map((chunk) => told(chunk, {})),
  dishonest: {},
  least: { lies: 15, mutants: 14 },
});

describe('linear inference', () => {
  it('gives the public signals of its twin, in each chunk of a chain', async () => {
    const circuit = await honestCircuit(mainOf(SHAPE));
    for (const rows of [1, 2, 3, 4, 5, 8, 9, 13, 16]) {
      for (const columns of [2, 31, 33]) {
        const chain = await chunks(rows, columns);
        assert.equal(chain.length, Math.ceil(rows / 4));
        for (const [i, { input, signals }] of chain.entries()) {
          const w = await witness(circuit, input);
          assert.deepEqual(w.slice(1, 6), Object.values(signals), `${rows} rows, ${columns} features, chunk ${i}`);
          assert.equal(signals.stateIn, i === 0 ? 0n : chain[i - 1]!.signals.stateOut);
          assert.equal(signals.stateOut === 0n, i === chain.length - 1);
        }
      }
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

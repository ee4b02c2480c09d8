import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type InferenceChunk, inferenceChunks } from '../../offchain/prove/inference.ts';
import { describeSoundness, honestCircuit, type Inputs, witness } from './soundness.ts';

/** Chunks of two blocks of two rows, and models of up to six features, whose block is two groups of five elements. */
const SIZE = [2, 2, 6, 5] as const;
const SMALL = { file: 'linear-inference.circom', template: 'LinearInference', args: [...SIZE], publicInputs: [] };

const WEIGHTS = [700, -32_767, 32_767, 3, -900, 11];
/** Scores on both sides of 0, and at 0; the extremes of features, weights and bias. */
const ROWS = [
  [0, 0, 0, 0, 0, 0],
  [255, 0, 255, 255, 0, 255],
  [0, 255, 0, 0, 255, 0],
  [1, 0, 0, 100, 0, 0],
  [9, 8, 7, 6, 5, 4],
  [255, 255, 255, 255, 255, 255],
  [3, 1, 4, 1, 5, 9],
];

/** The chunks of the first rows and features. */
function chunks(rows: number, columns: number, bias = -1_000): Promise<InferenceChunk[]> {
  const values = Uint8Array.from({ length: rows * columns }, (_, i) => ROWS[i % rows]![Math.floor(i / rows)]!);
  const names = Array.from({ length: columns }, (_, j) => `x${j}`);
  const weights = WEIGHTS.slice(0, columns);
  const model = { version: 1, family: 'linear', weights, bias, scale: 3, quantiserHash: '0x00' } as const;
  const salts = { modelSalt: 21n, featuresSalt: 22n, predictionsSalt: 23n, stateSalt: (i: number) => 100n + BigInt(i) };
  return inferenceChunks({ model, features: { rows, columns: names, values }, ...salts }, SIZE);
}

const MINUS_ONE = '21888242871839275222246405745257275088548364400416034343698204186575808495616';
/** Seven rows of five features: a full chunk, and one that is cut short. */
const [first, last] = (await chunks(7, 5)) as [InferenceChunk, InferenceChunk];
const [only] = (await chunks(4, 6)) as [InferenceChunk];

type Changes = Partial<InferenceChunk['input']>;
const told = ({ input }: InferenceChunk, changes: Changes): Inputs => ({ ...input, ...changes }) as Inputs;
/** A cell, or a member of a list, that is another. */
function set(
  chunk: InferenceChunk,
  name: 'features' | 'parameters' | 'active' | 'groupActive',
  value: string,
  at: number,
  column = 0,
) {
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
  'an end behind the last row': told(last, { n: '8' }),
  'fewer rows than there are': told(last, { n: '6' }),
  'a chunk without a row': told(last, { active: ['0', '0', '0', '0'], n: '4' }),
  'a row left out at the beginning': told(last, { active: ['0', '1', '1', '0'], n: '6' }),
  'a row left out in between': told(last, { active: ['1', '0', '1', '0'], n: '6' }),
  'a row that counts twice': told(last, { active: ['1', '2', '1', '0'], n: '8' }),
  'a row that counts for minus one': told(last, { active: ['1', '1', MINUS_ONE, '0'], n: '5' }),
  'a chunk in the middle that is cut short': told(first, { active: ['1', '1', '1', '0'] }),
  'no group of features': set(first, 'groupActive', '0', 0),
  'twice the first group of features': set(first, 'groupActive', '2', 0),
  'a second group that is half': set(first, 'groupActive', '2', 1),
  'a group after one that is not there': told(only, { groupActive: ['0', '1'] }),
  'a feature that is not committed to': set(first, 'features', '7', 2, 5),
  'a feature of 256': set(first, 'features', '256', 0),
  'a feature of minus one': set(first, 'features', MINUS_ONE, 3, 4),
  'a weight of 2^32': set(first, 'parameters', String(2 ** 32), 1),
  'a weight below the least': set(first, 'parameters', MINUS_ONE, 6),
  'a bias of 2^32': set(first, 'parameters', String(2 ** 32), 0),
};

describeSoundness('linear inference', {
  main: SMALL,
  files: ['linear-inference.circom', 'group-commitment.circom', 'bits.circom'],
  honest: [first, last, only].map((chunk) => told(chunk, {})),
  dishonest: DISHONEST,
  least: { lies: 40, mutants: 35 },
});

describe('linear inference', () => {
  it('gives the public signals of its twin, in each chunk of a chain', async () => {
    const circuit = await honestCircuit(SMALL);
    for (const rows of [1, 2, 3, 4, 5, 7]) {
      for (const columns of [2, 5, 6]) {
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
    const circuit = await honestCircuit(SMALL);
    const biases = [0, 1, -1, 2 ** 31 - 1, 1 - 2 ** 31];
    for (const bias of biases) {
      const [chunk] = await chunks(1, 2, bias);
      assert.deepEqual((await witness(circuit, chunk!.input)).slice(1, 6), Object.values(chunk!.signals), String(bias));
    }
  });
});

import { R } from '../../offchain/prove/field.ts';
import { type ChainShape, inferenceChain } from '../../offchain/prove/inference-chain.ts';
import { describeSoundness, type Inputs } from './soundness.ts';

/** Chunks of a block and a half of eight rows, so that they begin in either half; three pieces of four rows. */
const CHAIN = { rows: 12, blockRows: 8, width: 2 };
/** Two elements a row, in blocks of two rows. */
const BYTES: ChainShape = { ...CHAIN, columns: 32, featureBits: 8, laneBits: 8 };
/** Six rows an element, up to five elements a block, two a group. */
const LANES: ChainShape = { ...CHAIN, columns: 5, featureBits: 40, laneBits: 1 };

const SALTS = { featuresSalt: 22n, predictionsSalt: 23n, stateSalt: (i: number) => 100n + BigInt(i) };
const MINUS_ONE = String(R - 1n);

/** What the template is given for each chunk of so many rows and features; features are 0 where `blank`. */
async function chunksOf(shape: ChainShape, rows: number, columns: number, blank = false): Promise<Inputs[]> {
  const predictions = Uint16Array.from({ length: rows }, (_, i) => (7 * i + 1) % 2 ** shape.laneBits);
  const features = {
    rows,
    columns: Array.from({ length: columns }, (_, j) => `x${j}`),
    values: Uint8Array.from({ length: rows * columns }, (_, i) => (blank ? 0 : (37 * i + 255) % 256)),
  };
  const chain = await inferenceChain({ features, predictions, ...SALTS }, shape);
  return chain.map(({ input }, i) => {
    const own = Array.from({ length: shape.rows }, (_, k) => String(predictions[i * shape.rows + k] ?? 0));
    return { ...input, predictions: own, extraBefore: [], extraAfter: [] };
  });
}

/** So many bits in a chunk's list of rows. */
const bits = (...ones: string[]) => [...ones, ...new Array<string>(12 - ones.length).fill('0')];
const ONES = (count: number) => new Array<string>(count).fill('1');

async function describeChain(name: string, shape: ChainShape): Promise<void> {
  const { columns } = shape;
  /** 19 rows: a full chunk, and one that begins in the middle of a block and is cut short. */
  const [first, last] = (await chunksOf(shape, 19, columns)) as [Inputs, Inputs];
  /** All rows in one chunk, of one group of features, which are 0: so no group is held by what is in it. */
  const [only] = (await chunksOf(shape, 12, 2, true)) as [Inputs];
  /** Three chunks, of which the last is one row. */
  const [, second, third] = (await chunksOf(shape, 25, columns)) as [Inputs, Inputs, Inputs];
  const set = (given: Inputs, list: string, at: number, value: string): Inputs => ({
    ...given,
    [list]: (given[list] as string[]).with(at, value),
  });

  const cell = (at: number, value: string): Inputs => {
    const [row, ...rows] = only.features as string[][];
    return { ...only, features: [row!.with(at, value), ...rows] };
  };

  describeSoundness(name, {
    main: {
      ...{ file: 'inference-chain.circom', template: 'InferenceChain', publicInputs: [] },
      args: [shape.rows, shape.blockRows, shape.width, columns, shape.featureBits, shape.laneBits, 0],
    },
    files: ['inference-chain.circom', 'group-commitment.circom', 'bits.circom'],
    honest: [first, last, only, second, third],
    dishonest: {
      'a first chunk that passes over rows': { ...first, rowsBefore: '4' },
      'a chunk that is twice the first': { ...first, first: '2' },
      'a chunk that is minus the first': { ...first, first: MINUS_ONE },
      'a chunk that is twice the last': { ...only, last: '2' },
      'a chunk that is minus the last': { ...only, last: MINUS_ONE },
      'an end before the last row': { ...first, last: '1' },
      'an end before the last row that says it is none': { ...first, last: '1', done: '1' },
      'rows that are twice done': { ...only, last: '0', done: '2' },
      'rows that are done before the last': { ...first, done: '1' },
      'an end behind the last row': { ...last, n: '20' },
      'fewer rows than there are': { ...last, n: '18' },
      'a chunk without a row, before the last row': { ...last, active: bits(), done: '0' },
      'a row left out at the beginning': { ...last, active: bits('0', ...ONES(6)), n: '18' },
      'a row left out in between': { ...last, active: bits('1', '0', ...ONES(5)), n: '18' },
      'a row that counts twice': { ...last, active: bits('1', '2', ...ONES(5)), n: '20' },
      'a first row that counts twice': { ...only, active: bits('2'), n: '2' },
      'a row that counts for minus one': { ...last, active: bits('1', '1', MINUS_ONE, ...ONES(4)), n: '17' },
      'a chunk in the middle that is cut short': { ...first, active: bits(...ONES(11)) },
      'a first chunk in the middle of its block': { ...first, part: ['0', '1'] },
      'a block that is dropped': { ...third, active: bits(), rowsBefore: '25', part: ['0', '1'] },
      'a part of no block': { ...second, part: ['0', '0'] },
      'both parts of a block': { ...second, part: ['1', '1'] },
      'a part and a half': { ...second, part: [MINUS_ONE, '2'] },
      'a first chunk that finds predictions': { ...first, pendingBefore: ['5'] },
      'no group of features': set(only, 'groupActive', 0, '0'),
      'twice the first group of features': set(only, 'groupActive', 0, '2'),
      'a second group that is half': set(only, 'groupActive', 1, '2'),
      ...(shape.featureBits === 8 && {
        'a feature that is no byte': cell(0, '256'),
        'a feature of a group that is in no root': cell(31, '1'),
      }),
    },
    forged: {
      'pieces that are the same part of their block': {
        file: 'inference-chain.circom',
        before: 'predicted[k].part[(p + k) % parts] <== part[p];',
        after: 'predicted[k].part[p] <== part[p];',
      },
    },
    disguised: { 'features that are not those of the root': { told: only, shown: cell(0, '1') } },
    least: { lies: 40, mutants: 30 },
  });
}

await describeChain('chains of rows of bytes', BYTES);
await describeChain('chains of rows in lanes', LANES);

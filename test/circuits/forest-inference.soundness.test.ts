import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { R } from '../../offchain/prove/field.ts';
import { claimedChunks, forestChunks } from '../../offchain/prove/forest-inference.ts';
import { walk } from '../../offchain/prove/forest-paths.ts';
import type { Challenges, Claims } from '../../offchain/prove/forest-sums.ts';
import { type ForestShape, forestNodes, recordsOf } from '../../offchain/prove/forest-table.ts';
import type { InferenceChunk } from '../../offchain/prove/inference-chain.ts';
import type { Features } from '../../offchain/table/quantise.ts';
import { type ForestModel, predictForest } from '../../offchain/train/forest-model.ts';
import { describeSoundness, honestCircuit, type Inputs, violations, witness } from './soundness.ts';

/** Half a block of six rows a chunk, two features, two trees of up to two decisions, and twelve nodes a chunk. */
const CHAIN = { rows: 3, blockRows: 6, width: 3, columns: 2, featureBits: 8 };
const SHAPE: ForestShape = { ...CHAIN, laneBits: 1, trees: 2, depth: 2, groups: 1 };
const mainOf = ({ rows, blockRows, width, columns, laneBits, trees, depth, groups }: ForestShape) => ({
  file: 'forest-inference.circom',
  template: 'ForestInference',
  args: [rows, blockRows, width, columns, laneBits, trees, depth, groups],
  publicInputs: [],
});

/** Both features, and thresholds that rows meet, miss by one, and are far from. */
const VALUES = [
  [0, 200],
  [100, 99],
  [99, 255],
  [255, 0],
  [101, 200],
  [128, 7],
  [100, 100],
];
const features = (rows: number): Features => ({
  rows,
  columns: ['a', 'b'],
  values: Uint8Array.from([0, 1].flatMap((column) => VALUES.slice(0, rows).map((row) => row[column]!))),
});
/** Leaves of the given numbers or classes; the second tree has one decision, and the shape at most two. */
const modelOf = (laneBits: ForestShape['laneBits'], leaves: readonly number[], second = true): ForestModel => ({
  ...{ version: 1, family: 'forest', width: 2, quantiserHash: '0x00' },
  ...{ output: laneBits === 8 ? 'votes' : 'sum', classes: { 1: 2, 8: 4, 16: 0 }[laneBits] },
  trees: [
    { features: [0, 1, 1, -1, -1, -1, -1], values: [100, 200, 100, ...leaves.slice(0, 4)] },
    ...(second ? [{ features: [1, -1, -1], values: [1, ...leaves.slice(4)] }] : []),
  ],
  bias: laneBits === 8 ? 0 : -3,
});
/** Sums on both sides of 0, and at 0. */
const MODEL = modelOf(1, [5, -2, 3, 4, 1, -2]);
const SALTS = { featuresSalt: 22n, predictionsSalt: 23n, stateSalt: (i: number) => 100n + BigInt(i) };

function honest(rows: number, model = MODEL, shape = SHAPE): Promise<InferenceChunk[]> {
  const fold = features(rows);
  return forestChunks(model, 21n, { features: fold, predictions: predictForest(model, fold), ...SALTS }, shape);
}

/** The only chunk for three rows, of a prover who changes what is claimed and does all that follows from it. */
async function claimed(change: (claims: Claims) => Partial<Claims>, chosen: Partial<Challenges> = {}): Promise<Inputs> {
  const fold = features(3);
  const nodes = forestNodes(MODEL, SHAPE);
  const claims = { nodes, records: recordsOf(nodes), paths: walk(MODEL, nodes, fold, SHAPE), bias: MODEL.bias };
  const predicted = { features: fold, predictions: predictForest(MODEL, fold), ...SALTS };
  const [chunk] = await claimedChunks({ ...claims, ...change(claims) }, 21n, predicted, SHAPE, chosen);
  return chunk!.input as Inputs;
}

/** Other paths: the leaf of a row in a tree, and what it claims of its decisions, from the lowest. */
const path = (row: number, tree: number, leaf: number, excess: readonly number[], sum?: number) =>
  claimed(({ paths }) => {
    const leaves = paths.leaves.with(row * 2 + tree, leaf);
    const own = paths.excess.slice();
    own.set(excess, (row * 2 + tree) * 2);
    const outputs = sum === undefined ? paths.outputs : paths.outputs.with(row, [sum + 2 ** 32 - 1]);
    return { paths: { leaves, excess: own, outputs } };
  });

const [first, , last] = (await honest(7)) as [InferenceChunk, InferenceChunk, InferenceChunk];
const [only] = (await honest(3)) as [InferenceChunk];
const told = ({ input }: InferenceChunk, changes: Partial<InferenceChunk['input']>): Inputs =>
  ({ ...input, ...changes }) as Inputs;
/** A member of a list that is more by one, or another. */
const more = (chunk: InferenceChunk, name: string, at = 0, value?: string): Inputs => {
  const list = chunk.input[name] as string[];
  return told(chunk, { [name]: list.with(at, value ?? String((BigInt(list[at]!) + 1n) % R)) });
};
const record = (at: number, change: (value: number) => number) =>
  claimed(({ records }) => ({ records: records.with(at, change(records[at]!)) }));

/*
 * Row 0 is (0, 200): left at 100, right at 200 by an excess of 0: leaf 5 of tree 1, -2. Then right at 1: leaf 3 of tree 2,
 * which is one decision higher than the shape's: -2. The sum is -7.
 */
const DISHONEST: Record<string, Inputs> = {
  'the wrong direction': await path(0, 0, 4, [0, 156], 0),
  'the wrong direction, with the excess of the right one': await path(0, 0, 7, [100, 0], -1),
  'the wrong direction by a threshold of another value': await path(0, 0, 4, [255, 156], 0),
  'a path through nodes that say otherwise': await path(0, 0, 5, [1, 156]),
  'two lies that make up for each other': await path(0, 0, 5, [1, 155]),
  'the features of another row': await path(2, 0, 7, [155, 0], -1),
  'a leaf that is none': await path(0, 0, 2, [0, 156]),
  'a leaf of no place': await path(0, 1, 0, [0, 0]),
  'a leaf of another tree': await path(0, 1, 5, [0, 156], -7),
  'a tree that is passed over': await path(0, 1, 1, [0, 0], -5),
  'more above a root than nothing': await path(0, 1, 3, [199, 1]),
  'another sum': await path(0, 0, 5, [0, 156], -6),
  'a class that is another': await path(0, 0, 5, [0, 156], 1),
  'a node that says it is another side': await record(2, (value) => value ^ (1 << 25)),
  'a leaf that says it is none': await record(4, (value) => value ^ (1 << 24)),
  'a node of another feature': await record(1, (value) => value + 256),
  'a node of another threshold': await record(1, (value) => value + 1),
  'a leaf of another value': await record(4, (value) => value + 1),
  'a tree that does not begin': await record(7, (value) => value - 2 ** 26),
  'a node twice': await claimed(({ nodes }) => {
    const twice = [...nodes, nodes.at(-1)!];
    return { nodes: twice, records: recordsOf(twice) };
  }),
  'a record of too many bits': more(only, 'records', 11, String(2 ** 30)),
  'gamma chosen': await claimed(() => ({}), { gamma: 1_000n }),
  'alpha chosen': await claimed(() => ({}), { alpha: 1_000n }),
  'eta chosen': await claimed(() => ({}), { eta: 1_000n }),
  'mu chosen': await claimed(() => ({}), { mu: 1_000n }),
  'delta chosen': await claimed(() => ({}), { delta: 1_000n }),
  'one visit more': more(only, 'visits', 4),
  'another answer': more(only, 'answers'),
  'another pole of a square': more(only, 'poles'),
  'another simple pole': more(only, 'poles', 4),
  'paths of more bits': more(only, 'paths', 0, String(2n ** 240n)),
  'paths of another run': told(only, { digests: ['1', '0', '0'] }),
  'answers of another run': told(only, { digests: ['0', '1', '0'] }),
  'visits of another run': told(only, { digests: ['0', '0', '1'] }),
  ...Object.fromEntries([0, 1, 2, 3, 4].map((k) => [`a first chunk with a sum ${k}`, more(first, 'sums', k)])),
  'a first chunk of another table': more(first, 'table', 0),
  'a first chunk of a table that is read': told(first, { table: (first.input.table as string[]).with(1, '0') }),
  'a first chunk of a second tree': more(first, 'table', 2),
  'a first chunk of a further place': more(first, 'table', 3),
  'a table that is half read': more(first, 'tableActive', 0, '2'),
  'a table that goes on after its end': told(last, { tableActive: ['1'] }),
  'a table that is not read': told(only, { tableActive: ['0'] }),
  'another bias': told(only, { bias: String(2 ** 31) }),
};

describeSoundness('forest inference', {
  main: mainOf(SHAPE),
  files: [
    'forest-inference.circom',
    'forest-row.circom',
    'forest-table.circom',
    'forest-challenges.circom',
    'absorb-all.circom',
    'bits.circom',
  ],
  honest: [only, first].map((chunk) => told(chunk, {})),
  dishonest: DISHONEST,
  least: { lies: 70, mutants: 60 },
});

describe('forest inference', () => {
  const SHAPES: [ForestShape, ForestModel][] = [
    [SHAPE, MODEL],
    [SHAPE, modelOf(1, [2 ** 23 - 1, 1 - 2 ** 23, 2, 0, 2, 3], false)],
    [{ ...SHAPE, laneBits: 8 }, modelOf(8, [3, 0, 1, 2, 1, 2])],
    [{ ...SHAPE, laneBits: 8 }, modelOf(8, [0, 3, 2, 1, 1, 3], false)],
    [{ ...SHAPE, laneBits: 16 }, modelOf(16, [300, -5, 2 ** 23 - 1, 259, 0, 2 ** 23 - 1])],
  ];

  for (const [shape, model] of SHAPES) {
    it(`gives the public signals of its twin, for ${model.trees.length} trees and ${shape.laneBits} bits`, async () => {
      const circuit = await honestCircuit(mainOf(shape));
      for (const rows of [1, 3, 7]) {
        const chain = await honest(rows, model, shape);
        for (const [i, { input, signals }] of chain.entries()) {
          const w = await witness(circuit, input as Inputs);
          assert.deepEqual(w.slice(1, 6), Object.values(signals), `${rows} rows, chunk ${i}`);
          assert.deepEqual(violations(circuit, w), []);
          assert.equal(signals.stateIn, i === 0 ? 0n : chain[i - 1]!.signals.stateOut);
        }
      }
    });
  }

  it('reads a long table to its end after the last row', async () => {
    const shape = { ...SHAPE, trees: 5 };
    const trees = Array.from({ length: 5 }, (_, t) => ({
      ...MODEL.trees[0]!,
      values: MODEL.trees[0]!.values.map((v) => v + t),
    }));
    const chain = await honest(2, { ...MODEL, trees }, shape);
    assert.equal(chain.length, 3);
    const circuit = await honestCircuit(mainOf(shape));
    for (const { input, signals } of chain) {
      assert.deepEqual((await witness(circuit, input as Inputs)).slice(1, 6), Object.values(signals));
    }
  });

  it('refuses forests that do not fit', async () => {
    const three = { ...MODEL, trees: [...MODEL.trees, MODEL.trees[0]!] };
    await assert.rejects(honest(1, three), { kind: 'configuration', code: 'INFERENCE_TOO_LARGE' });
    await assert.rejects(honest(1, MODEL, { ...SHAPE, depth: 1 }), { code: 'INFERENCE_TOO_LARGE' });
  });

  it('says the class with most votes, of several the least, and clips numbers at both ends', async () => {
    const output = async (laneBits: number, trees: number, numbers: readonly number[], width: number) => {
      const bits = numbers.flatMap((number) =>
        Array.from({ length: width }, (_, k) => String(Math.floor(number / 2 ** k) % 2)),
      );
      const main = { file: 'forest-row.circom', template: 'ForestOutput', args: [laneBits, trees], publicInputs: [] };
      const etaInverses = new Array<string>(17).fill('3');
      const [, leafSum, prediction] = await witness(await honestCircuit(main), { bits, etaInverses, bias: '0' });
      return { leafSum, prediction };
    };
    for (const sum of [-(2 ** 32), -256, -1, 0, 255, 256, 65_535 * 256 + 255, 65_536 * 256, 2 ** 31, 2 ** 32 - 1]) {
      const expected = BigInt(Math.min(Math.max(Math.floor(sum / 256), 0), 65_535));
      const said = await output(16, 100, [sum + 2 ** 32], 33);
      assert.deepEqual(said, { leafSum: (BigInt(sum) + R) % R, prediction: expected }, String(sum));
    }
    for (const sum of [1 - 2 ** 32, -1, 0, 1, 2 ** 32]) {
      const said = await output(1, 100, [sum - 1 + 2 ** 32], 33);
      assert.deepEqual(said, { leafSum: (BigInt(sum) + R) % R, prediction: BigInt(sum > 0) }, String(sum));
    }
    const votes = (of: Record<number, number>) => Array.from({ length: 17 }, (_, c) => of[c] ?? 0);
    for (const [of, winner] of [
      [{ 0: 100 }, 0],
      [{ 0: 50, 15: 50 }, 0],
      [{ 3: 33, 7: 34, 9: 33 }, 7],
      [{ 3: 1, 7: 2, 9: 2, 16: 95 }, 7],
      [{ 14: 49, 15: 51 }, 15],
    ] as const) {
      const said = await output(8, 100, votes(of), 7);
      assert.deepEqual(said, { leafSum: 300n, prediction: BigInt(winner) });
    }
  });

  it('costs what its formulas say', async () => {
    const count = async (file: string, template: string, args: number[]) =>
      (await honestCircuit({ file, template, args, publicInputs: [] })).r1cs.constraints.length;
    const votes = (trees: number) => 16 + 15 * (3 + Math.floor(Math.log2(trees)) + 1);
    for (const [columns, trees, depth] of [
      [2, 1, 3],
      [20, 5, 4],
    ] as const) {
      for (const [laneBits, output] of [
        [1, 0],
        [8, votes(trees)],
        [16, 9],
      ] as const) {
        const found = await count('forest-row.circom', 'ForestRow', [columns, trees, depth, laneBits]);
        assert.equal(found, trees * (depth + 1) + columns + output);
      }
    }
    const group = await count('group-commitment.circom', 'AbsorbGroups', [1, 3]);
    for (const [groups, depth] of [
      [1, 3],
      [2, 10],
    ] as const) {
      const found = await count('forest-table.circom', 'ForestTable', [groups, 3, depth, 1]);
      assert.equal(found, groups * (12 * (37 + depth) + group + 4));
    }
  });
});

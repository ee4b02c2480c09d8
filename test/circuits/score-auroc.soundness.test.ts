import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countsOf } from '../../offchain/prove/counts.ts';
import { R } from '../../offchain/prove/field.ts';
import { paddedInput, type Score } from '../../offchain/prove/score.ts';
import { describeSoundness, honestCircuit, type Inputs, witness } from './soundness.ts';

/** Ten rows in blocks of four, each of one element, and two groups of what the challenge is drawn from. */
const SMALL = { file: 'score-auroc.circom', template: 'AurocScore', args: [10, 4, 1], publicInputs: ['contextHash'] };

const score = (rows: readonly (readonly [label: number, baseline: number, candidate: number])[]): Score => ({
  ...{ metric: 'auroc', classes: 2 },
  labels: Uint8Array.from(rows, ([label]) => label),
  baselinePredictions: Uint16Array.from(rows, ([, baseline]) => baseline),
  candidatePredictions: Uint16Array.from(rows, ([, , candidate]) => candidate),
  ...{ labelsSalt: 11n, baselineSalt: 12n, candidateSalt: 13n, contextHash: 14n },
});

/** Ties within a class and across classes, the lowest and the highest scores, one class alone, and all rows tied. */
const ROWS = [
  [
    [1, 5, 1],
    [0, 5, 2],
    [1, 0, 3],
    [0, 0, 4],
    [0, 9, 5],
    [1, 65535, 5],
    [1, 7, 5],
  ],
  [[1, 0, 65535]],
  [
    [0, 3, 3],
    [0, 3, 4],
  ],
  [
    [1, 0, 9],
    [0, 0, 8],
    [1, 0, 7],
    [0, 0, 6],
    [1, 0, 5],
    [0, 0, 4],
    [1, 0, 3],
    [0, 0, 2],
    [1, 0, 1],
    [0, 0, 0],
  ],
] as const;

const HONEST = ROWS.map((rows) => paddedInput(score(rows), 10));
const FIRST = HONEST[0]!;
const MINUS_ONE = String(R - 1n);

const list = (name: string) => FIRST[name] as readonly string[];
const changed = (name: string, ...changes: readonly (readonly [i: number, value: string])[]): Inputs => ({
  ...FIRST,
  [name]: changes.reduce((values, [i, value]) => values.with(i, value), list(name)),
});
const swapped = (name: string, i: number, j: number) => changed(name, [i, list(name)[j]!], [j, list(name)[i]!]);
const added = (name: string, i: number, more: number) => changed(name, [i, String(Number(list(name)[i]) + more)]);

describeSoundness('the score circuit of AUROC', {
  main: SMALL,
  files: ['score-auroc.circom', 'placements.circom', 'permutation.circom'],
  honest: HONEST,
  dishonest: {
    'a row that counts twice': changed('active', [1, '2']),
    'a row of padding that counts': changed('active', [9, '1']),
    'a label of 2': changed('labels', [0, '2']),
    ...Object.fromEntries(
      ['baseline', 'candidate'].flatMap((model) => {
        const [placements, scores, positives] = ['Placements', 'SortedScores', 'SortedPositives'].map((n) => model + n);
        return Object.entries({
          'a score of 17 bits': changed(`${model}Predictions`, [0, '65536']),
          'a score in the padding': changed(`${model}Predictions`, [8, '1']),
          'a placement that is better': added(placements!, 0, 1),
          'a placement beyond all rows': changed(placements!, [0, '64']),
          'a placement below none': changed(placements!, [0, MINUS_ONE]),
          'a placement in the padding': changed(placements!, [9, '2']),
          'two placements exchanged, which leaves their sum': swapped(placements!, 0, 2),
          'an order that rises': swapped(scores!, 1, 4),
          'a score that is nobody’s': added(scores!, 0, -1),
          'the last row left out of the order': changed(scores!, [6, '0']),
          'a row in the padding of the order': changed(scores!, [7, '1']),
          // In another group: within one of equal scores rows may come in any order.
          'a positive row further up': added(positives!, model === 'baseline' ? 1 : 3, 1),
          'a positive row too many': added(positives!, 6, 1),
          'a positive row in the padding of the order': added(positives!, 9, 1),
        }).map(([attack, inputs]) => [`${model}: ${attack}`, inputs]);
      }),
    ),
  },
  forged: {
    'all rows passed off as tied': {
      file: 'placements.circom',
      before: 'ends[k] <-- step == 0 ? 0 : 1;',
      after: 'ends[k] <-- 0;',
    },
    'no rows passed off as tied': {
      file: 'placements.circom',
      before: 'ends[k] <-- step == 0 ? 0 : 1;',
      after: 'ends[k] <-- active[k];',
    },
  },
  least: { lies: 65, mutants: 39 },
});

describe('the score circuit of AUROC', () => {
  it('gives the counts of its twin', async () => {
    const circuit = await honestCircuit(SMALL);
    for (const [i, rows] of ROWS.entries()) {
      assert.deepEqual((await witness(circuit, HONEST[i]!)).slice(5, 7), countsOf(score(rows)));
    }
  });
});

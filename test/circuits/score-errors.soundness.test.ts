import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countsOf } from '../../offchain/prove/counts.ts';
import { R } from '../../offchain/prove/field.ts';
import { paddedInput, type Score } from '../../offchain/prove/score.ts';
import { describeSoundness, honestCircuit, type Inputs, witness } from './soundness.ts';

/** Six rows in blocks of four, each of one element. */
const small = (metric: 'mse' | 'mae') => ({
  file: `score-${metric}.circom`,
  template: metric === 'mse' ? 'MseScore' : 'MaeScore',
  args: [6, 4, 3],
  publicInputs: ['contextHash'],
});

const score = (
  metric: string,
  rows: readonly (readonly [label: number, baseline: number, candidate: number])[],
): Score => ({
  ...{ metric, classes: 0 },
  labels: Uint16Array.from(rows, ([label]) => label),
  baselinePredictions: Uint16Array.from(rows, ([, baseline]) => baseline),
  candidatePredictions: Uint16Array.from(rows, ([, , candidate]) => candidate),
  ...{ labelsSalt: 11n, baselineSalt: 12n, candidateSalt: 13n, contextHash: 14n },
});

/** Errors of both signs and of none, the largest ones, and labels below, at and above their median. */
const ROWS = [
  [
    [5, 9, 2],
    [0, 65535, 0],
    [65535, 0, 65535],
    [700, 700, 690],
  ],
  [[40, 41, 39]],
  [
    [7, 7, 7],
    [7, 8, 6],
  ],
  [
    [65535, 65535, 0],
    [0, 0, 65535],
    [65535, 65534, 1],
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
  ],
] as const;
const MINUS_ONE = String(R - 1n);

for (const metric of ['mse', 'mae'] as const) {
  const main = small(metric);
  const honest = ROWS.map((rows) => paddedInput(score(metric, rows), 6));
  const changed = (name: string, i: number, value: string): Inputs => ({
    ...honest[0]!,
    [name]: (honest[0]![name] as readonly string[]).with(i, value),
  });
  const vectors = ['labels', 'baselinePredictions', 'candidatePredictions'];

  describeSoundness(`the score circuit of ${metric}`, {
    main,
    files: metric === 'mse' ? ['score-mse.circom'] : ['score-mae.circom', 'magnitude.circom'],
    honest,
    dishonest: {
      'a row that counts twice': changed('active', 1, '2'),
      'a row of padding that counts': changed('active', 5, '1'),
      ...Object.fromEntries(
        vectors.flatMap((name) => [
          [`${name}: a value of 17 bits, which reaches into the next lane`, changed(name, 0, '65536')],
          [`${name}: a minus one`, changed(name, 1, MINUS_ONE)],
          [`${name}: an error in the padding`, changed(name, 4, '1')],
        ]),
      ),
      ...(metric === 'mae' && {
        'a centre that no label is near': { ...honest[0]!, centre: '1000000' },
        'a centre far below all labels': { ...honest[0]!, centre: String(R - 100_000n) },
      }),
    },
    ...(metric === 'mae' && {
      forged: {
        'errors passed off as negative, so that they add up to less': {
          file: 'magnitude.circom',
          before: 'negative <== 1 - shifted[bits];',
          after: 'negative <== 0 * shifted[bits];',
        },
        'a label at the centre passed off as above it': {
          file: 'equal.circom',
          before: 'out <== 1 - (left - right) * inverse;',
          after: 'out <== 0 * inverse;',
        },
      },
      free: { '.inverse': 'where both are equal it is multiplied by 0, and it is read nowhere else' },
    }),
    least: metric === 'mse' ? { lies: 17, mutants: 6 } : { lies: 21, mutants: 6 },
  });

  describe(`the score circuit of ${metric}`, () => {
    it('gives the counts of its twin', async () => {
      const circuit = await honestCircuit(main);
      for (const [i, rows] of ROWS.entries()) {
        const w = await witness(circuit, honest[i]!);
        assert.deepEqual(w.slice(5, 7), countsOf(score(metric, rows)));
      }
    });
  });
}

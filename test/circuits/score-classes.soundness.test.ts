import { R } from '../../offchain/prove/field.ts';
import { paddedInput } from '../../offchain/prove/score.ts';
import { describeSoundness, type Inputs } from './soundness.ts';

/** 33 rows in blocks of 31: two blocks, each of two elements in one group of three, the last one cut short. */
const SMALL = {
  file: 'score-classes.circom',
  template: 'ClassesScore',
  args: [33, 31, 3],
  publicInputs: ['contextHash'],
};

/** Four classes of which each model is wrong in some rows, both in some; the last class is 255. */
function rows(n: number): Inputs {
  const cut = (of: (i: number) => number) => Uint8Array.from({ length: n }, (_, i) => of(i));
  const label = (i: number) => [0, 1, 255, 2][(i * 7) % 4]!;
  return paddedInput(
    {
      ...{ metric: 'accuracy', classes: 256 },
      labels: cut(label),
      baselinePredictions: cut((i) => (i % 3 === 0 ? (label(i) + 1) % 256 : label(i))),
      candidatePredictions: cut((i) => (i % 5 === 0 ? 7 : label(i))),
      ...{ labelsSalt: 11n, baselineSalt: 12n, candidateSalt: 13n, contextHash: 14n },
    },
    33,
  );
}

const HONEST = rows(31);
const MINUS_ONE = String(R - 1n);

const changed = (name: string, i: number, value: string): Inputs => ({
  ...HONEST,
  [name]: (HONEST[name] as readonly string[]).with(i, value),
});

describeSoundness('the score circuit of many classes', {
  main: SMALL,
  files: ['score-classes.circom', 'equal.circom', 'score-rows.circom', 'sum.circom', 'block-commitment.circom'],
  honest: [HONEST, ...[1, 2, 32, 33].map(rows)],
  dishonest: {
    'no row at all': {
      ...HONEST,
      ...Object.fromEntries(Object.keys(HONEST).map((name) => [name, rows(1)[name]!])),
      active: new Array<string>(33).fill('0'),
    },
    'a row that counts twice': changed('active', 1, '2'),
    'a row that counts for minus one': changed('active', 30, MINUS_ONE),
    'a dropped row passed off as padding': changed('active', 3, '0'),
    'a row of padding that counts': changed('active', 32, '1'),
    ...Object.fromEntries(
      ['labels', 'baselinePredictions', 'candidatePredictions'].flatMap((name) => [
        [`${name}: a class of nine bits, which reaches into the next lane`, changed(name, 0, '256')],
        [`${name}: a minus one`, changed(name, 2, MINUS_ONE)],
        [`${name}: a class in the padding of a block`, changed(name, 31, '1')],
        [`${name}: a class in the last row of padding`, changed(name, 32, '255')],
      ]),
    ),
  },
  forged: {
    'all predictions passed off as right': {
      file: 'equal.circom',
      before: 'signal inverse <-- left == right ? 0 : 1 / (left - right);',
      after: 'signal inverse <-- 0;',
    },
    'right predictions passed off as wrong': {
      file: 'equal.circom',
      before: 'out <== 1 - (left - right) * inverse;',
      after: 'out <== 0 * inverse;',
    },
  },
  free: { '.inverse': 'where both are equal it is multiplied by 0, and it is read nowhere else' },
  least: { lies: 42, mutants: 28 },
});

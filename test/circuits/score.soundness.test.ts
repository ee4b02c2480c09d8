import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { paddedInput, scoreSignals } from '../../offchain/prove/score.ts';
import { describeSoundness, honestCircuit, type Inputs, witness } from './soundness.ts';

/** Five rows in blocks of two: three blocks, the last one cut short, with the constraints of the large classes. */
const SMALL = { file: 'score.circom', template: 'Score', args: [5, 2], publicInputs: ['contextHash'] };

const honest = (overrides: Inputs = {}): Inputs => ({
  active: ['1', '1', '1', '0', '0'],
  labels: ['1', '0', '1', '0', '0'],
  baselinePredictions: ['0', '0', '1', '0', '0'],
  candidatePredictions: ['1', '1', '1', '0', '0'],
  labelsSalt: '11',
  baselineSalt: '12',
  candidateSalt: '13',
  contextHash: '14',
  ...overrides,
});

const VECTORS = ['labels', 'baselinePredictions', 'candidatePredictions'] as const;
const MINUS_ONE = '21888242871839275222246405745257275088548364400416034343698204186575808495616';

/** What a prover could wish for, each with the name of the attack. */
const DISHONEST: Record<string, Inputs> = {
  'no row at all': honest({
    active: ['0', '0', '0', '0', '0'],
    labels: ['0', '0', '0', '0', '0'],
    baselinePredictions: ['0', '0', '0', '0', '0'],
    candidatePredictions: ['0', '0', '0', '0', '0'],
  }),
  'a first row left out': honest({
    active: ['0', '1', '1', '0', '0'],
    labels: ['0', '0', '1', '0', '0'],
    candidatePredictions: ['0', '1', '1', '0', '0'],
  }),
  'a dropped row passed off as padding': honest({
    active: ['1', '0', '1', '0', '0'],
    candidatePredictions: ['1', '0', '1', '0', '0'],
  }),
  'a row that counts twice': honest({ active: ['1', '2', '1', '0', '0'] }),
  'a row that counts for minus one': honest({ active: ['1', '1', MINUS_ONE, '0', '0'] }),
  'a first row that counts twice': honest({ active: ['2', '1', '1', '0', '0'] }),
  ...Object.fromEntries(
    VECTORS.flatMap((name) => {
      const bits = honest()[name] as readonly string[];
      const at = (i: number, value: string) => honest({ [name]: bits.map((bit, k) => (k === i ? value : bit)) });
      return [
        [`${name}: a 2`, at(0, '2')],
        [`${name}: a minus one`, at(2, MINUS_ONE)],
        [`${name}: a bit in the padding of the last block`, at(3, '1')],
        [`${name}: a bit in a block of padding`, at(4, '1')],
      ];
    }),
  ),
};

describeSoundness('the score circuit', {
  main: SMALL,
  files: ['score.circom'],
  honest: [honest(), honest({ active: ['1', '1', '1', '1', '1'] }), ...[1, 2, 4].map(rows)],
  dishonest: DISHONEST,
  least: { lies: 21, mutants: 3 },
});

describe('the score circuit', () => {
  it('gives the public signals of its twin', async () => {
    const circuit = await honestCircuit(SMALL);
    // The twin's blocks hold 240 rows, so only a vector that fits one small block has the same root.
    const two = rows(2);
    const bits = (name: string) => Uint8Array.from((two[name] as string[]).slice(0, 2), Number);
    const twin = await scoreSignals({
      ...{ metric: 'accuracy', classes: 2 },
      labels: bits('labels'),
      baselinePredictions: bits('baselinePredictions'),
      candidatePredictions: bits('candidatePredictions'),
      labelsSalt: 11n,
      baselineSalt: 12n,
      candidateSalt: 13n,
      contextHash: 14n,
    });
    const w = await witness(circuit, two);
    assert.equal(w.length, circuit.r1cs.signals);
    assert.deepEqual(w.slice(1, 7), Object.values(twin).flat());
  });
});

/** The first n rows of one pattern, padded to five. */
function rows(n: number): Inputs {
  const cut = (bits: readonly number[]) => Uint8Array.from(bits.slice(0, n));
  const salts = { labelsSalt: 11n, baselineSalt: 12n, candidateSalt: 13n, contextHash: 14n };
  return paddedInput(
    {
      ...{ metric: 'accuracy', classes: 2 },
      labels: cut([1, 0, 1, 1]),
      baselinePredictions: cut([0, 1, 1, 0]),
      candidatePredictions: cut([1, 0, 0, 1]),
      ...salts,
    },
    5,
  );
}

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { scoreInput, scoreSignals } from '../../offchain/prove/score.ts';
import {
  believe,
  build,
  type Change,
  type Circuit,
  falsehoods,
  freeSignals,
  gullible,
  type Inputs,
  type Lie,
  lie,
  violations,
  weakenings,
  witness,
} from './soundness.ts';

const FILES = ['score.circom', 'block-commitment.circom'];
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

/** Runs `task` for all items, two at a time. */
async function forAll<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
  };
  await Promise.all([worker(), worker()]);
}

const place = ({ file, line, before: text }: Change) => `${file}:${line}: ${text.trim()}`;

describe('soundness of the score circuit', () => {
  let circuit: Circuit;
  let believer: Circuit;
  let lies: [name: string, told: Lie][];

  before(async () => {
    circuit = await build(SMALL);
    believer = await build(SMALL, await gullible(FILES), 'O0');
    lies = [];
    for (const [name, inputs] of Object.entries(DISHONEST)) lies.push([name, await lie(believer, inputs)]);
    await forAll(await falsehoods(FILES), async (change) => {
      const liar = await build(SMALL, [change], 'O0');
      lies.push([`one too much in ${place(change)}`, await lie(liar, honest())]);
    });
  });

  it('accepts the honest witness, and the liars can tell the truth too', async () => {
    assert.deepEqual(violations(circuit, await witness(circuit, honest())), []);
    assert.deepEqual(violations(circuit, believe(circuit, await lie(believer, honest()))), []);
  });

  it('leaves no signal free, so the outputs follow from the inputs', async () => {
    const inputs = [honest(), honest({ active: ['1', '1', '1', '1', '1'] }), ...[1, 2, 4].map(rows)];
    for (const input of inputs) assert.deepEqual(freeSignals(circuit, await witness(circuit, input)), []);
  });

  it('rejects every dishonest witness, moved in many signals together', async () => {
    assert.ok(lies.length > 30);
    for (const [name, told] of lies) assert.notDeepEqual(violations(circuit, believe(circuit, told)), [], name);
  });

  it('kills every mutant of the source: a dropped constraint lets a lie through or a signal free', async () => {
    const survivors: string[] = [];
    const truth = await lie(believer, honest());
    const mutants = await weakenings(FILES);
    assert.ok(mutants.length >= 19);
    await forAll(mutants, async (change) => {
      // Without a calculator of its own, and with the linear constraints left in, it compiles four times as fast.
      const mutant = await build(SMALL, [change], 'O1', false);
      if (freeSignals(mutant, believe(mutant, truth)).length > 0) return;
      for (const [, told] of lies) if (violations(mutant, believe(mutant, told)).length === 0) return;
      survivors.push(place(change));
    });
    assert.deepEqual(survivors, []);
  });

  it('gives the public signals of its twin', async () => {
    const w = await witness(circuit, honest());
    // The twin's blocks hold 248 rows, so only a vector that fits one small block has the same root.
    const two = rows(2);
    const bits = (name: string) => Uint8Array.from((two[name] as string[]).slice(0, 2), Number);
    const twin = await scoreSignals({
      labels: bits('labels'),
      baselinePredictions: bits('baselinePredictions'),
      candidatePredictions: bits('candidatePredictions'),
      labelsSalt: 11n,
      baselineSalt: 12n,
      candidateSalt: 13n,
      contextHash: 14n,
    });
    assert.equal(w.length, circuit.r1cs.signals);
    assert.deepEqual((await witness(circuit, two)).slice(1, 7), Object.values(twin));
  });
});

/** The first n rows of one pattern, padded to five. */
function rows(n: number): Inputs {
  const cut = (bits: readonly number[]) => Uint8Array.from(bits.slice(0, n));
  const salts = { labelsSalt: 11n, baselineSalt: 12n, candidateSalt: 13n, contextHash: 14n };
  return scoreInput(
    {
      labels: cut([1, 0, 1, 1]),
      baselinePredictions: cut([0, 1, 1, 0]),
      candidatePredictions: cut([1, 0, 0, 1]),
      ...salts,
    },
    5,
  );
}

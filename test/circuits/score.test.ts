import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as snarkjs from 'snarkjs';
import { vectorRoot } from '../../offchain/commitment.ts';
import { pack, unpack } from '../../offchain/delta.ts';
import { jointCounts } from '../../offchain/metrics.ts';
import { CIRCUITS, type CircuitName, circuitRecords, compiled } from '../../offchain/prove/circuits.ts';
import { fromLittleEndian } from '../../offchain/prove/field.ts';
import { readR1cs } from '../../offchain/prove/r1cs.ts';
import { scoreCircuit, scoreInput, scoreSignals } from '../../offchain/prove/score.ts';
import { SCORE_CASES } from '../vectors/score.ts';

/** The six public signals as the checked-in witness calculator gives them. */
async function circuitSignals(circuit: CircuitName, input: ReturnType<typeof scoreInput>): Promise<bigint[]> {
  const file = { type: 'mem' as const, data: new Uint8Array() };
  await snarkjs.wtns.calculate(input, compiled(circuit, 'wasm'), file);
  return Array.from({ length: 6 }, (_, i) => fromLittleEndian(file.data, 76 + 32 * (i + 1)));
}

describe('score vectors', () => {
  for (const { name, score, signals } of SCORE_CASES) {
    it(`TypeScript and circom agree on ${name}`, async () => {
      const circuit = scoreCircuit(score.labels.length);
      assert.deepEqual(Object.values(await scoreSignals(score)), signals);
      assert.deepEqual(await circuitSignals(circuit, scoreInput(score, CIRCUITS[circuit].args[0])), signals);
    });
  }

  it('gives the same signals in the small and in the large size class', async () => {
    const { score, signals } = SCORE_CASES.find(({ name }) => name === 'the demo benchmark')!;
    assert.deepEqual(await circuitSignals('score4096', scoreInput(score, 4096)), signals);
  });

  it('packs cells so that the twin of the contract reads them back, at the largest counts of a lane too', () => {
    for (const { score } of SCORE_CASES) {
      const cells = jointCounts(score.labels, score.baselinePredictions, score.candidatePredictions);
      const { n, b, c } = unpack(pack(cells));
      assert.deepEqual([n, b, c].map(Number), [score.labels.length, cells[2]! + cells[5]!, cells[3]! + cells[4]!]);
    }
    assert.equal(pack(new Array(8).fill(2 ** 31 - 1)), (1n << 248n) - 1n);
  });
});

describe('attacks on the score circuit', () => {
  const { score, signals } = SCORE_CASES.find(({ name }) => name === 'the demo benchmark')!;

  it('unequal n: the roots of vectors of different lengths differ, though padding makes them equal', async () => {
    for (const bits of [score.labels, new Uint8Array(248), new Uint8Array(1)]) {
      const root = (values: Uint8Array) => vectorRoot({ name: 'labels', laneBits: 1, columns: [values], salt: 1n });
      assert.notEqual(await root(bits), await root(Uint8Array.of(...bits, 0)));
    }
    await assert.rejects(scoreSignals({ ...score, labels: Uint8Array.of(...score.labels, 0) }), RangeError);
    // In the circuit there is one n for all three, so a witness that mixes them does not exist.
    const input = scoreInput(score, 512);
    const candidatePredictions = [...input.candidatePredictions!];
    candidatePredictions[284] = '1';
    await assert.rejects(circuitSignals('score512', { ...input, candidatePredictions }), /Assert Failed/);
  });

  it('forged counts: the witness calculator knows no input for them, and another context gives another attestation', async () => {
    const other = await scoreSignals({ ...score, contextHash: score.contextHash + 1n });
    assert.notEqual(other.attestationHash, signals[0]);
    assert.deepEqual(Object.values(other).slice(1, 5), signals.slice(1, 5));
  });
});

describe('snapshot of the compiled circuits', () => {
  for (const name of Object.keys(CIRCUITS) as CircuitName[]) {
    it(`${name} has the constraints that its formula and its record say`, () => {
      const r1cs = readR1cs(compiled(name, 'r1cs'));
      const { constraints, signals, publicSignals } = circuitRecords()[name];
      assert.equal(r1cs.constraints.length, constraints);
      assert.equal(r1cs.signals, signals);
      assert.equal(r1cs.publicSignals, publicSignals);
      const [rows, blockRows] = CIRCUITS[name].args;
      const blocks = Math.ceil(rows / blockRows);
      // The first row, and with it the first block, is known to be active: 1 + 3 constraints less.
      assert.equal(constraints, 6 * rows + 3 * 241 * blocks + 3 * 291 + 351 - 4);
    });
  }
});

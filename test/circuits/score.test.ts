import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as snarkjs from 'snarkjs';
import { CIRCUITS, type CircuitName, circuitRecords, compiled } from '../../offchain/prove/circuits.ts';
import { fromLittleEndian } from '../../offchain/prove/field.ts';
import { readR1cs } from '../../offchain/prove/r1cs.ts';
import {
  countCells,
  packCells,
  scoreCircuit,
  scoreInput,
  scoreSignals,
  unpackCells,
} from '../../offchain/prove/score.ts';
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

  it('packs and unpacks cells, at the largest counts that a lane holds too', () => {
    for (const { score } of SCORE_CASES) assert.deepEqual(unpackCells(packCells(countCells(score))), countCells(score));
    const full = Array.from({ length: 8 }, () => 0x7fffffffn) as unknown as ReturnType<typeof unpackCells>;
    assert.deepEqual(unpackCells(packCells(full)), full);
  });
});

describe('attacks on the score circuit', () => {
  const { score, signals } = SCORE_CASES.find(({ name }) => name === 'the demo benchmark')!;

  it('unequal n: the roots of vectors of different lengths differ, though padding makes them equal', async () => {
    for (const name of ['labels', 'baselinePredictions', 'candidatePredictions'] as const) {
      const longer = await scoreSignals({ ...score, [name]: [...score[name], 0] });
      const changed = Object.values(longer).map((signal, i) => signal !== signals[i]);
      const root = 1 + ['labels', 'baselinePredictions', 'candidatePredictions'].indexOf(name);
      assert.ok(changed[0] && changed[root], name);
    }
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

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as snarkjs from 'snarkjs';
import { vectorRoot } from '../../offchain/commitment.ts';
import { pack, unpack } from '../../offchain/delta.ts';
import { jointCounts } from '../../offchain/metrics.ts';
import { CIRCUITS, type CircuitName, circuitRecords, compiled, type Template } from '../../offchain/prove/circuits.ts';
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
      const root = (values: Uint8Array) => vectorRoot({ name: 'labels', laneBits: 1, values: values, salt: 1n });
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

/** Constraints of circomlib's Poseidon, of which each constant input saves three. */
const poseidon = (inputs: number, constant = 0) => {
  const partialRounds = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68][inputs - 1]!;
  // Of inputs + 1 lanes, the first begins as a constant.
  return 3 * (8 * (inputs + 1) + partialRounds - 1 - constant);
};

/** What the comments of the templates add up to. */
const FORMULAS: Record<Template, (args: readonly number[]) => number> = {
  Score: ([rows, blockRows]) => {
    const blocks = Math.ceil(rows! / blockRows!);
    const once = 3 * poseidon(4, 2) + poseidon(6, 1);
    // The first row, and with it the first block, is known to be active: 1 + 3 constraints less.
    return 6 * rows! + 3 * (poseidon(2) + 1) * blocks + once - 4;
  },
  LinearInference: ([blocks, blockRows, columns, width]) => {
    const bits = 40 + Math.ceil(Math.log2(columns!));
    const elements = columns! * Math.ceil(blockRows! / 31);
    const groups = Math.ceil(elements / width!);
    const rows = blocks! * blockRows! * (9 * columns! + bits + 2);
    const absorbed = blocks! * (groups * (poseidon(width! + 1) + 1) + elements + poseidon(2) + 2);
    // Of 36 elements of parameters, filled up to 45, those behind the last are constant.
    const constant = 45 - Math.ceil((columns! + 1) / 7);
    const parameters = 32 * (columns! + 1) + poseidon(4, 2) + 3 * poseidon(16) - 3 * constant;
    const begun = poseidon(4, 1) + poseidon(4, 2);
    const states = 2 * poseidon(7, 1);
    // Bits of first and last, no rows before the first, both beginnings, the two ends, four outputs; groups that never rise.
    const others = 2 + 1 + 2 + 2 + 4 + groups - 1;
    // The first row, its block and the first group are known to be active: a row's two, a block's two, a group's and its elements.
    return rows + absorbed + parameters + begun + states + others - 2 - 2 - blocks! * (1 + width!);
  },
};

describe('snapshot of the compiled circuits', () => {
  for (const name of Object.keys(CIRCUITS) as CircuitName[]) {
    it(`${name} has the constraints that its formula and its record say`, () => {
      const r1cs = readR1cs(compiled(name, 'r1cs'));
      const { constraints, signals, publicSignals } = circuitRecords()[name];
      assert.equal(r1cs.constraints.length, constraints);
      assert.equal(r1cs.signals, signals);
      assert.equal(r1cs.publicSignals, publicSignals);
      const { template, args } = CIRCUITS[name];
      assert.equal(constraints, FORMULAS[template](args));
    });
  }
});

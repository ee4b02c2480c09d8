import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as snarkjs from 'snarkjs';
import { vectorRoot } from '../../offchain/commitment.ts';
import { pack, unpack } from '../../offchain/delta/delta.ts';
import { jointCounts } from '../../offchain/metrics/exact.ts';
import {
  CIRCUITS,
  type CircuitName,
  circuitRecords,
  compiled,
  type ScoreCircuit,
  type ScoreTemplate,
  type Template,
} from '../../offchain/prove/circuits.ts';
import { fromLittleEndian } from '../../offchain/prove/field.ts';
import { readR1cs } from '../../offchain/prove/r1cs.ts';
import { type ScoreInput, scoreCircuit, scoreInput, scoreSignals } from '../../offchain/prove/score.ts';
import { SCORE_CASES } from '../vectors/score.ts';

/** The public signals as the checked-in witness calculator gives them. */
async function circuitSignals(circuit: ScoreCircuit, input: ScoreInput): Promise<bigint[]> {
  const file = { type: 'mem' as const, data: new Uint8Array() };
  await snarkjs.wtns.calculate(input, compiled(circuit, 'wasm'), file);
  return Array.from({ length: circuitRecords()[circuit].publicSignals }, (_, i) =>
    fromLittleEndian(file.data, 76 + 32 * (i + 1)),
  );
}

describe('score vectors', () => {
  for (const { name, score, signals } of SCORE_CASES) {
    it(`TypeScript and circom agree on ${name}`, async () => {
      const circuit = scoreCircuit(score.metric, score.classes, score.labels.length);
      assert.deepEqual(Object.values(await scoreSignals(score)).flat(), signals);
      assert.deepEqual(await circuitSignals(circuit, scoreInput(score, circuit)), signals);
    });
  }

  it('gives the same signals in the small and in the large size class', async () => {
    const { score, signals } = SCORE_CASES.find(({ name }) => name === 'the demo benchmark')!;
    assert.deepEqual(await circuitSignals('score4096', scoreInput(score, 'score4096')), signals);
  });

  it('packs cells so that the twin of the contract reads them back, at the largest counts of a lane too', () => {
    for (const { score } of SCORE_CASES.filter((one) => one.score.classes === 2 && one.score.metric !== 'auroc')) {
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
    for (const bits of [score.labels, new Uint8Array(240), new Uint8Array(1)]) {
      const root = (values: ArrayLike<number>) => vectorRoot({ name: 'labels', laneBits: 1, values, salt: 1n });
      assert.notEqual(await root(bits), await root([...bits, 0]));
    }
    await assert.rejects(scoreSignals({ ...score, labels: Uint8Array.of(...score.labels, 0) }), RangeError);
    // In the circuit there is one n for all three, so a witness that mixes them does not exist.
    const input = scoreInput(score, 'score512');
    const candidatePredictions = [...input.candidatePredictions!];
    candidatePredictions[284] = '1';
    await assert.rejects(circuitSignals('score512', { ...input, candidatePredictions }), /Assert Failed/);
  });

  it('forged counts: the witness calculator knows no input for them, and another context gives another attestation', async () => {
    const other = await scoreSignals({ ...score, contextHash: score.contextHash + 1n });
    assert.notEqual(other.attestationHash, signals[0]);
    assert.deepEqual(Object.values(other).flat().slice(1, 5), signals.slice(1, 5));
  });
});

/** Constraints of circomlib's Poseidon, of which each constant input saves three. */
const poseidon = (inputs: number, constant = 0) => {
  const partialRounds = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68][inputs - 1]!;
  // Of inputs + 1 lanes, the first begins as a constant.
  return 3 * (8 * (inputs + 1) + partialRounds - 1 - constant);
};

/** Of the blocks of a vector, in which elements that hold no row of the size class are constant. */
function absorbed([rows, blockRows, width = 15]: readonly number[], laneBits: number): number {
  const lanes = Math.floor(240 / laneBits);
  const count = Math.ceil(blockRows! / lanes);
  const [size, groups] = count === 1 ? [1, 1] : [width, Math.ceil(count / width)];
  let constraints = 0;
  for (let start = 0; start < rows!; start += blockRows!) {
    const elements = Math.ceil(Math.min(blockRows!, rows! - start) / lanes);
    constraints += groups * poseidon(size + 1) - 3 * (groups * size - elements) + 1;
  }
  return constraints;
}

/**
 * What a score costs with so many constraints a row, its commitments and its attestation. The first row, and with it the
 * first block of each vector, is known to be active: 1 + 3 constraints less.
 */
function scoreConstraints(
  args: readonly number[],
  perRow: number,
  words: number,
  labels: number,
  predictions = labels,
) {
  const committed = 3 * poseidon(4, 2) + absorbed(args, labels) + 2 * absorbed(args, predictions);
  return perRow * args[0]! + committed + poseidon(5 + words, 1) - 4;
}

/** What the comments of the templates add up to. */
const FORMULAS: Record<ScoreTemplate, (args: readonly number[]) => number> = {
  Score: (args) => scoreConstraints(args, 6, 1, 1),
  ClassesScore: (args) => scoreConstraints(args, 30, 1, 8),
  MseScore: (args) => scoreConstraints(args, 53, 2, 16),
  // The centre of the first row is the centre.
  MaeScore: (args) => scoreConstraints(args, 107, 2, 16) - 1,
  AurocScore: (args) => {
    const [rows, , width] = args as [number, number, number];
    const bits = Math.ceil(Math.log2(2 * rows));
    const elements = Math.ceil(rows / Math.floor(253 / (36 + 2 * bits)));
    const groups = Math.ceil(elements / width);
    const challenge = poseidon(4, 1) + groups * poseidon(width + 1) - 3 * (groups * width - elements);
    // Of each model the first position is the start of a group with nothing above it (2), the end of the last and the start
    // of the second are known (2), and the products begin with factors and end equal (3); of the first row, that it is active.
    return scoreConstraints(args, 87 + 2 * bits, 2, 1, 16) + challenge - 2 * 7 - 1;
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
      // Those of inferences are in the tests of their templates.
      const formula = (FORMULAS as Partial<Record<Template, (args: readonly number[]) => number>>)[template];
      if (formula) assert.equal(constraints, formula(args));
    });
  }
});

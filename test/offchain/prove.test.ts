import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { before, describe, it } from 'node:test';
import * as snarkjs from 'snarkjs';
import { circuitRecords, compiled, developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { FixedBase } from '../../offchain/prove/curve.ts';
import { inverseAll, mod, power, Q, R, rootOfUnity } from '../../offchain/prove/field.ts';
import { sha256OfFile, writeDevelopmentKey } from '../../offchain/prove/key-file.ts';
import {
  circuitId,
  developmentVerificationKey,
  encodeVerificationKey,
  type VerificationKey,
  verificationKey,
} from '../../offchain/prove/keys.ts';
import { NATIVE_PROVER } from '../../offchain/prove/native.ts';
import { type Groth16Proof, prove } from '../../offchain/prove/prove.ts';
import { readR1cs } from '../../offchain/prove/r1cs.ts';
import { scoreCircuit, scoreInput } from '../../offchain/prove/score.ts';
import { verifyProof } from '../../offchain/prove/verify.ts';
import { SCORE_CASES, SCORE_PROOF } from '../vectors/score.ts';

const { score, signals } = SCORE_CASES.find(({ name }) => name === SCORE_PROOF.case)!;
const input = scoreInput(score, 'score512');
const keyFile = await developmentKeyFile('score512');

/** What snarkjs says of a proof; its worker threads would keep this process alive. */
async function snarkjsAccepts(...parameters: Parameters<typeof snarkjs.groth16.verify>): Promise<boolean> {
  const accepted = await snarkjs.groth16.verify(...parameters);
  await (globalThis as unknown as { curve_bn128: { terminate(): Promise<void> } }).curve_bn128.terminate();
  return accepted;
}

describe('prove', () => {
  for (const prover of ['snarkjs', 'native'] as const) {
    const skip = prover === 'native' && !existsSync(NATIVE_PROVER) && 'not built: npm run prover:native';
    it(`makes a proof with ${prover} that snarkjs accepts, of the signals of the vector`, { skip }, async () => {
      const proven = await prove('score512', input, keyFile, { prover });
      assert.deepEqual(proven.publicSignals.map(BigInt), signals);
      assert.equal(proven.prover, prover);
      const key = verificationKey(await readFile(keyFile));
      assert.equal(await snarkjsAccepts(key, proven.publicSignals, proven.proof), true);
      assert.equal(verifyProof(key, proven.publicSignals, proven.proof), true);
      assert.notDeepEqual(proven.proof, SCORE_PROOF.proof, 'proofs are blinded, so no two are alike');
    });

    it(`refuses with ${prover} a key that belongs to another circuit`, { skip }, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'hokusai-test-'));
      try {
        // The same circuit under another name, with one coefficient of the constraints changed.
        const other = join(folder, 'other.zkey');
        const bytes = await readFile(keyFile);
        bytes[bytes.length - 68 - 12 - 100] = bytes[bytes.length - 68 - 12 - 100]! ^ 1;
        await writeFile(other, bytes);
        await assert.rejects(prove('score512', input, other, { prover }), {
          kind: 'terminal',
          code: /PROOF_INVALID|PROVER_FAILED/,
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }

  it('refuses rows that are no bits, naming the constraint and no value', async () => {
    const labels = (input.labels as string[]).with(3, '2');
    await assert.rejects(prove('score512', { ...input, labels }, keyFile), {
      code: 'WITNESS_UNSATISFIED',
      kind: 'terminal',
      message: /score512: .*Error in template Score/s,
    });
  });

  it('stops when asked to', async () => {
    await assert.rejects(prove('score512', input, keyFile, { signal: AbortSignal.timeout(300) }), {
      name: 'TimeoutError',
    });
  });

  it('chooses the smallest circuit, and says what the largest holds', () => {
    const sizes = { 1: 'score512', 512: 'score512', 513: 'score4096', 4096: 'score4096' };
    for (const [rows, name] of Object.entries(sizes)) assert.equal(scoreCircuit('recall', 2, Number(rows)), name);
    for (const classes of [3, 256]) assert.equal(scoreCircuit('accuracy', classes, 1024), 'classes1024');
    assert.equal(scoreCircuit('mse', 0, 1024), 'mse1024');
    assert.equal(scoreCircuit('mae', 0, 512), 'mae512');
    assert.throws(() => scoreCircuit('accuracy', 2, 4097), {
      kind: 'configuration',
      code: 'SCORE_TOO_LARGE',
      details: { metric: 'accuracy', classes: 2, rows: 4097, largest: 4096 },
    });
  });

  it('has no circuit for a metric that the task does not have', () => {
    for (const [metric, classes] of [
      ['recall', 3],
      ['accuracy', 0],
      ['mse', 2],
      ['mape', 0],
    ] as const) {
      assert.throws(() => scoreCircuit(metric, classes, 1), { kind: 'configuration', code: 'SCORE_UNSUPPORTED' });
    }
  });
});

describe('verifyProof', () => {
  const { proof, publicSignals } = SCORE_PROOF;
  let key: VerificationKey;
  before(async () => {
    key = verificationKey(await readFile(keyFile));
  });

  it('forged public signals: each one changed, plus r, dropped, added, or not canonical', () => {
    assert.equal(verifyProof(key, publicSignals, proof), true);
    for (const [i, signal] of publicSignals.entries()) {
      for (const other of [
        `${BigInt(signal) + 1n}`,
        `${BigInt(signal) + R}`,
        '0',
        `0${signal}`,
        `0x${BigInt(signal).toString(16)}`,
        '-1',
        '',
      ]) {
        assert.equal(verifyProof(key, publicSignals.with(i, other), proof), false, `signal ${i} = ${other}`);
      }
    }
    assert.equal(verifyProof(key, publicSignals.slice(1), proof), false);
    assert.equal(verifyProof(key, [...publicSignals, '0'], proof), false);
  });

  it('malleated proof: every coordinate changed, plus q, off the curve, or at infinity', () => {
    const changed = (text: string) => JSON.parse(text) as Groth16Proof;
    const text = JSON.stringify(proof);
    for (const coordinate of text.match(/\d{20,}/g)!) {
      for (const other of [BigInt(coordinate) + 1n, BigInt(coordinate) + Q, 0n, Q - BigInt(coordinate)]) {
        assert.equal(verifyProof(key, publicSignals, changed(text.replace(coordinate, `${other}`))), false);
      }
    }
    assert.equal(verifyProof(key, publicSignals, { ...proof, pi_a: ['0', '1', '0'] }), false);
    assert.equal(verifyProof(key, publicSignals, { ...proof, pi_a: proof.pi_c, pi_c: proof.pi_a }), false);
    assert.equal(verifyProof(key, publicSignals, changed('{"pi_a":[],"pi_b":[],"pi_c":[]}')), false);
  });

  it('keys that do not match the circuit', () => {
    assert.equal(verifyProof({ ...key, vk_alpha_1: key.IC[0]! }, publicSignals, proof), false);
    assert.equal(verifyProof({ ...key, IC: key.IC.slice(1) }, publicSignals, proof), false);
  });
});

describe('development keys', () => {
  it('are made anew when the cached file was cut short', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hokusai-test-'));
    const before = process.env.HOKUSAI_CACHE_DIR;
    process.env.HOKUSAI_CACHE_DIR = folder;
    try {
      await mkdir(join(folder, 'keys'));
      const cut = join(folder, 'keys', basename(keyFile));
      await writeFile(cut, (await readFile(keyFile)).subarray(0, 1000));
      assert.equal(await developmentKeyFile('score512'), cut);
      assert.deepEqual(await readFile(cut), await readFile(keyFile));
    } finally {
      if (before === undefined) delete process.env.HOKUSAI_CACHE_DIR;
      else process.env.HOKUSAI_CACHE_DIR = before;
      await rm(folder, { recursive: true });
    }
  });

  for (const prover of ['snarkjs', 'native'] as const) {
    const skip = prover === 'native' && !existsSync(NATIVE_PROVER) && 'not built: npm run prover:native';
    it(`have the bytes on record, derived with ${prover}`, { skip }, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'hokusai-test-'));
      try {
        const file = join(folder, 'derived.zkey');
        await writeDevelopmentKey(compiled('score512', 'r1cs'), file, prover);
        assert.equal(await sha256OfFile(file), circuitRecords().score512.developmentKey);
        assert.deepEqual(await readdir(folder), ['derived.zkey']);
        await rm(file);
        await assert.rejects(writeDevelopmentKey(compiled('score512', 'wasm'), file, prover), {
          kind: 'terminal',
          message: /r1cs/,
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }

  it('have the circuitId on record, and the key bytes of the vectors', async () => {
    const key = verificationKey(await readFile(keyFile));
    assert.equal(circuitId(key), circuitRecords().score512.developmentCircuitId);
    assert.equal(encodeVerificationKey(key), SCORE_PROOF.key);
  });

  it('refuse bytes that are no key and no constraint system', () => {
    assert.throws(() => verificationKey(Buffer.from('zkey')), { code: 'KEY_FORMAT', kind: 'terminal' });
    assert.throws(() => verificationKey(compiled('score512', 'r1cs')), { code: 'KEY_FORMAT' });
    assert.throws(() => readR1cs(Buffer.from('r1cs')), { code: 'R1CS_FORMAT', kind: 'terminal' });
    assert.throws(() => readR1cs(compiled('score512', 'wasm')), { code: 'R1CS_FORMAT' });
  });

  it('differ from circuit to circuit', () => {
    const r1cs = readR1cs(compiled('score512', 'r1cs'));
    const fewer = { ...r1cs, constraints: r1cs.constraints.slice(0, 50) };
    const fewest = { ...r1cs, constraints: r1cs.constraints.slice(0, 49) };
    assert.notEqual(circuitId(developmentVerificationKey(fewer)), circuitId(developmentVerificationKey(fewest)));
  });
});

describe('arithmetic behind the keys', () => {
  it('multiplies the generators as the group law says, at the edges of the windows too', () => {
    for (const group of ['G1', 'G2'] as const) {
      const base = new FixedBase(group);
      const points = (...scalars: bigint[]) => Buffer.from(base.multiples(scalars)).toString('hex');
      // 0 and R are infinity; k and R - k share x; the 4,096 scalars of a chunk and those after it agree.
      assert.equal(points(0n), '0'.repeat(base.pointBytes * 2));
      for (const k of [1n, 2n, 4095n, 4096n, 4097n, 1n << 252n]) {
        assert.equal(points(k).slice(0, base.pointBytes), points(R - k).slice(0, base.pointBytes));
        assert.notEqual(points(k), points(R - k));
      }
      const many = Array.from({ length: 5000 }, (_, i) => BigInt(i));
      assert.equal(points(...many).slice(-4 * base.pointBytes), points(4998n, 4999n));
    }
  });

  it('inverts, and finds roots of unity of exactly the order asked for', () => {
    const values = [1n, 2n, R - 1n, 123456789n];
    assert.deepEqual(
      inverseAll(values).map((inverse, i) => mod(inverse * values[i]!)),
      [1n, 1n, 1n, 1n],
    );
    for (const bits of [1, 13, 28]) {
      assert.equal(power(rootOfUnity(bits), 1n << BigInt(bits)), 1n);
      assert.equal(power(rootOfUnity(bits), 1n << BigInt(bits - 1)), R - 1n);
    }
  });
});

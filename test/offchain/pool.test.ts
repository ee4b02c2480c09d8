import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as snarkjs from 'snarkjs';
import { compiled, developmentKeyFile } from '../../offchain/prove/circuits.ts';
import { type Inference, proveInference } from '../../offchain/prove/inference.ts';
import { NATIVE_PROVER } from '../../offchain/prove/native.ts';
import { openProver, peakBytes, sideBySide } from '../../offchain/prove/pool.ts';
import { scoreInput } from '../../offchain/prove/score.ts';
import { verifyProof } from '../../offchain/prove/verify.ts';
import { WitnessCalculator } from '../../offchain/prove/witness.ts';
import { openExecutor, type StepEvent } from '../../offchain/run/executor.ts';
import { predict } from '../../offchain/train/linear.ts';
import { SCORE_CASES } from '../vectors/score.ts';

const cases = SCORE_CASES.filter(({ score }) => score.labels.length <= 512).slice(0, 3);
const inputs = cases.map(({ score }) => scoreInput(score, 'score512'));
const [first] = inputs as [(typeof inputs)[0]];
const wrong = { ...first, labels: (first.labels as string[]).with(3, '2') };
const keyFile = () => developmentKeyFile('score512');
const notBuilt = !existsSync(NATIVE_PROVER) && 'not built: npm run prover:native';

/** Processes below this one that prove. */
function provers(): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args=']).toString().trim().split('\n');
  const rows = lines.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)!.slice(1));
  const below = (parent: string): string[][] =>
    rows.filter(([, ppid]) => ppid === parent).flatMap((row) => [row, ...below(row[0]!)]);
  const found = below(String(process.pid)).filter(([, , args]) => /prove\/child|hokusai-prover/.test(args!));
  return found.map(([pid]) => pid!);
}

async function noneLeft(within: number): Promise<boolean> {
  for (let waited = 0; waited < within; waited += 50, await sleep(50)) if (provers().length === 0) return true;
  return false;
}

describe('a prover', () => {
  for (const prover of ['snarkjs', 'native'] as const) {
    const skip = prover === 'native' && notBuilt;
    it(`proves job after job with ${prover} in processes that it keeps, also after an input that fails`, {
      skip,
    }, async () => {
      const opened = openProver('score512', keyFile, { prover });
      try {
        const jobs = [inputs[0]!, wrong, ...inputs.slice(1)].map((input) => opened.prove(input));
        const [one, failed, ...others] = await Promise.allSettled(jobs);
        assert(failed?.status === 'rejected');
        assert.equal(failed.reason.code, 'WITNESS_UNSATISFIED');
        for (const [i, result] of [one!, ...others].entries()) {
          assert(result.status === 'fulfilled');
          const { proof, publicSignals, verificationKey } = result.value;
          assert.deepEqual(publicSignals.map(BigInt), cases[i]!.signals);
          assert.equal(verifyProof(verificationKey, publicSignals, proof), true);
          assert(result.value.peakBytes < peakBytes('score512', prover), `${result.value.peakBytes}`);
        }
        const running = provers();
        await opened.prove(first);
        assert.deepEqual(provers(), running);
        assert(running.length > 0);
      } finally {
        opened.close();
      }
      assert(await noneLeft(1_000), 'processes are left');
      await assert.rejects(opened.prove(first), /closed/);
    });

    it(`stops with ${prover} within a second when asked to, and proves again afterwards`, { skip }, async () => {
      const opened = openProver('score512', keyFile, { prover, memory: 1.1 * peakBytes('score512', prover) });
      try {
        await opened.prove(first);
        const stop = new AbortController();
        const stopped = assert.rejects(opened.prove(first, stop.signal), { name: 'AbortError' });
        const bystander = assert.rejects(opened.prove(first), { kind: 'retryable', code: 'PROVER_KILLED' });
        const before = provers();
        await sleep(10);
        stop.abort();
        const asked = performance.now();
        await Promise.all([stopped, bystander]);
        assert(performance.now() - asked < 1_000);
        assert(await noneLeft(1_000), 'processes are left');
        await opened.prove(first);
        assert(provers().every((pid) => !before.includes(pid)));
      } finally {
        opened.close();
      }
    });

    it(`survives with ${prover} that its process is killed`, { skip }, async () => {
      const opened = openProver('score512', keyFile, { prover });
      try {
        await opened.prove(first);
        const lost = assert.rejects(opened.prove(first), { kind: 'retryable', code: 'PROVER_KILLED' });
        // With the native prover it is that, the last, which runs out of memory.
        process.kill(Number(provers().at(-1)), 'SIGKILL');
        await lost;
        await opened.prove(first);
      } finally {
        opened.close();
      }
    });
  }

  it('refuses less memory than a proof takes, and asks for no key before there is something to prove', () => {
    const noKey = () => assert.fail('asked for a key');
    assert.throws(() => openProver('linear30', noKey, { prover: 'snarkjs', memory: 100e6 }), {
      kind: 'configuration',
      code: 'PROVER_MEMORY',
      message: /linear30 with snarkjs takes \d\.\d GB, more than the 0\.1 GB/,
    });
    openProver('linear30', noKey, { prover: 'snarkjs', memory: 4e9 }).close();
  });
});

describe('an inference', () => {
  it('that is stopped goes on after the chunks that were proven', { skip: notBuilt }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hokusai-test-'));
    const [rows, columns] = [260, ['a', 'b']];
    const weights = [5, -7];
    const model = {
      version: 1,
      family: 'linear',
      weights,
      bias: 12,
      scale: 9,
      quantiserHash: '0x00',
    } as const;
    const values = Uint8Array.from({ length: rows * columns.length }, (_, i) => (i * 37) % 256);
    const salts = { modelSalt: 1n, featuresSalt: 2n, predictionsSalt: 3n, stateSalt: BigInt };
    const features = { rows, columns, values };
    const shape = { family: 'linear', inputs: 2, laneBits: 1 } as const;
    const inference: Inference = { model, shape, features, predictions: predict(model, features), ...salts };
    try {
      const stop = new AbortController();
      const onEvent = ({ type }: StepEvent) => type === 'finished' && stop.abort();
      const stopped = await openExecutor(folder, { signal: stop.signal, onEvent });
      await assert.rejects(proveInference(inference, stopped), { code: 'RUN_ABORTED' });
      await stopped.close();
      assert(await noneLeft(1_000), 'processes are left');
      const resumed = await openExecutor(folder);
      const { chunks, verificationKey } = await proveInference(inference, resumed);
      assert.equal(chunks.length, 2);
      for (const { proof, publicSignals } of chunks)
        assert.equal(verifyProof(verificationKey, publicSignals, proof), true);
      assert.deepEqual(
        resumed
          .steps()
          .map(({ reused }) => reused)
          .sort(),
        [false, true],
      );
      await resumed.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('sideBySide', () => {
  it('keeps the order, and has no more at work than it may', async () => {
    let [working, most] = [0, 0];
    const results = await sideBySide([5, 1, 4, 2, 3], 2, async (item, i) => {
      most = Math.max(most, ++working);
      await sleep(item);
      working--;
      return `${i}:${item}`;
    });
    assert.deepEqual(results, ['0:5', '1:1', '2:4', '3:2', '4:3']);
    assert.equal(most, 2);
  });

  it('begins none after a failure, and lets those at work come to their end', async () => {
    const ended: number[] = [];
    const work = async (item: number) => {
      if (item === 1) throw new Error('one');
      await sleep(20);
      ended.push(item);
    };
    await assert.rejects(sideBySide([0, 1, 2, 3], 2, work), /one/);
    assert.deepEqual(ended, [0]);
  });
});

describe('the witness calculator', () => {
  const calculator = new WitnessCalculator(compiled('score512', 'wasm'));

  it('computes, again and again, what snarkjs computes', async () => {
    for (const input of inputs) {
      const theirs = { type: 'mem' as const, data: new Uint8Array() };
      await snarkjs.wtns.calculate(input, compiled('score512', 'wasm'), theirs);
      assert.deepEqual(Buffer.from(calculator.calculate(input)), Buffer.from(theirs.data));
    }
  });

  it('takes numbers modulo the order of the field, as snarkjs does', () => {
    const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
    const salted = (labelsSalt: bigint) =>
      Buffer.from(calculator.calculate({ ...first, labelsSalt: String(labelsSalt) }));
    assert.deepEqual(salted(-5n), salted(r - 5n));
    assert.deepEqual(salted(r + (1n << 40n)), salted(1n << 40n));
    assert.notDeepEqual(salted((1n << 40n) + 1n), salted(1n << 40n));
  });

  it('says what is wrong with an input, and no value, and then computes the next', () => {
    const { labelsSalt: _, ...less } = first;
    for (const [input, message] of [
      [less, /^1 input values are missing\.$/],
      [{ ...first, lables: '987654' }, /^lables is no input\.$/],
      [{ ...first, labels: ['987654'] }, /^labels has 1 values, expected 512\.$/],
      [wrong, /^Assert Failed\.(\s*Error in template \w+ line: \d+)+$/],
    ] as const) {
      assert.throws(() => calculator.calculate(input), { code: 'WITNESS_UNSATISFIED', kind: 'terminal', message });
      assert.equal(calculator.calculate(first).length > 0, true);
    }
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keccak256, zeroHash } from 'viem';
import type { Attestation } from '../../offchain/attestation/attest.ts';
import { connect } from '../../offchain/chain/connect.ts';
import { isProven, proveInference, type Inference as Recorded } from '../../offchain/chain/inference.ts';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import { send, view } from '../../offchain/chain/send.ts';
import { featureBitsOf } from '../../offchain/commitment.ts';
import { CIRCUITS, compiled, INFERENCE_CIRCUITS } from '../../offchain/prove/circuits.ts';
import { capacityOf, inferenceChunks, inferenceCircuit, type ProvenChunk } from '../../offchain/prove/inference.ts';
import { circuitId, encodeVerificationKey } from '../../offchain/prove/keys.ts';
import { predict } from '../../offchain/train/linear.ts';
import { inferenceChecks } from '../../offchain/verify/inference.ts';
import { violations, witness } from '../circuits/soundness.ts';
import { createRealModel, type RealModel } from '../real-round.ts';
import { INFERENCE_KEY, LINEAR30, simulatedChain, simulatedChunks } from '../simulate.ts';

const ROWS = 524;
const COLUMNS = 30;
const key = INFERENCE_KEY;

/** A model of 30 features on rows of two chunks, with the extremes of features. */
function chunksOf(columns = COLUMNS, rows = ROWS) {
  const values = Uint8Array.from({ length: rows * columns }, (_, i) => (i * 2_654_435_761) >>> 24);
  const weights = Array.from({ length: columns }, (_, j) => (j % 2 ? 1 : -1) * ((j * 7_919) % 4_096));
  const names = weights.map((_, j) => `x${j}`);
  const model = { version: 1, family: 'linear', weights, bias: 12_345, scale: 9, quantiserHash: '0x00' } as const;
  const salts = { modelSalt: 1n, featuresSalt: 2n, predictionsSalt: 3n, stateSalt: (i: number) => 10n + BigInt(i) };
  const features = { rows, columns: names, values };
  return inferenceChunks({
    model,
    shape: { family: 'linear', inputs: columns, laneBits: 1 },
    features,
    predictions: predict(model, features),
    ...salts,
  });
}

describe('the compiled inference circuit', () => {
  it('holds for 524 rows of 30 features in two chunks, and for fewer of both, with the public signals of its twin', async () => {
    const circuit = {
      compiled: { r1cs: new Uint8Array(), wasm: compiled('linear30', 'wasm'), sym: '' },
      ...{ r1cs: LINEAR30, names: [] },
    };
    for (const [columns, rows, expected] of [
      [COLUMNS, ROWS, 2],
      [7, 360, 1],
    ] as const) {
      const chunks = await chunksOf(columns, rows);
      assert.equal(chunks.length, expected);
      for (const { input, signals } of chunks) {
        const w = await witness(circuit, input);
        assert.deepEqual(w.slice(1, 6), Object.values(signals));
        assert.deepEqual(violations(circuit, w), []);
      }
    }
  });

  it('reads features as folds of its family commit to them', () => {
    for (const name of INFERENCE_CIRCUITS) {
      assert.equal(capacityOf(name).featureBits, featureBitsOf(CIRCUITS[name].family), name);
    }
  });

  it('is chosen by the number of features, and refused where there are too many', () => {
    assert.equal(inferenceCircuit({ family: 'linear', inputs: 30, laneBits: 1 }), 'linear30');
    assert.throws(() => inferenceCircuit({ family: 'linear', inputs: 31, laneBits: 1 }), {
      kind: 'configuration',
      code: 'INFERENCE_TOO_LARGE',
    });
  });
});

describe('verification of inferences', async () => {
  const signals = (await chunksOf()).map((chunk) => Object.values(chunk.signals) as bigint[]);
  const [, last] = signals as [bigint[], bigint[]];
  const model = { commitment: String(last[0]), predictionsRoot: String(last[2]) };
  const attestation = {
    benchmark: { featuresRoot: String(last[1]) },
    models: { baseline: model, candidate: model },
    inference: { circuit: 'linear30', circuitId: circuitId(key), prover: 'native' },
  } as unknown as Attestation;
  const chunks = simulatedChunks(signals);
  const withKey = (list: readonly ProvenChunk[], verificationKey = key) =>
    list.map((chunk) => ({ ...chunk, verificationKey }));
  const files = { baseline: withKey(chunks), candidate: withKey(chunks) };
  const failing = (changes: Partial<typeof files>, stated = attestation) =>
    inferenceChecks(stated, { ...files, ...changes })
      .filter(({ ok }) => !ok)
      .map(({ name }) => name);

  it('accepts a chain for each model, and warns of the development key', () => {
    assert.deepEqual(failing({}), []);
    assert.equal(inferenceChecks(attestation, files)[0]!.warning, true);
  });

  it('attack: a chain cut short, begun late, empty, out of order, or with a chunk twice', () => {
    const [a, b] = chunks as [ProvenChunk, ProvenChunk];
    for (const candidate of [[a], [b], [], [b, a], [a, a, b], [a, b, b]]) {
      assert.deepEqual(failing({ candidate: withKey(candidate) }), ['inference of the candidate']);
    }
  });

  it('attack: another public signal, with the proof of the first or with one of its own', () => {
    for (const [i, list] of signals.entries()) {
      for (const j of list.keys()) {
        const forged = signals.map((other, k) => (k === i ? list.with(j, list[j]! + 1n) : other));
        const kept = chunks.map((chunk, k) => ({ ...chunk, publicSignals: forged[k]!.map(String) }));
        assert.deepEqual(
          failing({ baseline: withKey(kept) }),
          ['inference of the baseline'],
          `chunk ${i}, signal ${j}`,
        );
        const proven = simulatedChunks(forged);
        assert.deepEqual(
          failing({ baseline: withKey(proven) }),
          ['inference of the baseline'],
          `chunk ${i}, signal ${j}`,
        );
      }
    }
  });

  it('attack: another model, other predictions, other features, another circuit or key', () => {
    const state = (members: object) => ({ ...attestation, ...members }) as Attestation;
    const both = ['inference of the baseline', 'inference of the candidate'];
    assert.deepEqual(failing({}, state({ benchmark: { featuresRoot: '5' } })), both);
    const candidate = { ...model, commitment: '5' };
    assert.deepEqual(failing({}, state({ models: { baseline: model, candidate } })), both.slice(1));
    const baseline = { ...model, predictionsRoot: '5' };
    assert.deepEqual(failing({}, state({ models: { baseline, candidate: model } })), both.slice(0, 1));
    const circuit = { ...attestation.inference!, circuit: 'score512' };
    assert.deepEqual(failing({}, state({ inference: circuit })), ['inference circuit']);
    const id = { ...attestation.inference!, circuitId: zeroHash };
    assert.deepEqual(failing({}, state({ inference: id })), ['inference circuit', ...both]);
    const other = { ...key, vk_alpha_1: key.IC[0]! };
    const forged = withKey(chunks, other);
    assert.deepEqual(failing({ baseline: forged, candidate: forged }), ['inference circuit', ...both]);
    assert.deepEqual(failing({ candidate: [files.candidate[0]!, forged[1]!] }), both.slice(1));
    assert.deepEqual(failing({ baseline: [], candidate: [] }), both);
  });
});

describe('recording inferences', () => {
  let chain: LocalChain;
  let m: RealModel;
  let inference: Recorded;
  before(async () => {
    chain = await startLocalChain();
    m = await createRealModel(chain);
    const owner = await connect({ ...chain, account: chain.accounts.owner });
    const encoded = encodeVerificationKey(key);
    await send(owner, { action: '-', contract: 'circuitRegistry', functionName: 'register', args: [encoded, 5n] });
    const args = [m.benchmarkId] as const;
    const [foldId] = await view(owner, { contract: 'modelRegistry', functionName: 'foldIds', args });
    inference = { circuitId: keccak256(encoded), modelCommitment: 9n, foldId: foldId!, predictionsRoot: 501n };
  });
  after(() => chain.stop());

  /** The featuresRoot of the model's fold is 1. */
  const chainOf = (what: Recorded, count: number, salt?: bigint) => simulatedChain(what, 1n, count, salt);

  it('sends many chunks in several transactions, goes on after some, and does nothing twice', async () => {
    const chunks = chainOf(inference, 60);
    const sent = await proveInference(m.settler, inference, chunks);
    assert.equal(sent.length, 2);
    const [more, fewer] = sent.map(({ gas }) => Number(gas)) as [number, number];
    const perChunk = (more - fewer) / 36;
    assert.ok(perChunk > 46_000 && perChunk < 62_000, `a further chunk costs ${perChunk} gas`);
    assert.equal(await isProven(m.outsider, inference), true);
    assert.deepEqual(await proveInference(m.settler, inference, chunks), []);
    assert.deepEqual(await proveInference(m.outsider, inference, chunks), []);
  });

  it('takes up where the sender left off, and not another chain', async () => {
    const other = { ...inference, modelCommitment: 10n };
    const chunks = chainOf(other, 4);
    const first = chunks.slice(0, 2).map(({ publicSignals }) => publicSignals.map(BigInt));
    await assert.rejects(proveInference(m.settler, other, simulatedChunks(first.slice(1))), {
      code: 'INFERENCE_ELSEWHERE',
    });
    // Two of four, as a sender that was stopped has left it.
    await proveInference(m.settler, other, chunks.slice(0, 2));
    assert.equal(await isProven(m.settler, other), false);
    const elsewhere = proveInference(m.settler, other, chainOf(other, 4, 200n));
    await assert.rejects(elsewhere, { kind: 'terminal', code: 'INFERENCE_ELSEWHERE' });
    assert.equal((await proveInference(m.settler, other, chunks)).length, 1);
    assert.equal(await isProven(m.settler, other), true);
  });

  it('is refused by name where a proof is of something else', async () => {
    const other = { ...inference, modelCommitment: 11n };
    await assert.rejects(
      proveInference(m.settler, other, chainOf(inference, 1)),
      (error: { details: { error?: string } }) => {
        assert.equal(error.details.error, 'InferenceRegistryInvalidProofs');
        return true;
      },
    );
  });
});

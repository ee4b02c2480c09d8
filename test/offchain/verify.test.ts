import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { network } from 'hardhat';
import type { PublicClient } from 'viem';
import { z } from 'zod';
import { metricsHash, zAttestation } from '../../offchain/attestation/attest.ts';
import schema from '../../offchain/attestation/attestation.schema.json' with { type: 'json' };
import { contextHash, foldId, voteOf } from '../../offchain/attestation/context.ts';
import { encodeVote } from '../../offchain/chain/vote.ts';
import { loadPoseidon, tag } from '../../offchain/commitment.ts';
import { delta, pack, termsOf } from '../../offchain/delta/delta.ts';
import { HokusaiError } from '../../offchain/errors.ts';
import { confusionOf, metricsOf } from '../../offchain/metrics/exact.ts';
import { circuitId } from '../../offchain/prove/keys.ts';
import { formatVerification, type Verification, verifyRun } from '../../offchain/verify/verify.ts';
import { belowGate, cellCounts, overlapping, writeRun } from './attestations.ts';
import { rejectedRound, settledRound, signVotes } from './rounds.ts';

const settled = await settledRound();
const rejected = await rejectedRound();
const client = settled.publicClient as unknown as PublicClient;

type Files = Readonly<Record<string, unknown>>;
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function verify(files: Files, options: Parameters<typeof verifyRun>[1] = {}): Promise<Verification> {
  const folder = await writeRun(files);
  folders.push(folder);
  return verifyRun(folder, options);
}

const failing = ({ checks }: Verification) => checks.filter(({ ok }) => !ok).map(({ name }) => name);

/** Whether a changed run is told from the right one: by a check, or because a file is not what it should be. */
async function isDetected(files: Files, options?: Parameters<typeof verifyRun>[1]): Promise<boolean> {
  try {
    return !(await verify(files, options)).ok;
  } catch (error) {
    if (error instanceof HokusaiError && error.code === 'VERIFY_FILE') return true;
    throw error;
  }
}

/** Other values of a kind that has few. */
const OTHER: Readonly<Record<string, string>> = {
  SCORED: 'BELOW_GATE',
  OVERLAP: 'SCHEMA',
  UNAVAILABLE: 'SCHEMA',
  snarkjs: 'native',
  accuracy: 'recall',
  recall: 'precision',
  score512: 'score4096',
};

/** A value of the same form that says something else. */
function otherThan(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  const text = value as string;
  if (OTHER[text]) return OTHER[text];
  if (/^-?\d+$/.test(text)) return String(BigInt(text) + 1n);
  // The first digit after 0x: the last ones of a signature are not all significant.
  if (/^0x[0-9a-f]+$/i.test(text))
    return `0x${((Number.parseInt(text[2]!, 16) + 1) % 16).toString(16)}${text.slice(3)}`;
  return `${text}x`;
}

type Change = readonly [path: string, files: Files];

/** The files with each of their values changed, one at a time; of the steps, the first stands for all. */
function changes(value: unknown, path: string, rebuild: (part: unknown) => Files): Change[] {
  if (/steps\.[1-9]/.test(path)) return [];
  if (value === null || typeof value !== 'object') return [[path, rebuild(otherThan(value))]];
  return Object.entries(value).flatMap(([key, part]) =>
    changes(part, path === '' ? key : `${path}.${key}`, (changed) => rebuild(replaced(value, key, changed))),
  );
}

/** The files with each member of an object and each element of an array left out, one at a time. */
function removals(value: unknown, path: string, rebuild: (part: unknown) => Files): Change[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, part]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const without = Array.isArray(value)
      ? value.toSpliced(Number(key), 1)
      : Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
    return [
      [at, rebuild(without)] as const,
      ...removals(part, at, (changed) => rebuild(replaced(value, key, changed))),
    ];
  });
}

const replaced = (value: object, key: string, part: unknown): unknown =>
  Array.isArray(value) ? value.with(Number(key), part) : { ...value, [key]: part };

/** The paths of changes that nobody notices, with `*` for an element. */
async function undetected(all: readonly Change[], options?: Parameters<typeof verifyRun>[1]): Promise<string[]> {
  const paths = new Set<string>();
  for (const [path, files] of all) {
    if (!(await isDetected(files, options))) paths.add(path.replaceAll(/\.\d+/g, '.*'));
  }
  return [...paths].sort();
}

/** What nothing can check. */
const NEVER = [
  'attestation.proof.prover',
  'attestation.reason',
  'attestation.steps.*.name',
  'attestation.steps.*.reused',
  'attestation.steps.*.seconds',
  'attestation.transactions.*.action',
];
/** What only a chain can check: an attestation may name any registries and transactions. */
const CHAIN_ONLY = [
  'attestation.context.benchmarkId',
  'attestation.context.circuitRegistry',
  'attestation.context.inferenceRegistry',
  'attestation.context.modelRegistry',
  'attestation.context.rewards',
  'attestation.context.validatorRegistry',
  'attestation.round.committee.*.validator',
  'attestation.round.committee.*.status',
  'attestation.round.deadline',
  'attestation.round.finalisableAt',
  'attestation.round.revealDeadline',
  'attestation.round.voteDeadline',
  'attestation.transactions.*.block',
  'attestation.transactions.*.by',
  'attestation.transactions.*.gas',
  'attestation.transactions.*.hash',
];

describe('verify', () => {
  it('finds everything right about a settled round, offline and with its chain', async () => {
    const offline = await verify(settled.files);
    assert.deepEqual([failing(offline), offline.level, offline.ok, offline.onChain], [[], 1, true, false]);
    const online = await verify(settled.files, { client });
    assert.deepEqual([failing(online), online.level, online.ok, online.onChain], [[], 1, true, true]);
    assert.equal(online.checks.length, offline.checks.length + 13);
    assert.deepEqual(
      online.checks.filter(({ warning }) => warning).map(({ name }) => name),
      ['circuit'],
      'the key is a development key, and only that is warned of',
    );
  });

  it('takes the path of an attestation too', async () => {
    const folder = await writeRun(settled.files);
    folders.push(folder);
    assert.deepEqual(await verifyRun(join(folder, 'attestation.json')), await verifyRun(folder));
  });

  it('finds a rejection right, and that it proves nothing', async () => {
    for (const attestation of [belowGate(), overlapping()]) {
      const result = await verify({ attestation });
      assert.deepEqual([failing(result), result.level], [[], 0], attestation.status);
    }
    const online = await verify(rejected.files, { client: rejected.publicClient as unknown as PublicClient });
    assert.deepEqual([failing(online), online.level], [[], 0]);
  });

  it('notices every changed value offline, but those that nothing or only a chain can check', async () => {
    const all = changes(settled.files, '', (files) => files as Files);
    assert.ok(all.length > 150, `${all.length} values`);
    assert.deepEqual(await undetected(all), [...NEVER, ...CHAIN_ONLY].sort());
  });

  it('notices every changed value with a chain, but those that nothing can check', async () => {
    const rest = changes(settled.files, '', (files) => files as Files).filter(([path]) =>
      [...NEVER, ...CHAIN_ONLY].includes(path.replaceAll(/\.\d+/g, '.*')),
    );
    assert.deepEqual(await undetected(rest, { client }), NEVER);
  });

  it('attack: a candidate trained with another seed than the one that was drawn', async () => {
    const attestation = structuredClone(settled.files.attestation);
    attestation.models!.candidate.seed = `0x${'5e'.repeat(32)}`;
    const { checks } = await verify({ ...settled.files, attestation }, { client });
    const round = checks.find(({ name }) => name === 'round');
    assert.match(round!.detail, /models\.candidate\.seed/);
  });

  it('notices every value that is left out, but a vote without a chain, and steps and transactions', async () => {
    const all = removals(settled.files, '', (files) => files as Files);
    const lists = ['attestation.steps.*', 'attestation.transactions.*'];
    // Who was drawn and signed nothing here could have been anybody.
    const seats = ['attestation.round.committee.*', 'attestation.round.committee.*.status'];
    assert.deepEqual(await undetected(all), [...lists, ...seats, 'attestation.votes.*'].sort());
    const told = all.filter(([path]) => /^attestation\.(votes|round)\./.test(path));
    assert.deepEqual(await undetected(told, { client }), []);
  });

  it('notices every changed value of a rejection, but those that only a chain can check', async () => {
    const all = changes(rejected.files, '', (files) => files as Files);
    const never = NEVER.filter((path) => path !== 'attestation.proof.prover');
    const chainOnly = ['modelId', 'policyHash', 'trainSpecHash'].map((name) => `attestation.context.${name}`);
    const payments = ['account', 'wei'].map((name) => `attestation.round.payments.*.${name}`);
    // Those who voted are known by their signatures, and the third did not vote; no time to pay is none.
    const ofAll = CHAIN_ONLY.filter((path) => !/status$|finalisableAt$/.test(path));
    // Anybody may bring the votes of a rejection, so the evaluator that wrote it may not be who did.
    const settler = 'attestation.context.settler';
    const known = [...never, ...ofAll, ...chainOnly, ...payments, settler];
    assert.deepEqual(await undetected(all), known.sort());
    const rest = all.filter(([path]) => known.includes(path.replaceAll(/\.\d+/g, '.*')));
    const options = { client: rejected.publicClient as unknown as PublicClient };
    assert.deepEqual(await undetected(rest, options), [...never, settler].sort());
  });

  it('says what the level is and what it does not say', async () => {
    const text = formatVerification(await verify(settled.files));
    assert.match(text, /^✔ schema: /);
    assert.match(text, /\n⚠ circuit: .*development key.*anybody can prove anything/);
    assert.match(
      text,
      /\nVerified: all 17 checks hold\.\nAssurance level 1, scored: .* left to validators: data, training/,
    );
    assert.match(text, /--rpc/);
    const changed = structuredClone(settled.files);
    changed.attestation.contribution.payeesRoot = `0x${'11'.repeat(32)}`;
    const failed = formatVerification(await verify(changed));
    assert.match(failed, /\n✖ contextHash: proof\.contextHash is \d+, but should be \d+\.\n/);
    assert.match(failed, /\nNOT verified: 2 of 17 checks fail\.\nNo assurance level/);
    assert.match(
      formatVerification(await verify({ attestation: overlapping() })),
      /\nNo assurance level: nothing is proven/,
    );
  });

  it('says whether the head has advanced', async () => {
    const snapshot = await settled.networkHelpers.takeSnapshot();
    const head = async () => (await verify(settled.files, { client })).checks.find(({ name }) => name === 'head');
    assert.match((await head())!.detail, /not advanced yet/);
    await settled.networkHelpers.time.increase(600);
    await settled.rounds.write.finalise([settled.files.attestation.context.roundId as `0x${string}`]);
    const advanced = await head();
    assert.deepEqual([advanced!.ok, advanced!.detail], [true, 'It has advanced from the baseline to the candidate.']);
    await snapshot.restore();
  });
});

describe('attacks on what is verified', () => {
  type Settled = typeof settled.files;

  /** Forges an attestation: whatever follows from the change is made to fit, but the proof, which cannot be. */
  async function forged(change: (attestation: Settled['attestation']) => void, signers = settled.people.validators) {
    const files = structuredClone(settled.files);
    const { attestation } = files;
    change(attestation);
    const { benchmark, models, proof } = attestation;
    const { cells } = cellCounts(attestation);
    for (const model of ['baseline', 'candidate'] as const) {
      models![model].metrics = metricsOf(confusionOf(cells, model));
    }
    attestation.benchmark.foldId = foldId(benchmark);
    attestation.delta = delta(benchmark.metric, 2, [pack(cells)], termsOf(attestation.delta!));
    proof!.counts = [String(pack(cells))];
    proof!.contextHash = String(contextHash({ ...attestation, models: models!, circuitId: proof!.circuitId }));
    const roots = [benchmark.labelsRoot, models!.baseline.predictionsRoot, models!.candidate.predictionsRoot];
    const bound = [...roots, ...proof!.counts, proof!.contextHash];
    proof!.attestationHash = String((await loadPoseidon())([tag('attestation'), ...bound.map(BigInt)]));
    files.public = [proof!.attestationHash, ...bound];
    attestation.metricsHash = metricsHash(attestation);
    attestation.votes = await signVotes(attestation, signers.slice(0, 2));
    return files;
  }

  it('the forger forges nothing where nothing is changed', async () => {
    assert.deepEqual(await forged(() => {}), settled.files);
  });

  it('validators who collude cannot inflate the counts', async () => {
    const files = await forged((attestation) => {
      const counts = cellCounts(attestation);
      counts.cells[2]!++;
      counts.cells[0]!--;
      counts.fixed++;
    });
    assert.deepEqual(failing(await verify(files)), ['proof']);
  });

  it('a proof is of no use to other payees', async () => {
    const files = await forged(({ contribution }) => {
      contribution.payeesRoot = `0x${'11'.repeat(32)}`;
    });
    assert.deepEqual(failing(await verify(files)), ['proof']);
  });

  it('rows that validators left out without a seed to draw them by, or more than there were', async () => {
    const unseeded = await forged(({ models }) => {
      delete models!.candidate.seed;
    });
    assert.deepEqual(failing(await verify(unseeded)), ['training set']);
    const more = await forged(({ contribution }) => {
      contribution.integration!.overRows = 11;
    });
    assert.deepEqual(failing(await verify(more)), ['contribution']);
  });

  it('rows of the head that were replaced and are not told, or more of them than there were', async () => {
    const silent = await forged(({ contribution }) => {
      contribution.integration!.replaced = 0;
    });
    assert.deepEqual(failing(await verify(silent)), ['training set']);
    const more = await forged(({ contribution, models }) => {
      contribution.integration!.replaced = 151;
      models!.candidate.trainingRows = 89;
    });
    assert.deepEqual(failing(await verify(more)), ['training set']);
  });

  it('softer terms are not those of the policy', async () => {
    const files = await forged(({ delta }) => {
      delta!.tokensPerDeltaOne = String(2n * BigInt(delta!.tokensPerDeltaOne));
      delta!.minDeltaBps = '0';
    });
    assert.deepEqual(failing(await verify(files)), []);
    assert.deepEqual(failing(await verify(files, { client })), ['policy', 'quorum', 'settlement', 'reward']);
  });

  it('guardrails that are left out, loosened or of another metric are not those of the policy', async () => {
    const rewrite: readonly ((guardrails: NonNullable<Settled['attestation']['delta']>['guardrails']) => void)[] = [
      (guardrails) => guardrails.pop(),
      (guardrails) => Object.assign(guardrails[0]!, { maxLossBps: '9999' }),
      (guardrails) => Object.assign(guardrails[0]!, { metric: 'f1' }),
    ];
    for (const change of rewrite) {
      const files = await forged(({ delta }) => change(delta!.guardrails));
      assert.deepEqual(failing(await verify(files)), []);
      assert.deepEqual(failing(await verify(files, { client })), ['policy', 'quorum', 'settlement']);
    }
    const fewer = await forged(({ delta }) => {
      delta!.minPositives = '0';
    });
    assert.deepEqual(failing(await verify(fewer, { client })), ['policy', 'quorum', 'settlement']);
  });

  it('a metric that is not the fold’s is told, though all that follows from it were made to fit', async () => {
    const files = await forged(({ benchmark, delta }) => {
      benchmark.metric = 'f1';
      delta!.guardrails = [];
    });
    assert.deepEqual(failing(await verify(files)), ['proof']);
    const online = failing(await verify(files, { client }));
    for (const name of ['benchmark', 'quorum', 'settlement']) assert.ok(online.includes(name), name);
  });

  it('what its guardrail refuses is not accepted, and terms that no registry admits are no terms', async () => {
    const { counts, ...refused } = structuredClone(settled.files.attestation);
    Object.assign(refused.delta!.guardrails[0]!, { metric: 'precision', maxLossBps: '0' });
    // The candidate loses precision: positive rows become false negatives, negative ones false positives.
    const cells = [40, 0, 0, 8, 30, 90, 20, 96];
    const { delta: stated } = { delta: delta('accuracy', 2, [pack(cells)], termsOf(refused.delta!)) };
    assert.equal(stated.failed, 'guardrail');
    assert.equal(stated.reward, '0');
    const wrong = { ...refused, counts: { ...cellCounts({ counts }), cells }, delta: stated };
    assert.ok(failing(await verify({ ...settled.files, attestation: wrong })).includes('status'));
    const softer = structuredClone(settled.files.attestation);
    softer.delta!.alpha30 = String(2n ** 30n);
    assert.ok(failing(await verify({ ...settled.files, attestation: softer })).includes('deltaOne'));
  });

  it('strangers’ signatures make no quorum, and neither does a committee of theirs', async () => {
    const { strangers } = settled.people;
    const files = await forged(() => {}, strangers);
    assert.deepEqual(failing(await verify(files)), ['course of the round']);
    const named = await forged(({ round }) => {
      for (const [i, stranger] of strangers.entries()) round!.committee[i]!.validator = stranger.account.address;
    }, strangers);
    assert.deepEqual(failing(await verify(named)), []);
    const result = await verify(named, { client });
    assert.deepEqual(failing(result), ['committee', 'quorum']);
    assert.match(
      result.checks.find(({ name }) => name === 'quorum')!.detail,
      /was not drawn; .*0 votes stand where .* 2/,
    );
  });

  it('who was drawn but revealed another vote, or none, is no quorum’s', async () => {
    const { validators } = settled.people;
    const files = await forged(({ round }) => {
      round!.committee[2]!.status = 'SCORED';
    }, validators.slice(1));
    assert.deepEqual(failing(await verify(files)), []);
    assert.deepEqual(failing(await verify(files, { client })), ['committee', 'quorum']);

    const { attestation } = structuredClone(rejected.files);
    attestation.round!.committee[2]!.status = 'OVERLAP';
    attestation.votes = await signVotes(attestation, rejected.people.validators.slice(1));
    assert.deepEqual(failing(await verify({ attestation })), []);
    const options = { client: rejected.publicClient as unknown as PublicClient };
    assert.deepEqual(failing(await verify({ attestation }, options)), ['committee', 'quorum']);
  });

  it('a quorum that lost a vote to a proof of its equivocation does not stand', async () => {
    const snapshot = await settled.networkHelpers.takeSnapshot();
    const { attestation } = settled.files;
    const roundId = attestation.context.roundId as `0x${string}`;
    const [validator] = settled.people.validators;
    const other = { ...attestation, metricsHash: `0x${'11'.repeat(32)}` as const };
    const [[first], [second]] = [attestation.votes, await signVotes(other, [validator!])] as const;
    const encoded = [attestation, other].map((one) => encodeVote(voteOf(one)));
    await settled.rounds.write.proveDoubleVote([
      ...[roundId, encoded[0]!, first!.signature as `0x${string}`, encoded[1]!, second!.signature as `0x${string}`],
    ] as never);
    const result = await verify(settled.files, { client });
    await snapshot.restore();
    assert.deepEqual(failing(result), ['round', 'quorum', 'reward', 'head']);
  });

  it('payees, a benchmark, deadlines or payments that are not the round’s', async () => {
    const others = await forged(({ contribution, context, round }) => {
      contribution.payeesRoot = `0x${'11'.repeat(32)}`;
      context.benchmarkId = `0x${'12'.repeat(32)}`;
      round!.deadline++;
    });
    const result = await verify(others, { client });
    assert.deepEqual(failing(result), ['proof', 'round', 'benchmark', 'quorum', 'settlement']);
    const { detail } = result.checks.find(({ name }) => name === 'round')!;
    assert.match(detail, /context\.benchmarkId is .*contribution\.payeesRoot is .*round\.deadline is /);

    const { attestation } = structuredClone(rejected.files);
    attestation.round!.payments = [{ account: attestation.context.settler, wei: '1' }];
    const options = { client: rejected.publicClient as unknown as PublicClient };
    const paid = await verify({ attestation }, options);
    assert.deepEqual(failing(paid), ['payments']);
    assert.match(paid.checks.find(({ ok }) => !ok)!.detail, /is 0, but should be 2000000011/);
  });

  it('nobody votes twice, on what pays him, or on a dry run', async () => {
    const { attestation } = settled.files;
    const [vote] = attestation.votes;
    const again = { validator: vote!.validator.toLowerCase(), signature: vote!.signature };
    const twice = await verify({ ...settled.files, attestation: { ...attestation, votes: [vote!, again] } });
    assert.deepEqual(failing(twice), ['votes']);
    const own = structuredClone(attestation);
    own.votes = await signVotes(own, [settled.people.contributor]);
    own.round!.committee[0]!.validator = own.votes[0]!.validator;
    assert.deepEqual(failing(await verify({ ...settled.files, attestation: own })), ['course of the round', 'votes']);
    const dry = belowGate();
    dry.votes = await signVotes(dry, settled.people.validators);
    assert.deepEqual(failing(await verify({ attestation: dry })), ['course of the round', 'votes']);
  });

  it('a signature counts only in the one form that the contract takes', async () => {
    const { attestation } = settled.files;
    const [{ validator, signature }] = attestation.votes as [{ validator: string; signature: string }];
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
    const flipped = `${signature.slice(0, 66)}${s}${signature.endsWith('1b') ? '1c' : '1b'}`;
    const recoveryBit = `${signature.slice(0, 130)}${signature.endsWith('1b') ? '00' : '01'}`;
    for (const other of [flipped, recoveryBit]) {
      const votes = [{ validator, signature: other }];
      const result = await verify({ ...settled.files, attestation: { ...attestation, votes } });
      assert.deepEqual(failing(result), ['votes']);
    }
  });

  it('a key with secrets known to the forger is not the one that the policy names', async () => {
    const attestation = structuredClone(settled.files.attestation);
    const key = { ...settled.files.verification_key, vk_alpha_1: settled.files.verification_key.IC[0]! };
    attestation.proof!.circuitId = circuitId(key);
    const result = await verify({ ...settled.files, attestation, verification_key: key }, { client });
    assert.deepEqual(failing(result), ['contextHash', 'proof', 'policy', 'registered key']);
  });

  it('what was not proven is not accepted, and what was not trained has no counts', async () => {
    const { proof: _, ...attestation } = settled.files.attestation;
    assert.deepEqual(failing(await verify({ attestation })), ['status']);
    const { models: __, ...rest } = belowGate();
    assert.ok(failing(await verify({ attestation: rest })).includes('status'));
    const refused = { ...overlapping(), accepted: true };
    assert.deepEqual(failing(await verify({ attestation: refused })), ['status']);
  });
});

describe('files and chains', () => {
  it('names the file that is missing, or is no JSON', async () => {
    const without = { ...settled.files, public: undefined };
    await assert.rejects(verify(without), {
      kind: 'configuration',
      code: 'VERIFY_FILE',
      message: /public\.json: ENOENT/,
    });
    await assert.rejects(verifyRun('/nowhere'), { kind: 'configuration', message: /^\/nowhere: ENOENT/ });
  });

  it('names all fields that are malformed', async () => {
    const attestation = structuredClone(settled.files.attestation);
    cellCounts(attestation).cells[3] = -1;
    attestation.benchmark.labelsRoot = attestation.proof!.contextHash.padStart(78, '1');
    await assert.rejects(verify({ ...settled.files, attestation }), {
      code: 'VERIFY_FILE',
      message: /attestation\.json: benchmark\.labelsRoot: .*; counts\.cells\.3: /,
    });
  });

  it('asks for the right chain, and for one that answers', async () => {
    const other = (await (await network.create({ override: { chainId: 5 } })).viem.getPublicClient()) as unknown;
    await assert.rejects(verify(settled.files, { client: other as PublicClient }), {
      kind: 'configuration',
      code: 'VERIFY_WRONG_CHAIN',
      message: /of chain 31337; the node is of chain 5/,
    });
    await assert.rejects(verify({ attestation: belowGate() }, { client }), {
      code: 'VERIFY_WRONG_CHAIN',
      message: /a dry run/,
    });
    await assert.rejects(verify(settled.files, { rpc: 'http://127.0.0.1:1' }), {
      kind: 'retryable',
      code: 'VERIFY_CHAIN_UNREACHABLE',
    });
  });

  it('finds nothing of the round on another chain with the same number', async () => {
    const server = await network.createServer();
    const { address, port } = await server.listen();
    try {
      const result = await verify(settled.files, { rpc: `http://${address}:${port}` });
      assert.deepEqual(failing(result), [
        'contracts',
        'round',
        'policy',
        'benchmark',
        'committee',
        'quorum',
        'transactions',
        'settlement',
        'registered key',
        'reward',
        'head',
      ]);
      assert.equal(result.level, 0);
    } finally {
      await server.close();
    }
  });
});

it('the JSON schema is the one that zod gives; made by `node scripts/attestation-schema.ts`', () => {
  assert.deepEqual(schema, JSON.parse(JSON.stringify(z.toJSONSchema(zAttestation))));
});

// Attestations of rounds at a real EAS: the contracts of its npm package, as they were published.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  type Abi,
  encodeAbiParameters,
  type Hex,
  parseAbiParameters,
  parseEventLogs,
  zeroAddress,
  zeroHash,
} from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, STATE } from '../scenario.ts';

const EAS = '@ethereum-attestation-service/eas-contracts/artifacts/contracts';
const published = (name: string): { abi: Abi; bytecode: Hex } =>
  JSON.parse(readFileSync(new URL(import.meta.resolve(`${EAS}/${name}.sol/${name}.json`)), 'utf8'));

describe('AttestationResolver', async () => {
  const s = await createScenario();
  const { viem, publicClient, rounds } = s;

  async function deploy(name: string, args: readonly unknown[] = []) {
    const { abi, bytecode } = published(name);
    const hash = await s.owner.deployContract({ abi, bytecode, args, account: s.owner.account!, chain: null });
    return (await publicClient.getTransactionReceipt({ hash })).contractAddress!;
  }
  const registry = await deploy('SchemaRegistry');
  const eas = await deploy('EAS', [registry]);
  const resolver = await viem.deployContract('AttestationResolver', [eas, rounds.address]);
  const schema = await resolver.read.SCHEMA();
  const schemaId = await resolver.read.schemaId();
  const registerSchema = (revocable: boolean, text = schema) =>
    s.outsider.writeContract({
      ...{ address: registry, abi: published('SchemaRegistry').abi, functionName: 'register' },
      ...{ args: [text, resolver.address, revocable], account: s.outsider.account!, chain: null },
    });
  await registerSchema(false);

  async function finalRound(salt: string) {
    const roundId = await s.open(salt);
    await s.draw(roundId);
    await s.settle(
      roundId,
      salt === 'first' ? {} : { vote: { candidateCommitment: 79n, baselinePredictionsRoot: 502n } },
    );
    await s.finalise(roundId);
    return roundId;
  }
  const first = await finalRound('first');
  const second = await finalRound('second');
  await s.modelRegistry.write.updateBenchmark([s.modelId, [s.fold(2)]], as(s.owner));
  const settled = await s.drawn('third');
  await s.settle(settled, { vote: { candidateCommitment: 80n, baselinePredictionsRoot: 503n } });
  const { attack, reverts, start } = await prepareAttacks(s);

  async function dataOf(roundId: Hex, changes: { deltaOneBps?: bigint; modelId?: Hex } = {}) {
    const r = await rounds.read.round([roundId]);
    return encodeAbiParameters(parseAbiParameters(schema), [
      ...[roundId, changes.modelId ?? r.modelId, r.dataRoot, r.foldId],
      ...[changes.deltaOneBps ?? BigInt(r.deltaOneBps), BigInt(r.payableBps), r.candidateCommitment, r.headCommitment],
    ] as never);
  }
  /** Attests by a stranger, and returns the uid. */
  async function attest(roundId: Hex, refUID: Hex, changes: Record<string, unknown> = {}): Promise<Hex> {
    const given = { recipient: address(s.contributor), expirationTime: 0n, revocable: false, refUID, value: 0n };
    const data = { ...given, data: await dataOf(roundId), ...changes };
    const request = { schema: changes.schema ?? schemaId, data };
    const { abi } = published('EAS');
    const hash = await s.outsider.writeContract({
      ...{ address: eas, abi, functionName: 'attest', args: [request] },
      ...{ account: s.outsider.account!, chain: null },
    });
    const { logs } = await publicClient.getTransactionReceipt({ hash });
    const [event] = parseEventLogs({ abi, logs }) as unknown as { args: { uid: Hex } }[];
    return event!.args.uid;
  }
  const refused = (call: Promise<unknown>, error: string, args: readonly unknown[]) =>
    reverts(call, error, args, resolver);

  it('the attestations of a line of rounds refer to each other', async () => {
    await start.restore();
    const uid = await attest(first, zeroHash);
    const next = await attest(second, uid);
    assert.equal(await resolver.read.uidOf([first]), uid);
    assert.equal(await resolver.read.uidOf([second]), next);
    const { abi } = published('EAS');
    const kept = (await publicClient.readContract({
      ...{ address: eas, abi, functionName: 'getAttestation', args: [next] },
    })) as { refUID: Hex; recipient: Hex; attester: Hex; revocable: boolean };
    assert.deepEqual(
      [kept.refUID, kept.recipient, kept.attester, kept.revocable],
      [uid, address(s.contributor), address(s.outsider), false],
    );
  });

  attack('a round that is settled and can still be voided', async () => {
    await refused(attest(settled, zeroHash), 'AttestationResolverNotFinal', [settled, STATE.SETTLED]);
  });

  attack('a round that never was', async () => {
    const data = encodeAbiParameters(parseAbiParameters(schema), [
      ...[tag('no round'), s.modelId, tag('data'), tag('fold'), 500n, 400n, 1n, 2n],
    ] as never);
    await refused(attest(first, zeroHash, { data }), 'AttestationResolverNotFinal', [tag('no round'), STATE.NONE]);
  });

  attack('a larger gain than was settled, and another model', async () => {
    for (const changes of [{ deltaOneBps: 9_999n }, { modelId: tag('another model') }]) {
      const data = await dataOf(first, changes);
      const args = [first, await dataOf(first), data];
      await refused(attest(first, zeroHash, { data }), 'AttestationResolverMismatch', args);
    }
  });

  attack('what was settled, with something after it', async () => {
    const data: Hex = `${await dataOf(first)}00`;
    await refused(attest(first, zeroHash, { data }), 'AttestationResolverMismatch', [first, await dataOf(first), data]);
  });

  attack('the same round twice', async () => {
    const uid = await attest(first, zeroHash);
    await refused(attest(first, zeroHash), 'AttestationResolverTwice', [first, uid]);
  });

  attack('a line without its beginning, and with another', async () => {
    await refused(attest(second, zeroHash), 'AttestationResolverParentMissing', [second, first]);
    const uid = await attest(first, zeroHash);
    await refused(attest(second, zeroHash), 'AttestationResolverWrongParent', [uid, zeroHash]);
  });

  attack('somebody else as the contributor', async () => {
    const args = [address(s.contributor), address(s.outsider)];
    const recipient = address(s.outsider);
    await refused(attest(first, zeroHash, { recipient }), 'AttestationResolverWrongRecipient', args);
    await refused(attest(first, zeroHash, { recipient: zeroAddress }), 'AttestationResolverWrongRecipient', [
      ...[address(s.contributor), zeroAddress],
    ]);
  });

  attack('an attestation that expires', async () => {
    const { timestamp } = await publicClient.getBlock();
    const expirationTime = timestamp + 1_000n;
    await refused(attest(first, zeroHash, { expirationTime }), 'AttestationResolverExpires', [expirationTime]);
  });

  attack('another schema with this resolver, such as a revocable one', async () => {
    const hash = await registerSchema(true);
    const { logs } = await publicClient.getTransactionReceipt({ hash });
    const other = logs[0]!.topics[1]!;
    const call = attest(first, zeroHash, { schema: other });
    await refused(call, 'AttestationResolverWrongSchema', [schemaId, other]);
  });

  attack('going round EAS', async () => {
    const attestation = {
      ...{ uid: tag('uid'), schema: schemaId, time: 0n, expirationTime: 0n, revocationTime: 0n, refUID: zeroHash },
      ...{ recipient: address(s.contributor), attester: address(s.outsider), revocable: false },
      data: await dataOf(first),
    };
    await refused(resolver.write.attest([attestation], as(s.outsider)), 'AccessDenied', []);
  });
});

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import {
  encodeAbiParameters,
  getAddress,
  hashTypedData,
  keccak256,
  toFunctionSelector,
  zeroAddress,
  zeroHash,
} from 'viem';
import { contextHash } from '../../offchain/attestation/context.ts';
import { CONTRIBUTION_TYPES } from '../../offchain/chain/sign-contribution.ts';
import { STATUSES, VOTE_TYPES, voteContent, voteHash } from '../../offchain/chain/vote.ts';
import { address, prepareAttacks, tag } from '../attack.ts';
import { createScenario, STATE, STATUS } from '../scenario.ts';

describe('Rounds: what clients can compute themselves', async () => {
  const s = await createScenario();
  const { rounds, modelRegistry, modelId } = s;
  const { fresh, reverts } = await prepareAttacks(s);
  const types = (...names: string[]) => names.map((type) => ({ type }));

  fresh('commitmentOf, contributionDigest and voteDigest are their definitions', async () => {
    const given = await s.contribution();
    const roundId = await s.open();
    const members = CONTRIBUTION_TYPES.Contribution.map(({ type }) => ({ type }));
    const encoded = encodeAbiParameters(
      [...types('bytes32', 'uint256', 'address'), ...members] as never,
      [tag('hokusai.commitment'), 31337n, rounds.address, ...Object.values(given)] as never,
    );
    const commitment = keccak256(encoded);
    const expected = keccak256(
      encodeAbiParameters(types('bytes32', 'uint256', 'address', 'bytes32'), [
        ...[tag('hokusai.round'), 31337n, rounds.address, commitment],
      ]),
    );
    assert.deepEqual(await rounds.read.commitmentOf([given]), [commitment, expected]);
    assert.equal(roundId, expected);

    const domain = s.here;
    const contribution = { domain, types: CONTRIBUTION_TYPES, primaryType: 'Contribution', message: given } as const;
    assert.equal(await rounds.read.contributionDigest([given]), hashTypedData(contribution));
    const content = s.vote({ status: STATUS.PII });
    const message = { roundId, ...content };
    const digest = hashTypedData({ domain, types: VOTE_TYPES, primaryType: 'Vote', message });
    assert.equal(await rounds.read.voteDigest([roundId, content]), digest);
    const expectedDomain = ['0x0f', domain.name, domain.version, 31337n, getAddress(rounds.address), zeroHash, []];
    assert.deepEqual(await rounds.read.eip712Domain(), expectedDomain);
  });

  fresh('voteHash, voteOf, contextHash and publicSignals are what clients compute', async () => {
    const given = await s.contribution();
    const roundId = await s.drawn();
    const content = s.vote();
    const named = { ...content, status: STATUSES[content.status]! };
    const [validator] = s.validators;
    const parts = [roundId, address(validator!)] as const;
    const hash = voteHash(31337, rounds.address, ...parts, named, tag('vote salt'));
    assert.equal(await rounds.read.voteHash([...parts, content, tag('vote salt')]), hash);
    await s.voteAll(roundId, content);
    assert.equal(await rounds.read.voteOf([...parts]), voteContent(named));

    const { foldId } = await s.round(roundId);
    const fold = await modelRegistry.read.fold([foldId]);
    const model = (commitment: bigint, trainingSetRoot: string) => ({ commitment: `${commitment}`, trainingSetRoot });
    const context = contextHash({
      context: {
        ...{ chainId: '31337', rounds: rounds.address, roundId, modelId, policyHash: given.policyHash },
        ...{ trainSpecHash: s.policy.trainSpecHash, settler: address(s.settler) },
      },
      contribution: { dataRoot: given.dataRoot, payeesRoot: given.payeesRoot },
      benchmark: { foldId },
      models: { baseline: model(77n, s.head.trainingSetRoot), candidate: model(78n, content.trainingSetRoot) },
      circuitId: s.policy.circuitId,
    } as never);
    assert.equal(await rounds.read.contextHash([roundId, 78n, address(s.settler)]), context);
    assert.deepEqual(await rounds.read.publicSignals([roundId, content, address(s.settler), [5n, 6n], 999n]), [
      ...[999n, fold.labelsRoot, content.baselinePredictionsRoot, content.candidatePredictionsRoot, 5n, 6n, context],
    ]);
  });

  fresh('supportsInterface knows ERC-165 and IRounds, and names its parts', async () => {
    const functions = (await s.viem.getContractAt('IRounds', rounds.address)).abi.filter(
      ({ type }) => type === 'function',
    );
    const own = functions
      .filter(({ name }) => name !== 'hasVoted')
      .map((item) => BigInt(toFunctionSelector(item as never)));
    const interfaceId = `0x${own
      .reduce((sum, selector) => sum ^ selector, 0n)
      .toString(16)
      .padStart(8, '0')}` as const;
    for (const [id, expected] of [
      [interfaceId, true],
      ['0x01ffc9a7', true],
      ['0xffffffff', false],
      ['0x12345678', false],
    ] as const) {
      assert.equal(await rounds.read.supportsInterface([id]), expected, id);
    }
    for (const part of [
      'modelRegistry',
      'circuitRegistry',
      'inferenceRegistry',
      'validatorRegistry',
      'rewards',
    ] as const) {
      assert.equal(await rounds.read[part](), getAddress(s[part].address));
    }
  });

  fresh('what never was is empty, and has no context', async () => {
    const nobody = tag('nobody');
    const { state, sponsor } = await s.round(nobody);
    assert.deepEqual([state, sponsor], [STATE.NONE, zeroAddress]);
    assert.deepEqual(await rounds.read.turn([nobody]), [zeroHash, 0]);
    assert.deepEqual(await rounds.read.queue([nobody]), [[], 0n]);
    assert.equal(await rounds.read.withdrawable([nobody, address(s.owner)]), 0n);
    assert.equal(await rounds.read.hasVoted([nobody, address(s.owner)]), false);
    const error = 'ModelRegistryUnknownPolicy';
    await reverts(rounds.read.contextHash([nobody, 1n, address(s.owner)]), error, [zeroHash], modelRegistry);
  });
});

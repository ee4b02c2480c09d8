import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { zeroHash } from 'viem';
import { payableBps } from '../../offchain/delta.ts';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, GOOD, MAX_REWARD, nextRoot, pack, ROWS, STATE } from '../scenario.ts';

describe('Rounds: attacks on proofs', async () => {
  const s = await createScenario();
  const { rounds, modelRegistry, modelId } = s;
  const { attack, reverts } = await prepareAttacks(s);

  attack('a proof copied from the mempool by another settler', async () => {
    const roundId = await s.open();
    const args = await s.settlement(roundId);
    const theirs = await rounds.read.contextHash([roundId, s.vote().candidateCommitment, address(s.outsider)]);
    await reverts(rounds.write.settle([...args], as(s.outsider)), 'RoundsInvalidProof', [
      ...[roundId, s.policy.circuitId, theirs],
    ]);
    await rounds.write.settle([...args], as(s.settler));
  });

  attack('a proof of another round, with votes for this one', async () => {
    const first = await s.open();
    const [, , , proof] = await s.settlement(first);
    await s.reject(first);
    const second = await s.open('second');
    const [roundId, vote, signatures, , counts, hash] = await s.settlement(second);
    const context = await rounds.read.contextHash([second, vote.candidateCommitment, address(s.settler)]);
    const settling = rounds.write.settle([roundId, vote, signatures, proof, counts, hash], as(s.settler));
    await reverts(settling, 'RoundsInvalidProof', [second, s.policy.circuitId, context]);
  });

  attack('other counts or another attestation than proven', async () => {
    const roundId = await s.open();
    const [, vote, signatures, proof, counts, hash] = await s.settlement(roundId);
    const context = await rounds.read.contextHash([roundId, vote.candidateCommitment, address(s.settler)]);
    for (const [packed, attestation] of [
      [pack(ROWS, 4_000n, 0n), hash],
      [counts, hash + 1n],
    ] as const) {
      const args = [roundId, vote, signatures, proof, packed, attestation] as const;
      const error = [roundId, s.policy.circuitId, context];
      await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsInvalidProof', error);
    }
  });

  attack('a proof of another circuit', async () => {
    const circuitId = tag('nobody registered it');
    const model = await s.registerModel(tag('circuit'), { circuitId });
    await rounds.write.allocateBudget([model, MAX_REWARD], as(s.owner));
    const roundId = await s.open('circuit', { modelId: model });
    const error = 'CircuitRegistryUnknownCircuit';
    await reverts(s.settle(roundId), error, [circuitId], s.circuitRegistry);
  });

  attack('counts over other rows than the fold’s', async () => {
    const roundId = await s.open();
    for (const n of [ROWS - 1n, ROWS + 1n]) {
      const countsPacked = pack(n, 160n, 60n);
      await reverts(s.settle(roundId, { countsPacked }), 'RoundsWrongRows', [roundId, ROWS, n]);
    }
  });

  attack('counts outside their lanes', async () => {
    const roundId = await s.open();
    const countsPacked = GOOD + (1n << 248n);
    await reverts(s.settle(roundId, { countsPacked }), 'DeltaOneCountsOutOfRange', [countsPacked]);
  });

  attack('be paid below the gate', async () => {
    const roundId = await s.open();
    for (const [b, c] of [
      [0n, 0n],
      [60n, 60n],
      [0n, 60n],
      [5n, 0n],
      [102n, 62n],
    ] as const) {
      const bound = payableBps({ n: ROWS, b, c }, BigInt(s.policy.zMicro));
      await reverts(s.settle(roundId, { countsPacked: pack(ROWS, b, c) }), 'RoundsBelowGate', [
        ...[roundId, ROWS, b, c, bound],
      ]);
    }
    assert.equal((await rounds.read.round([roundId])).state, STATE.OPEN, 'and the round can still be rejected');
    await s.reject(roundId);
  });

  attack("a training set that is not the head's with the contribution", async () => {
    const roundId = await s.open();
    const expected = nextRoot(s.head.trainingSetRoot, tag('data'));
    for (const root of [s.head.trainingSetRoot, nextRoot(tag('other'), tag('data')), nextRoot(expected, tag('data'))]) {
      const settling = s.settle(roundId, { vote: { trainingSetRoot: root } });
      await reverts(settling, 'RoundsTrainingSetMismatch', [roundId, expected, root]);
    }
    await s.settle(roundId);
  });

  attack('a gain over a head that has moved', async () => {
    const roundId = await s.open();
    await s.networkHelpers.impersonateAccount(rounds.address);
    await s.networkHelpers.setBalance(rounds.address, 10n ** 18n);
    const impersonated = { account: rounds.address };
    const moved = { modelCommitment: 1_234n, trainingSetRoot: s.head.trainingSetRoot };
    await modelRegistry.write.advanceHead([modelId, zeroHash, moved], impersonated);
    await reverts(s.settle(roundId), 'RoundsStaleHead', [roundId, s.head.modelCommitment, 1_234n]);
    const other = { ...s.head, trainingSetRoot: tag('other') };
    await modelRegistry.write.advanceHead([modelId, zeroHash, other], impersonated);
    await reverts(s.settle(roundId), 'RoundsStaleTrainingSet', [roundId, s.head.trainingSetRoot, tag('other')]);
  });
});

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { stringToHex, zeroHash } from 'viem';
import { deltaOneBps, payableBps } from '../../offchain/delta/accuracy.ts';
import { address, as, prepareAttacks, SCALAR_FIELD, tag } from '../attack.ts';
import { createScenario, GOOD, nextRoot, pack, ROWS, STATE, STATUS } from '../scenario.ts';

describe('Rounds: attacks on settle', async () => {
  const s = await createScenario();
  const { rounds, modelRegistry, modelId } = s;
  const { attack, fresh, reverts } = await prepareAttacks(s);
  const contextOf = (roundId: `0x${string}`, by = s.settler) =>
    rounds.read.contextHash([roundId, s.vote().candidateCommitment, address(by)]);
  /** A round with a quorum for the honest vote. */
  async function voted(salt?: string, changes = {}) {
    const roundId = await s.drawn(salt);
    await s.voteAll(roundId, await s.scored(roundId, changes));
    return roundId;
  }

  attack('a proof copied from the mempool by another settler', async () => {
    const roundId = await voted();
    const args = await s.settlement(roundId);
    const theirs = [roundId, s.policy.circuitId, await contextOf(roundId, s.outsider)];
    await reverts(rounds.write.settle([...args], as(s.outsider)), 'RoundsInvalidProof', theirs);
    await rounds.write.settle([...args], as(s.settler));
    assert.equal((await s.round(roundId)).settler, address(s.settler));
  });

  attack('a proof of another round, with votes for this one', async () => {
    const first = await voted();
    const [, , proof] = await s.settlement(first);
    await s.until((await s.round(first)).deadline + s.policy.settleDuration + 1);
    await rounds.write.expire([first], as(s.outsider));
    const second = await voted('second');
    const [roundId, vote, , counts, hash] = await s.settlement(second);
    const settling = rounds.write.settle([roundId, vote, proof, counts, hash], as(s.settler));
    await reverts(settling, 'RoundsInvalidProof', [second, s.policy.circuitId, await contextOf(second)]);
  });

  attack('a proof from a second chain with the same addresses', async () => {
    const other = await createScenario(31338);
    assert.equal(other.rounds.address, rounds.address);
    assert.notEqual(other.modelId, modelId);
    const given = await s.contribution();
    const [here, there] = [await rounds.read.commitmentOf([given]), await other.rounds.read.commitmentOf([given])];
    assert.notEqual(here[0], there[0]);
    assert.notEqual(here[1], there[1]);
    const [, , proof] = await s.settlement(await s.drawn());
    const roundId = await other.drawn();
    await other.voteAll(roundId, other.vote());
    const [, vote, , counts, attestation] = await other.settlement(roundId);
    const context = await other.rounds.read.contextHash([roundId, vote.candidateCommitment, address(s.settler)]);
    const settling = other.rounds.write.settle([roundId, vote, proof, counts, attestation], as(other.settler));
    await reverts(settling, 'RoundsInvalidProof', [roundId, s.policy.circuitId, context], other.rounds);
  });

  attack('forge the counts, or the attestation', async () => {
    const roundId = await voted();
    const [, vote, proof, counts, hash] = await s.settlement(roundId);
    const error = [roundId, s.policy.circuitId, await contextOf(roundId)];
    for (const [forged, attestation] of [
      [[pack(ROWS, 4_000n, 0n)], hash],
      [[...counts, 0n], hash],
      [[], hash],
      [counts, hash + 1n],
    ] as const) {
      const args = [roundId, vote, proof, forged, attestation] as const;
      await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsInvalidProof', error);
    }
  });

  attack('a vote whose content was changed after voting', async () => {
    const roundId = await voted();
    for (const change of [
      { status: STATUS.BELOW_GATE },
      { baselinePredictionsRoot: 1n },
      { candidateCommitment: 1n },
      { candidatePredictionsRoot: 1n },
      { trainingSetRoot: tag('other') },
      { metricsHash: tag('other') },
    ]) {
      await reverts(s.settle(roundId, { vote: change }), 'RoundsNoQuorum', [roundId, 2n, 0n]);
    }
  });

  attack('a proof of another circuit', async () => {
    const circuitId = tag('nobody registered it');
    const model = await s.createModel('circuit', { circuitId });
    const roundId = await s.drawn('circuit', { modelId: model });
    await reverts(s.settle(roundId), 'CircuitRegistryUnknownCircuit', [circuitId], s.circuitRegistry);
  });

  attack('counts over other rows than the fold’s', async () => {
    const roundId = await voted();
    for (const n of [ROWS - 1n, ROWS + 1n]) {
      const countsPacked = pack(n, 160n, 60n);
      await reverts(s.settle(roundId, { countsPacked }), 'RoundsWrongRows', [roundId, ROWS, n]);
    }
  });

  attack('counts outside their lanes', async () => {
    const roundId = await voted();
    const countsPacked = GOOD + (1n << 248n);
    const deltaOne = await s.viem.getContractAt('DeltaOne', rounds.address);
    await reverts(s.settle(roundId, { countsPacked }), 'DeltaOneCountsOutOfRange', [countsPacked], deltaOne);
  });

  attack('be paid below the gate', async () => {
    const roundId = await voted();
    for (const [b, c] of [
      [0n, 0n],
      [60n, 60n],
      [0n, 60n],
      [5n, 0n],
      [102n, 62n],
    ] as const) {
      const bound = payableBps({ n: ROWS, b, c }, BigInt(s.policy.gate.zMicro));
      const failed = [roundId, deltaOneBps({ n: ROWS, b, c }), bound, stringToHex('bound', { size: 32 })];
      await reverts(s.settle(roundId, { countsPacked: pack(ROWS, b, c) }), 'RoundsBelowGate', failed);
    }
    assert.equal((await s.round(roundId)).state, STATE.VOTING);
    await s.settle(roundId);
  });

  attack("a training set that is not the head's with the contribution", async () => {
    const expected = nextRoot(s.head.trainingSetRoot, tag('data'));
    const wrong = [s.head.trainingSetRoot, nextRoot(tag('other'), tag('data')), nextRoot(expected, tag('data'))];
    const before = await s.networkHelpers.takeSnapshot();
    for (const trainingSetRoot of wrong) {
      const roundId = await voted('salt', { trainingSetRoot });
      const mismatch = [roundId, expected, trainingSetRoot];
      await reverts(s.settle(roundId, { vote: { trainingSetRoot } }), 'RoundsTrainingSetMismatch', mismatch);
      await before.restore();
    }
    await s.settle(await voted());
  });

  attack('a baseline that predicts otherwise than was recorded', async () => {
    const model = await s.createModel('one fold');
    await modelRegistry.write.updateBenchmark([model, [s.fold(0)]], as(s.owner));
    const first = await s.drawn('first', { modelId: model });
    await s.reject(first);
    const { foldId } = await s.round(first);
    assert.equal(await rounds.read.baselinePredictionsRoot([model, 77n, foldId]), 501n);
    const second = await s.drawn('second', { modelId: model });
    const before = await s.networkHelpers.takeSnapshot();
    const worse = { baselinePredictionsRoot: 500n };
    await reverts(s.settle(second, { vote: worse }), 'RoundsBaselineMismatch', [second, 501n, 500n]);
    await before.restore();
    await reverts(s.reject(second, worse), 'RoundsBaselineMismatch', [second, 501n, 500n]);
    await before.restore();
    await s.settle(second);
  });

  attack('a commitment that no circuit can take', async () => {
    const roundId = await s.drawn();
    const before = await s.networkHelpers.takeSnapshot();
    for (const value of [0n, SCALAR_FIELD, SCALAR_FIELD + 78n]) {
      const candidate = s.settle(roundId, { vote: { candidateCommitment: value } });
      await reverts(candidate, 'RoundsNotFieldElement', [value]);
      await before.restore();
      const baseline = s.settle(roundId, { vote: { baselinePredictionsRoot: value } });
      await reverts(baseline, 'RoundsNotFieldElement', [value]);
      await before.restore();
      await reverts(s.reject(roundId, { baselinePredictionsRoot: value }), 'RoundsNotFieldElement', [value]);
      await before.restore();
    }
  });

  attack('settle predictions that no inference proves, where the policy asks for one', async () => {
    const circuitId = tag('inference');
    const model = await s.createModel('inferred', { inferenceCircuitId: circuitId });
    const roundId = await s.drawn('inferred', { modelId: model });
    const { headCommitment, foldId } = await s.round(roundId);
    const inference = { circuitId, modelCommitment: headCommitment, foldId };
    const missing = { ...inference, predictionsRoot: s.vote().baselinePredictionsRoot };
    await reverts(s.settle(roundId), 'InferenceRegistryNotProven', [missing], s.inferenceRegistry);
  });

  attack('settle with a finding that has no roots', async () => {
    const roundId = await s.drawn();
    for (const status of Object.values(STATUS).slice(2)) {
      const args = await s.settlement(roundId, { vote: { status } });
      await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsWrongStatus', [roundId, status]);
    }
  });

  attack('settle when the time to do so is over', async () => {
    const roundId = await voted();
    const { deadline } = await s.round(roundId);
    const args = await s.settlement(roundId);
    const before = await s.networkHelpers.takeSnapshot();
    await s.until(deadline + 1);
    const late = [roundId, BigInt(deadline), BigInt(deadline) + 1n];
    await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsDeadlinePassed', late);
    await before.restore();
    await s.until(deadline);
    await rounds.write.settle([...args], as(s.settler));
  });

  attack('a gain over a head that has moved', async () => {
    const roundId = await voted();
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

  fresh('a passing proof overrides votes that say BELOW_GATE', async () => {
    const roundId = await s.drawn();
    await s.settle(roundId, { vote: { status: STATUS.BELOW_GATE } });
    const { state, status, shareholders } = await s.round(roundId);
    assert.deepEqual([state, status, shareholders], [STATE.SETTLED, STATUS.SCORED, 3]);
  });
});

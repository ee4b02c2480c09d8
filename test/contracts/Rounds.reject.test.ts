import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { type Hex, zeroAddress, zeroHash } from 'viem';
import { address, as, prepareAttacks } from '../attack.ts';
import { BOND, createScenario, DEPOSIT, FEE, MAX_REWARD, STATE, STATUS, VOID } from '../scenario.ts';

describe('Rounds: reject and expire', async () => {
  const s = await createScenario();
  const { rounds, rewards, modelId, token } = s;
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const { settleDuration } = s.policy;
  const reject = (roundId: Hex, content = s.vote()) => rounds.write.reject([roundId, content], as(s.settler));
  const expire = (roundId: Hex) => rounds.write.expire([roundId], as(s.outsider));
  const owed = (roundId: Hex) => rounds.read.withdrawable([roundId, address(s.contributor)]);
  const belowGate = s.vote({ status: STATUS.BELOW_GATE });

  for (const [name, status] of Object.entries(STATUS).slice(1)) {
    fresh(`a quorum of ${name} rejects: slot and reservation are given back, and it counts as a try`, async () => {
      const roundId = await s.drawn();
      const rejecting = s.reject(roundId, { status });
      await emits(rejecting, 'RoundRejected', [roundId, modelId, address(s.contributor), status]);
      const rejected = await s.round(roundId);
      assert.deepEqual(
        [rejected.state, rejected.status, rejected.shareholders, rejected.settler],
        [STATE.REJECTED, status, 3, address(s.settler)],
      );
      assert.equal(await rounds.read.slot([modelId]), zeroHash);
      assert.equal(await rewards.read.budget([modelId]), 4n * MAX_REWARD);
      assert.deepEqual(await rounds.read.foldState([modelId, rejected.foldId]), { rounds: 1, accepted: false });
      const baseline = await rounds.read.baselinePredictionsRoot([modelId, 77n, rejected.foldId]);
      assert.equal(baseline, status === STATUS.BELOW_GATE ? 501n : 0n);

      const burnt = status === STATUS.UNAVAILABLE || status === STATUS.ROOT_MISMATCH ? BOND : 0n;
      assert.equal(await owed(roundId), BOND - burnt);
      assert.equal(await s.balance(rounds.address), DEPOSIT - burnt);
      if (burnt > 0n) await emits(rejecting, 'BondForfeited', [roundId, BOND, zeroAddress, 0n]);
      else assert.deepEqual(await rounds.getEvents.BondForfeited({}, { fromBlock: 0n }), []);
      for (const validator of s.validators.slice(0, 2)) {
        assert.equal(await rounds.read.withdrawable([roundId, address(validator)]), FEE / 3n);
      }
    });
  }

  attack('reject what is SCORED', async () => {
    const roundId = await s.drawn();
    await s.voteAll(roundId, s.vote());
    await reverts(reject(roundId), 'RoundsWrongStatus', [roundId, STATUS.SCORED]);
  });

  attack('reject as BELOW_GATE before a proof had its time', async () => {
    const roundId = await s.drawn();
    const { deadline } = await s.round(roundId);
    await s.voteAll(roundId, belowGate);
    await s.until(deadline);
    const early = [roundId, BigInt(deadline), BigInt(deadline)];
    await reverts(reject(roundId, belowGate), 'RoundsDeadlineNotPassed', early);
    const args = await s.settlement(roundId, { vote: { status: STATUS.BELOW_GATE } });
    await rounds.write.settle([...args], as(s.settler));
    assert.equal((await s.round(roundId)).state, STATE.SETTLED);
  });

  attack('reject in the last second, and one too late', async () => {
    const roundId = await s.drawn();
    const last = (await s.round(roundId)).deadline + settleDuration;
    await s.voteAll(roundId, belowGate);
    const before = await s.networkHelpers.takeSnapshot();
    await s.until(last + 1);
    const late = [roundId, BigInt(last), BigInt(last) + 1n];
    await reverts(reject(roundId, belowGate), 'RoundsDeadlinePassed', late);
    await before.restore();
    await s.until(last);
    await reverts(expire(roundId), 'RoundsDeadlineNotPassed', [roundId, BigInt(last), BigInt(last)]);
    await reject(roundId, belowGate);
  });

  attack('reject with content that no quorum voted', async () => {
    const roundId = await s.drawn();
    await s.voteAll(roundId, s.vote({ status: STATUS.SCHEMA }));
    for (const content of [s.vote({ status: STATUS.PII }), s.vote({ status: STATUS.SCHEMA, metricsHash: zeroHash })]) {
      await reverts(reject(roundId, content), 'RoundsNoQuorum', [roundId, 2n, 0n]);
    }
  });

  attack('expire a round that is open before its time to be drawn is over', async () => {
    const roundId = await s.open();
    const { deadline } = await s.round(roundId);
    await s.until(deadline);
    await reverts(expire(roundId), 'RoundsDeadlineNotPassed', [roundId, BigInt(deadline), BigInt(deadline)]);
    await s.until(deadline + 1);
    await emits(expire(roundId), 'RoundVoided', [roundId, modelId, address(s.contributor), VOID.NOT_DRAWN]);
    assert.equal(await owed(roundId), DEPOSIT);
    assert.equal(await rewards.read.budget([modelId]), 4n * MAX_REWARD);
  });

  attack('let a vote time out: nobody is paid, all goes back, and nothing can be minted', async () => {
    const roundId = await s.drawn();
    await s.voteAll(roundId, s.vote());
    const args = await s.settlement(roundId);
    const last = (await s.round(roundId)).deadline + settleDuration;
    await s.until(last);
    await reverts(expire(roundId), 'RoundsDeadlineNotPassed', [roundId, BigInt(last), BigInt(last)]);
    await s.until(last + 1);
    await emits(expire(roundId), 'RoundVoided', [roundId, modelId, address(s.contributor), VOID.TIMED_OUT]);
    assert.equal(await owed(roundId), DEPOSIT);
    assert.equal(await rewards.read.budget([modelId]), 4n * MAX_REWARD);
    for (const wallet of [s.settler, ...s.validators]) {
      await reverts(rounds.write.withdraw([roundId], as(wallet)), 'RoundsNothingToWithdraw', [
        roundId,
        address(wallet),
      ]);
    }
    const ended = [STATE.VOTING, STATE.VOIDED];
    await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsWrongState', [roundId, ...ended]);
    await reverts(s.finalise(roundId), 'RoundsWrongState', [roundId, STATE.SETTLED, STATE.VOIDED]);
    await reverts(s.claim(roundId), 'RewardsNotAwarded', [roundId], rewards);
    assert.equal(await token.read.totalSupply(), 0n);
  });

  attack('finalise before the delay is over, or twice', async () => {
    const roundId = await s.drawn();
    await s.settle(roundId);
    const { finalisableAt } = await s.round(roundId);
    const finalise = () => rounds.write.finalise([roundId], as(s.settler));
    await s.until(finalisableAt - 1);
    const early = [roundId, BigInt(finalisableAt), BigInt(finalisableAt) - 1n];
    await reverts(finalise(), 'RoundsDelayNotPassed', early);
    await s.until(finalisableAt);
    await finalise();
    await reverts(finalise(), 'RoundsWrongState', [roundId, STATE.SETTLED, STATE.FINALISED]);
    await s.claim(roundId);
    await reverts(s.claim(roundId), 'RewardsAlreadyClaimed', [roundId, address(s.payee), 1n], rewards);
  });
});

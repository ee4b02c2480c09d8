import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { toFunctionSelector } from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, DEPOSIT, STATE, STATUS } from '../scenario.ts';

const DAY = 86_400;
const LONGEST = 14 * DAY;

describe('Rounds: pause and clock', async () => {
  const s = await createScenario();
  const { rounds, accessManager, modelId } = s;
  const guardian = s.others[0]!;
  const GUARDIAN = 1n;
  const pausing = ['function pause()', 'function unpause()'].map((text) => toFunctionSelector(text));
  await accessManager.write.setTargetFunctionRole([rounds.address, pausing, GUARDIAN], as(s.owner));
  await accessManager.write.grantRole([GUARDIAN, address(guardian), 0], as(s.owner));
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const latest = () => s.networkHelpers.time.latest();
  const pause = (by = guardian) => rounds.write.pause(as(by));
  const unpause = (by = guardian) => rounds.write.unpause(as(by));
  const expire = (roundId: `0x${string}`) => rounds.write.expire([roundId], as(s.outsider));
  /** @returns when it ends by itself */
  async function paused() {
    await pause();
    return (await latest()) + LONGEST;
  }

  fresh('commit, open, settle and finalise wait', async () => {
    const given = await s.contribution();
    const roundId = await s.commit(given);
    let until = await paused();
    const stopped = (call: Promise<unknown>) => reverts(call, 'RoundsPaused', [BigInt(until)]);
    await stopped(s.commit(await s.contribution({ salt: tag('next') })));
    await stopped(s.openOnly(given));
    await unpause();
    await s.openOnly(given);
    await s.draw(roundId);
    await s.voteAll(roundId, s.vote());
    const args = await s.settlement(roundId);
    const before = await s.networkHelpers.takeSnapshot();
    await s.networkHelpers.time.increase(LONGEST);
    until = await paused();
    await stopped(rounds.write.settle([...args], as(s.settler)));
    await before.restore();
    await rounds.write.settle([...args], as(s.settler));
    await s.networkHelpers.time.increase(LONGEST);
    until = await paused();
    await stopped(rounds.write.finalise([roundId], as(s.outsider)));
    await unpause();
    await rounds.write.finalise([roundId], as(s.outsider));
  });

  fresh('the clock stands, so no deadline passes, and goes on where it stood', async () => {
    const roundId = await s.drawn();
    const { voteDeadline } = await s.round(roundId);
    assert.equal(await rounds.read.clock(), await latest());
    const until = await paused();
    const at = await rounds.read.clock();
    assert.equal(at, until - LONGEST);
    await s.networkHelpers.time.increase(10 * DAY);
    assert.equal(await rounds.read.clock(), at);
    for (const validator of s.validators) await s.voteCommit(roundId, s.vote(), validator);
    await reverts(expire(roundId), 'RoundsDeadlineNotPassed', [
      ...[roundId, BigInt(voteDeadline + 1_800 + 900 + 900), BigInt(at)],
    ]);
    await unpause();
    const lost = (await latest()) - at;
    assert.equal(await rounds.read.clock(), at);
    await s.networkHelpers.time.increase(100);
    assert.equal(await rounds.read.clock(), at + 100);
    // All deadlines are by the clock.
    for (const validator of s.validators) await s.voteReveal(roundId, s.vote(), validator);
    const args = await s.settlement(roundId);
    const { deadline } = await s.round(roundId);
    await s.until(deadline + lost);
    await rounds.write.settle([...args], as(s.settler));
    assert.equal((await s.round(roundId)).finalisableAt, deadline + s.policy.delay);
  });

  fresh('it ends by itself after 14 days, and several add up', async () => {
    const until = await paused();
    const at = until - LONGEST;
    await s.until(until - 1);
    await reverts(s.commit(await s.contribution()), 'RoundsPaused', [BigInt(until)]);
    await s.until(until);
    await s.commit(await s.contribution());
    assert.equal(await rounds.read.clock(), at);
    await s.until(until + LONGEST);
    const again = pause();
    await emits(again, 'Paused', [BigInt(until + 2 * LONGEST)]);
    assert.equal(await rounds.read.clock(), at + LONGEST);
    await s.until(until + LONGEST + 5);
    await emits(unpause(), 'Unpaused', []);
    await s.until(until + 2 * LONGEST + 5);
    await pause();
    assert.equal(await rounds.read.clock(), at + 2 * LONGEST);
  });

  attack('pause for ever: again while paused, or within 14 days of the last', async () => {
    const until = await paused();
    await reverts(pause(), 'RoundsPaused', [BigInt(until)]);
    await s.until(until);
    const soon = (time: number, notBefore = until + LONGEST) => [BigInt(notBefore), BigInt(time)];
    await reverts(pause(), 'RoundsPausedTooSoon', soon(until));
    await s.until(until + LONGEST - 1);
    await reverts(pause(), 'RoundsPausedTooSoon', soon(until + LONGEST - 1));
    await s.until(until + LONGEST);
    await pause();
    // And not by ending it early.
    await s.until(until + LONGEST + 7);
    await unpause();
    await s.until(until + LONGEST + 8);
    await reverts(pause(), 'RoundsPausedTooSoon', soon(until + LONGEST + 8, until + 2 * LONGEST + 7));
  });

  attack('pause or unpause without the role, its administrator included', async () => {
    for (const wallet of [s.owner, s.outsider, s.contributor]) {
      await reverts(pause(wallet), 'AccessManagedUnauthorized', [address(wallet)]);
    }
    await pause();
    for (const wallet of [s.owner, s.outsider]) {
      await reverts(unpause(wallet), 'AccessManagedUnauthorized', [address(wallet)]);
    }
  });

  attack('unpause what runs', async () => {
    await reverts(unpause(), 'RoundsNotPaused', []);
    const until = await paused();
    await unpause();
    await reverts(unpause(), 'RoundsNotPaused', []);
    await s.until(until + LONGEST);
    const second = await paused();
    await s.until(second);
    await reverts(unpause(), 'RoundsNotPaused', []);
  });

  attack('keep people from their money by a pause', async () => {
    const done = await s.drawn();
    await s.settle(done);
    await s.finalise(done);
    const voting = await s.drawn('voting');
    const queued = await s.commit(await s.contribution({ salt: tag('queued') }));
    await paused();
    for (const wallet of [s.contributor, s.settler, ...s.validators.slice(0, 2)]) {
      await rounds.write.withdraw([done], as(wallet));
    }
    await s.claim(done);
    await rounds.write.cancel([queued], as(s.contributor));
    await rounds.write.withdraw([queued], as(s.contributor));
    await s.voteAll(voting, s.vote({ status: STATUS.SCHEMA }));
    await rounds.write.reject([voting, s.vote({ status: STATUS.SCHEMA })], as(s.settler));
    for (const wallet of [s.contributor, s.settler, ...s.validators.slice(0, 2)]) {
      await rounds.write.withdraw([voting], as(wallet));
    }
    assert.equal(await s.balance(rounds.address), 0n);
  });

  attack('burn a bond by a pause in somebody’s turn', async () => {
    const given = await s.contribution();
    const roundId = await s.commit(given);
    const [, endsAt] = await rounds.read.turn([modelId]);
    await paused();
    const at = await rounds.read.clock();
    await s.networkHelpers.time.increase(LONGEST - 10);
    await reverts(expire(roundId), 'RoundsDeadlineNotPassed', [roundId, BigInt(endsAt), BigInt(at)]);
    await reverts(rounds.write.cancel([roundId], as(s.contributor)), 'RoundsInTurn', [roundId]);
    await unpause();
    await s.openOnly(given);
    assert.equal((await s.round(roundId)).state, STATE.OPEN);
    assert.equal(await s.balance(rounds.address), DEPOSIT);
  });
});

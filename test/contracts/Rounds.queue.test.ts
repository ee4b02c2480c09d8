import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { type Hex, zeroAddress, zeroHash } from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { BOND, createScenario, DEPOSIT, FEE, MAX_REWARD, STATE, STATUS, VOID } from '../scenario.ts';

describe('Rounds: the queue', async () => {
  const s = await createScenario();
  const { rounds, rewards, modelId } = s;
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const { openDuration } = s.policy;
  const queued = async (salt: string, changes = {}) => s.contribution({ salt: tag(salt), ...changes });
  const enqueue = async (salt: string, changes = {}) => s.commit(await queued(salt, changes));
  const cancel = (roundId: Hex, by = s.contributor) => rounds.write.cancel([roundId], as(by));
  const expire = (roundId: Hex) => rounds.write.expire([roundId], as(s.outsider));
  const turn = async (model = modelId) => (await rounds.read.turn([model]))[0];
  const endsAt = async (model = modelId) => (await rounds.read.turn([model]))[1];
  const owed = (roundId: Hex) => rounds.read.withdrawable([roundId, address(s.contributor)]);
  /** Gives back the slot at once. */
  const end = (roundId: Hex) => s.reject(roundId, { status: STATUS.SCHEMA });
  const voided = (roundId: Hex, reason: number, model = modelId) => [roundId, model, address(s.contributor), reason];

  fresh('first committed, first opened; a model waits for its own rounds alone', async () => {
    const [first, second] = [await enqueue('first'), await enqueue('second')];
    assert.deepEqual(await rounds.read.queue([modelId]), [[first, second], 0n]);
    const { committedAt } = await s.round(first);
    assert.deepEqual(await rounds.read.turn([modelId]), [first, committedAt + openDuration]);
    await s.openOnly(await queued('first'));
    assert.deepEqual(await rounds.read.turn([modelId]), [second, 0], 'no turn ends while the slot is taken');
    assert.deepEqual(await rounds.read.queue([modelId]), [[first, second], 1n]);

    const other = await s.createModel('other');
    await s.open('other', { modelId: other });
    await s.draw(first);
    await s.settle(first);
    await reverts(s.openOnly(await queued('second')), 'RoundsNotInTurn', [second, first]);
    await s.finalise(first);
    const freeAt = await s.networkHelpers.time.latest();
    assert.deepEqual(await rounds.read.turn([modelId]), [second, freeAt + openDuration]);
    await s.openOnly(await queued('second'));
    assert.equal(await rounds.read.slot([modelId]), second);
  });

  fresh('every end of a round gives back the slot', async () => {
    const ends: ((roundId: Hex) => Promise<unknown>)[] = [
      async (roundId) => s.reject(await s.draw(roundId)),
      async (roundId) => {
        await s.until((await s.round(roundId)).deadline + 1);
        await expire(roundId);
      },
      async (roundId) => {
        await s.until((await s.round(await s.draw(roundId))).deadline + s.policy.settleDuration + 1);
        await expire(roundId);
      },
      async (roundId) => {
        await s.settle(await s.draw(roundId));
        await rounds.write.veto([roundId], { ...as(s.owner), value: FEE });
      },
    ];
    for (const [i, end] of ends.entries()) {
      const roundId = await s.open(`end ${i}`);
      assert.equal(await rounds.read.slot([modelId]), roundId);
      await end(roundId);
      assert.equal(await rounds.read.slot([modelId]), zeroHash);
    }
    assert.equal(await rewards.read.budget([modelId]), 4n * MAX_REWARD, 'and all that was reserved');
  });

  attack('jump the queue, or open out of turn', async () => {
    const first = await enqueue('first');
    const second = await enqueue('second');
    await reverts(s.openOnly(await queued('second')), 'RoundsNotInTurn', [second, first]);
    await s.networkHelpers.time.increase(openDuration + 1);
    await reverts(s.openOnly(await queued('second')), 'RoundsNotInTurn', [second, first]);
    // Until somebody ends it, a turn is late and not over.
    await s.openOnly(await queued('first'));
    await reverts(s.openOnly(await queued('second')), 'RoundsNotInTurn', [second, first]);
  });

  attack('cancel another’s contribution', async () => {
    await s.open();
    const roundId = await enqueue('second');
    const stranger = [roundId, address(s.contributor), address(s.outsider)];
    await reverts(cancel(roundId, s.outsider), 'RoundsNotSponsor', stranger);
    await emits(cancel(roundId), 'RoundVoided', voided(roundId, VOID.CANCELLED));
    await reverts(cancel(roundId), 'RoundsWrongState', [roundId, STATE.COMMITTED, STATE.VOIDED]);
    assert.equal(await owed(roundId), DEPOSIT);
    await reverts(s.openOnly(await queued('second')), 'RoundsWrongState', [roundId, STATE.COMMITTED, STATE.VOIDED]);
  });

  attack('keep others waiting and cancel in one’s own turn', async () => {
    const first = await enqueue('first');
    const second = await enqueue('second');
    await reverts(cancel(first), 'RoundsInTurn', [first]);
    await cancel(second);
    await s.networkHelpers.time.increase(2 * openDuration);
    await reverts(cancel(first), 'RoundsInTurn', [first]);
    await expire(first);
    assert.equal(await owed(first), FEE);
  });

  attack('come into turn behind cancelled entries, and cancel nevertheless', async () => {
    const roundId = await s.open();
    const before = await enqueue('before');
    const after = await enqueue('after');
    await cancel(before);
    await end(await s.draw(roundId));
    await reverts(cancel(after), 'RoundsInTurn', [after]);
  });
  attack('hide one’s turn behind more cancelled entries than are passed over at once, and cancel in it', async () => {
    const open = await s.drawn();
    const hidden: Hex[] = [];
    for (let i = 0; i < 40; i++) hidden.push(await enqueue(`hidden ${i}`));
    const own = await enqueue('own');
    for (const roundId of hidden.toReversed()) await cancel(roundId);
    await end(open);
    await reverts(cancel(own), 'RoundsInTurn', [own]);
    assert.equal((await rounds.read.queue([modelId]))[1], 1n, 'the reverted call has passed over nothing');
  });

  attack('wait beyond one’s turn until one could open, and lose the bond: `cancel` was free before', async () => {
    const model = await s.createModel('waiting', {}, MAX_REWARD - 1n);
    const [patient, waiting] = [await enqueue('patient', { modelId: model }), await enqueue('2nd', { modelId: model })];
    await s.until((await endsAt(model)) + 1);
    await cancel(patient);
    assert.equal(await owed(patient), DEPOSIT);
    await s.until((await endsAt(model)) + 1);
    await rewards.write.allocateBudget([model, 1n], as(s.owner));
    await emits(expire(waiting), 'RoundVoided', voided(waiting, VOID.MISSED_TURN, model));
    assert.equal(await owed(waiting), FEE);
  });

  attack('miss one’s turn: the bond is burnt, and the next has a whole turn', async () => {
    const first = await enqueue('first');
    const second = await enqueue('second');
    const end = await endsAt();
    await s.until(end);
    await reverts(expire(first), 'RoundsDeadlineNotPassed', [first, BigInt(end), BigInt(end)]);
    await s.until(end + 1);
    const expiring = expire(first);
    await emits(expiring, 'RoundVoided', voided(first, VOID.MISSED_TURN));
    await emits(expiring, 'BondForfeited', [first, BOND, zeroAddress, 0n]);
    await s.viem.assertions.balancesHaveChanged(expiring, [
      { address: rounds.address, amount: -BOND },
      { address: zeroAddress, amount: BOND },
    ]);
    assert.deepEqual(await rounds.read.turn([modelId]), [second, end + 1 + openDuration]);
    assert.equal(await owed(first), FEE);
    assert.equal(await s.balance(rounds.address), FEE + DEPOSIT);
  });

  attack('cancel in one’s turn for free while there is a last fold, or miss it', async () => {
    const model = await s.createModel('last fold', { roundsPerFold: 1 });
    await s.reject(await s.drawn('0', { modelId: model }));
    const last = await enqueue('last', { modelId: model });
    await reverts(cancel(last), 'RoundsInTurn', [last]);
    await s.until((await endsAt(model)) + 1);
    await emits(expire(last), 'RoundVoided', voided(last, VOID.MISSED_TURN, model));
    assert.equal(await owed(last), FEE);
  });

  attack('end the turn of one who waits behind others, or behind an open round', async () => {
    const first = await enqueue('first');
    const second = await enqueue('second');
    const early = await s.round(second);
    await s.networkHelpers.time.increase(openDuration + 10);
    await reverts(expire(second), 'RoundsNotInTurn', [second, first]);
    await s.openOnly(await queued('first'));
    await s.networkHelpers.time.increase(openDuration);
    await reverts(expire(second), 'RoundsNotInTurn', [second, first]);
    await expire(first);
    const end = await endsAt();
    assert(end > early.committedAt + 2 * openDuration);
    await s.until(end);
    await reverts(expire(second), 'RoundsDeadlineNotPassed', [second, BigInt(end), BigInt(end)]);
  });

  attack('burn the bond of one who could not open: budget, epoch and folds', async () => {
    const perRound = { maxReward: MAX_REWARD, epochReward: MAX_REWARD };
    for (const [name, changes, budget] of [
      ['budget', {}, MAX_REWARD - 1n],
      ['epoch', perRound, 2n * MAX_REWARD],
      ['folds', { roundsPerFold: 1 }, MAX_REWARD],
    ] as const) {
      const model = await s.createModel(name, changes, budget);
      if (name === 'epoch') {
        const paid = await s.drawn(name, { modelId: model });
        await s.settle(paid);
        await s.finalise(paid);
      }
      for (let i = 0; name === 'folds' && i < 2; i++) await s.reject(await s.drawn(`${i}`, { modelId: model }));
      const [cancelled, expired] = [await enqueue('1st', { modelId: model }), await enqueue('2nd', { modelId: model })];
      if (name === 'folds') {
        const { benchmarkId } = await s.round(cancelled);
        const opening = s.openOnly(await queued('1st', { modelId: model }));
        await reverts(opening, 'RoundsFoldsSpent', [model, benchmarkId]);
      }
      // In its turn, with everything back; the next has a turn of its own.
      await emits(cancel(cancelled), 'RoundVoided', voided(cancelled, VOID.CANCELLED, model));
      const end = (await s.networkHelpers.time.latest()) + openDuration;
      assert.deepEqual(await rounds.read.turn([model]), [expired, end]);
      await s.until(end + 1);
      await emits(expire(expired), 'RoundVoided', voided(expired, VOID.NOT_OPENED, model));
      for (const roundId of [cancelled, expired]) assert.equal(await owed(roundId), DEPOSIT);
    }
  });

  attack('stuff the queue with hundreds of cancelled entries before an honest one', async () => {
    const open = await s.drawn();
    const stuffed: Hex[] = [];
    for (let i = 0; i < 200; i++) stuffed.push(await enqueue(`stuffed ${i}`));
    const honest = await enqueue('honest');
    // From the back: each cancellation passes over those before it.
    for (const roundId of stuffed.toReversed()) await cancel(roundId);
    await end(open);
    assert.equal(await turn(), honest);
    // 32 of them are passed over by `open`, whose revert forgets it; the rest by anybody, in as many steps as it takes.
    await reverts(s.openOnly(await queued('honest')), 'RoundsNotInTurn', [honest, stuffed[32]]);
    await rounds.write.skip([modelId, 100n], as(s.outsider));
    assert.equal((await rounds.read.queue([modelId]))[1], 101n);
    await rounds.write.skip([modelId, 68n], as(s.outsider));
    await s.openOnly(await queued('honest'));
    // Nobody is left to be passed over.
    for (const most of [1n, 2n ** 256n - 1n]) await rounds.write.skip([modelId, most], as(s.outsider));
    assert.equal((await rounds.read.queue([modelId]))[1], 202n);
  });

  attack('skip those who wait', async () => {
    const first = await enqueue('first');
    await rounds.write.skip([modelId, 100n], as(s.outsider));
    assert.equal(await turn(), first);
    assert.equal((await rounds.read.queue([modelId]))[1], 0n);
    const nobody = tag('nobody');
    await rounds.write.skip([nobody, 100n], as(s.outsider));
    assert.deepEqual(await rounds.read.queue([nobody]), [[], 0n]);
  });
});

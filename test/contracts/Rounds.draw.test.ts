import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { encodeAbiParameters, getAddress, type Hex, keccak256, type WalletClient } from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, DEPOSIT, RECIPIENT, STAKE, STATE, STATUS, VOID } from '../scenario.ts';

const hash = (...words: Hex[]): Hex =>
  keccak256(
    encodeAbiParameters(
      words.map(() => ({ type: 'bytes32' })),
      words,
    ),
  );

describe('Rounds: the draw', async () => {
  const s = await createScenario();
  const { rounds, modelRegistry, validatorRegistry, modelId } = s;
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const draw = (roundId: Hex) => rounds.write.draw([roundId], as(s.outsider));
  const foldIds = async (roundId: Hex) => modelRegistry.read.foldIds([(await s.round(roundId)).benchmarkId]);
  const members = async (roundId: Hex) => validatorRegistry.read.members([(await s.round(roundId)).committee]);
  const mineTo = async (block: number) => s.networkHelpers.mineUpTo(block);
  const register = (wallet: WalletClient, value = STAKE) =>
    validatorRegistry.write.register([rounds.address, RECIPIENT], { ...as(wallet), value });
  const byLot = { committeeSize: 5, threshold: 3, validators: [] };
  /** What a draw by lot has to be, from the hash of the block. */
  async function seedOf(roundId: Hex): Promise<Hex> {
    const { anchorBlock, dataRoot } = await s.round(roundId);
    const block = await s.publicClient.getBlock({ blockNumber: BigInt(anchorBlock + 2) });
    return hash(tag('hokusai.seed'), dataRoot, block.hash);
  }

  fresh('fold, seed and committee follow from the data and the hash of the second block after open', async () => {
    const roundId = await s.open();
    const drawing = s.draw(roundId);
    await drawing;
    const at = await s.networkHelpers.time.latest();
    const seed = await seedOf(roundId);
    const folds = await foldIds(roundId);
    const foldId = folds[Number(BigInt(hash(tag('hokusai.foldDraw'), seed)) % BigInt(folds.length))]!;
    const { voteDuration, revealDuration, settleDuration } = s.policy;
    const [vote, reveal] = [at + voteDuration, at + voteDuration + revealDuration];
    const hashes = await s.publicClient.getBlock();
    await emits(Promise.resolve(hashes.transactions[0]!), 'RoundDrawn', [
      ...[roundId, modelId, foldId, seed, s.policy.validators],
      ...[BigInt(vote), BigInt(reveal), BigInt(reveal + settleDuration)],
    ]);
    const drawn = await s.round(roundId);
    assert.deepEqual(
      [drawn.state, drawn.foldId, drawn.seats, drawn.voteDeadline, drawn.revealDeadline, drawn.deadline],
      [STATE.VOTING, foldId, 3, vote, reveal, reveal + settleDuration],
    );
    assert.deepEqual(await rounds.read.foldState([modelId, foldId]), { rounds: 1, accepted: false });
  });

  fresh('a committee by lot is the one that the seed draws', async () => {
    for (const wallet of s.others.slice(0, 6)) await register(wallet);
    const model = await s.createModel('lot', byLot);
    const roundId = await s.drawn('lot', { modelId: model });
    const seed = hash(tag('hokusai.committee'), await seedOf(roundId));
    const { anchorBlock, seats } = await s.round(roundId);
    const args = [seed, 5n, STAKE, address(s.contributor), BigInt(anchorBlock) + 1n] as const;
    await s.networkHelpers.impersonateAccount(rounds.address);
    const committee = await validatorRegistry.read.draw([...args], { account: rounds.address });
    assert.deepEqual(await members(roundId), await validatorRegistry.read.members([committee]));
    assert.equal(seats, 5);
  });

  fresh('of the largest committee every seat is counted, and no seventeenth drawn', async () => {
    const more = [...s.others, s.owner, s.payee];
    for (const wallet of more) await register(wallet);
    assert.equal(s.validators.length + more.length, 17);
    const model = await s.createModel('lot', { ...byLot, committeeSize: 16, threshold: 9 });
    const roundId = await s.drawn('lot', { modelId: model });
    assert.deepEqual([(await s.round(roundId)).seats, (await members(roundId)).length], [16, 16]);
  });

  fresh('a large number in the last seat is no further seat', async () => {
    for (const wallet of s.others) await register(wallet);
    const model = await s.createModel('lot', { ...byLot, committeeSize: 13, threshold: 9 });
    const before = await s.networkHelpers.takeSnapshot();
    for (let [blocks, last] = [1, 0n]; last < 8n; blocks++) {
      await before.restore();
      await s.networkHelpers.mine(blocks);
      const { seats, committee } = await s.round(await s.drawn('lot', { modelId: model }));
      last = committee >> 192n;
      assert.equal(seats, 13);
    }
  });

  attack('draw before the block is over whose hash draws', async () => {
    const roundId = await s.open();
    const { anchorBlock } = await s.round(roundId);
    const early = (block: number) =>
      reverts(draw(roundId), 'RoundsDrawnTooEarly', [roundId, BigInt(anchorBlock + 2), BigInt(block)]);
    await early(anchorBlock + 1);
    await s.networkHelpers.mine();
    await early(anchorBlock + 2);
    await s.networkHelpers.mine();
    await draw(roundId);
    assert.equal((await s.round(roundId)).state, STATE.VOTING);
  });

  attack('wait until the hash is forgotten: another block draws', async () => {
    const roundId = await s.open();
    const { anchorBlock, deadline } = await s.round(roundId);
    const known = await s.networkHelpers.takeSnapshot();
    await mineTo(anchorBlock + 2 + 255);
    await draw(roundId);
    assert.equal((await s.round(roundId)).state, STATE.VOTING, 'the last of 256 blocks');

    await known.restore();
    await mineTo(anchorBlock + 2 + 256);
    const next = anchorBlock + 2 + 257;
    await emits(draw(roundId), 'DrawPostponed', [roundId, BigInt(next)]);
    const { state, ...postponed } = await s.round(roundId);
    assert.deepEqual([state, postponed.anchorBlock, postponed.deadline], [STATE.OPEN, next, deadline]);
    await reverts(draw(roundId), 'RoundsDrawnTooEarly', [roundId, BigInt(next + 2), BigInt(next + 1)]);
    await s.draw(roundId);
    assert.equal((await s.round(roundId)).anchorBlock, next);
  });

  attack('draw twice, for another committee', async () => {
    const roundId = await s.drawn();
    await reverts(draw(roundId), 'RoundsWrongState', [roundId, STATE.OPEN, STATE.VOTING]);
  });

  attack('draw when the time to do so is over', async () => {
    const roundId = await s.open();
    const { deadline } = await s.round(roundId);
    await s.networkHelpers.mine(3);
    await s.until(deadline + 1);
    await reverts(draw(roundId), 'RoundsDeadlinePassed', [roundId, BigInt(deadline), BigInt(deadline) + 1n]);
    await s.until(deadline + 2);
    await emits(rounds.write.expire([roundId], as(s.outsider)), 'RoundVoided', [
      ...[roundId, modelId, address(s.contributor), VOID.NOT_DRAWN],
    ]);
    assert.equal(await rounds.read.withdrawable([roundId, address(s.contributor)]), DEPOSIT);
  });

  attack('ask a fold until it answers: spent after K rounds, and all folds in the end', async () => {
    const model = await s.createModel('twice', { roundsPerFold: 2 });
    const asked = new Map<Hex, number>();
    for (let i = 0; i < 4; i++) {
      const roundId = await s.drawn(`try ${i}`, { modelId: model });
      const { foldId } = await s.round(roundId);
      asked.set(foldId, (asked.get(foldId) ?? 0) + 1);
      await s.reject(roundId);
    }
    assert.deepEqual([...asked.values()], [2, 2]);
    const given = await s.contribution({ modelId: model, salt: tag('one more') });
    const roundId = await s.commit(given);
    await reverts(s.openOnly(given), 'RoundsFoldsSpent', [model, given.benchmarkId]);
    await rounds.write.cancel([roundId], as(s.contributor));
    await modelRegistry.write.updateBenchmark([model, [s.fold(1), s.fold(2)]], as(s.owner));
    const [, third] = await modelRegistry.read.foldIds([(await modelRegistry.read.model([model])).benchmarkId]);
    const next = await s.drawn('a new fold', { modelId: model });
    assert.equal((await s.round(next)).foldId, third, 'a spent fold stays spent in a new benchmark');
  });

  attack('ask a fold again after it paid', async () => {
    const first = await s.drawn();
    await s.settle(first);
    await s.finalise(first);
    const { foldId } = await s.round(first);
    for (let i = 0; i < 3; i++) {
      const roundId = await s.drawn(`next ${i}`);
      assert.notEqual((await s.round(roundId)).foldId, foldId);
      await s.reject(roundId);
    }
    await reverts(s.open('one more'), 'RoundsFoldsSpent', [modelId, (await s.round(first)).benchmarkId]);
  });

  attack('let rounds time out instead of being rejected, for more tries', async () => {
    const roundId = await s.drawn();
    const { foldId, deadline } = await s.round(roundId);
    await s.until(deadline + s.policy.settleDuration + 1);
    await rounds.write.expire([roundId], as(s.outsider));
    assert.deepEqual(await rounds.read.foldState([modelId, foldId]), { rounds: 1, accepted: false });
  });

  attack('burn another model’s folds and baseline with a model that names the same', async () => {
    const copy = await s.createModel('copy');
    const roundId = await s.drawn('copy', { modelId: copy });
    await s.settle(roundId, { vote: { baselinePredictionsRoot: 666n } });
    const { foldId } = await s.round(roundId);
    assert.deepEqual(await rounds.read.foldState([modelId, foldId]), { rounds: 0, accepted: false });
    assert.equal(await rounds.read.baselinePredictionsRoot([modelId, 77n, foldId]), 0n);
    await s.settle(await s.drawn());
  });

  attack('judge one’s own data: a contributor on the list of validators, or drawn by lot', async () => {
    const [judge] = s.validators;
    const given = await s.contribution({ contributor: address(judge!) });
    const roundId = await s.commit(given);
    await s.openOnly(given, '0x', judge);
    await s.draw(roundId);
    assert.deepEqual(await members(roundId), s.validators.slice(1).map(address));
    await reverts(s.voteCommit(roundId, s.vote(), judge!), 'RoundsNotValidator', [roundId, address(judge!)]);

    await register(s.others[0]!);
    const model = await s.createModel('lot', { ...byLot, committeeSize: 4 });
    const drawn = await s.contribution({ modelId: model, contributor: address(judge!) });
    const lot = await s.commit(drawn);
    await s.openOnly(drawn, '0x', judge);
    await s.draw(lot);
    const seats = [...(await members(lot))].sort();
    assert.deepEqual(seats, [s.validators[1]!, s.validators[2]!, s.others[0]!].map(address).sort());
    await reverts(s.voteCommit(lot, s.vote(), judge!), 'RoundsNotValidator', [lot, address(judge!)]);
  });

  attack('register, resume or stake more once the block that draws may be known', async () => {
    const [small, away, late] = s.others as [WalletClient, WalletClient, WalletClient];
    await register(small, STAKE - 1n);
    await register(away);
    await validatorRegistry.write.pause(as(away));
    const model = await s.createModel('lot', { ...byLot, committeeSize: 16, threshold: 9 });
    for (const wallet of s.others.slice(3, 9)) await register(wallet);
    const before = await s.networkHelpers.takeSnapshot();
    const join = async () => {
      await validatorRegistry.write.addStake({ ...as(small), value: 1n });
      await validatorRegistry.write.resume(as(away));
      await register(late);
    };
    const roundId = await s.open('lot', { modelId: model });
    await join();
    await s.draw(roundId);
    const expected = [...s.validators, ...s.others.slice(3, 9)].map(address).sort();
    assert.deepEqual([...(await members(roundId))].sort(), expected);

    await before.restore();
    await join();
    const inTime = await s.drawn('lot', { modelId: model });
    assert.equal((await s.round(inTime)).seats, 12);

    // In the very block that opens the round: the seed is the hash of its second successor.
    await before.restore();
    const given = await s.contribution({ modelId: model });
    const sameBlock = await s.commit(given);
    const client = await s.viem.getTestClient();
    await client.setAutomine(false);
    await s.openOnly(given);
    await join();
    await client.mine({ blocks: 1 });
    await client.setAutomine(true);
    await s.draw(sameBlock);
    assert.equal((await s.round(sameBlock)).seats, 12);
  });

  attack('draw a committee that has no quorum', async () => {
    for (const validator of s.validators.slice(0, 2)) await validatorRegistry.write.pause(as(validator));
    const roundId = await s.open();
    await s.networkHelpers.mine(3);
    await reverts(draw(roundId), 'RoundsTooFewValidators', [roundId, 2n, 1n]);
    await s.networkHelpers.impersonateAccount(rounds.address);
    await s.networkHelpers.setBalance(rounds.address, DEPOSIT * 1_000_000_000n);
    await validatorRegistry.write.slash([address(s.validators[2]!), address(s.owner)], { account: rounds.address });
    await reverts(draw(roundId), 'RoundsTooFewValidators', [roundId, 2n, 0n]);
    for (const validator of s.validators.slice(0, 2)) await validatorRegistry.write.resume(as(validator));
    await draw(roundId);
    assert.deepEqual(await members(roundId), s.validators.slice(0, 2).map(address));
    await s.voteCommit(roundId, s.vote({ status: STATUS.PII }), s.validators[0]!);
  });

  attack('let validators of another contract, or with too little at stake, vote', async () => {
    const [foreign, poor, fine, two] = s.others as [WalletClient, WalletClient, WalletClient, WalletClient];
    await validatorRegistry.write.register([address(s.owner), RECIPIENT], { ...as(foreign), value: STAKE });
    await register(poor, STAKE - 1n);
    await register(fine);
    await register(two);
    const validators = [foreign, poor, fine, two].map(address).sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
    const model = await s.createModel('mixed', { validators, threshold: 3 });
    const roundId = await s.open('mixed', { modelId: model });
    await s.networkHelpers.mine(3);
    await reverts(draw(roundId), 'RoundsTooFewValidators', [roundId, 3n, 2n]);
    assert.equal(getAddress(rounds.address), (await validatorRegistry.read.validator([address(fine)])).rounds);
  });
});

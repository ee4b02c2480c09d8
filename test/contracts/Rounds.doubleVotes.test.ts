import assert from 'node:assert/strict';
import { describe } from 'node:test';
import {
  type Hex,
  numberToHex,
  parseSignature,
  serializeSignature,
  size,
  type WalletClient,
  zeroAddress,
  zeroHash,
} from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, DEPOSIT, FEE, MAX_REWARD, STAKE, STATE, STATUS, VOID, type Vote } from '../scenario.ts';

const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe('Rounds: double votes', async () => {
  const s = await createScenario();
  const { rounds, rewards, validatorRegistry, modelId } = s;
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const [first, second, third] = s.validators as [WalletClient, WalletClient, WalletClient];
  const [one, two] = [s.vote(), s.vote({ status: STATUS.PII })];
  const submit = (roundId: Hex, of: readonly [Vote, Hex, Vote, Hex], by = s.outsider) =>
    rounds.write.proveDoubleVote([roundId, ...of], as(by));
  const evidence = async (roundId: Hex, signer: WalletClient, other = signer) =>
    [one, await s.sign(roundId, one, signer), two, await s.sign(roundId, two, other)] as const;
  const prove = async (roundId: Hex, signer: WalletClient, by = s.outsider) =>
    submit(roundId, await evidence(roundId, signer), by);
  /** Settled by two votes of three, or by all. */
  async function settled(agreeing = s.validators.slice(0, 2)) {
    const roundId = await s.drawn();
    await s.voteAll(roundId, s.vote(), agreeing);
    await s.settle(roundId);
    return roundId;
  }

  fresh('during the vote it slashes; the reporter has half of the stake, the rest is burnt', async () => {
    const roundId = await s.drawn();
    const proving = prove(roundId, first);
    const slashed = [address(first), address(s.outsider), STAKE / 2n, STAKE / 2n];
    await emits(proving, 'ValidatorSlashed', slashed, validatorRegistry);
    await s.viem.assertions.balancesHaveChanged(proving, [
      { address: address(s.outsider), amount: STAKE / 2n },
      { address: zeroAddress, amount: STAKE / 2n },
    ]);
    assert.equal((await s.round(roundId)).state, STATE.VOTING);
    assert.equal((await validatorRegistry.read.validator([address(first)])).stake, 0n);
  });

  fresh('during the delay the vote counts no longer; the others share the fee', async () => {
    const roundId = await settled(s.validators);
    assert.equal((await s.round(roundId)).shareholders, 7);
    await prove(roundId, second);
    const { state, shareholders } = await s.round(roundId);
    assert.deepEqual([state, shareholders], [STATE.SETTLED, 5]);
    await s.finalise(roundId);
    const nothing = [roundId, address(second)];
    await reverts(rounds.write.withdraw([roundId], as(second)), 'RoundsNothingToWithdraw', nothing);
    for (const validator of [first, third]) {
      await emits(rounds.write.withdraw([roundId], as(validator)), 'Withdrawn', [
        roundId,
        address(validator),
        FEE / 3n,
      ]);
    }
    for (const wallet of [s.settler, s.contributor]) await rounds.write.withdraw([roundId], as(wallet));
    assert.equal(await s.balance(rounds.address), 0n);
  });

  fresh('a round that has no quorum without the vote is void, and its sponsor has everything back', async () => {
    const roundId = await settled();
    const proving = prove(roundId, first);
    await emits(proving, 'RoundVoided', [roundId, modelId, address(s.contributor), VOID.DOUBLE_VOTE]);
    const slashed = [address(first), address(s.outsider), STAKE / 2n, STAKE / 2n];
    await emits(proving, 'ValidatorSlashed', slashed, validatorRegistry);
    assert.equal((await s.round(roundId)).state, STATE.VOIDED);
    assert.equal(await rounds.read.slot([modelId]), zeroHash);
    assert.equal(await rewards.read.budget([modelId]), 4n * MAX_REWARD);
    for (const wallet of [s.settler, first, second]) {
      const nothing = [roundId, address(wallet)];
      await reverts(rounds.write.withdraw([roundId], as(wallet)), 'RoundsNothingToWithdraw', nothing);
    }
    const withdrawing = rounds.write.withdraw([roundId], as(s.contributor));
    await emits(withdrawing, 'Withdrawn', [roundId, address(s.contributor), DEPOSIT]);
    assert.equal(await s.balance(rounds.address), 0n);
  });

  fresh('the double vote of one who did not vote for the outcome slashes, and changes nothing else', async () => {
    const roundId = await settled();
    await prove(roundId, third);
    const { state, shareholders } = await s.round(roundId);
    assert.deepEqual([state, shareholders], [STATE.SETTLED, 3]);
    await s.finalise(roundId);
  });

  fresh('of a round that is final, or whose delay is over, it only slashes', async () => {
    const roundId = await settled();
    const { finalisableAt } = await s.round(roundId);
    await s.until(finalisableAt);
    await prove(roundId, first);
    assert.equal((await s.round(roundId)).state, STATE.SETTLED);
    await s.finalise(roundId);
    await prove(roundId, second);
    const { state, shareholders } = await s.round(roundId);
    assert.deepEqual([state, shareholders], [STATE.FINALISED, 3]);
    for (const validator of [first, second]) {
      assert.equal((await validatorRegistry.read.validator([address(validator)])).stake, 0n);
      assert.equal(await rounds.read.withdrawable([roundId, address(validator)]), FEE / 3n);
    }
  });

  attack('equivocate during the vote, so that the vote counts in the delay: it can be shown again', async () => {
    const roundId = await s.drawn();
    await prove(roundId, first);
    await s.settle(roundId);
    const proving = prove(roundId, first, s.settler);
    await emits(proving, 'ValidatorSlashed', [address(first), address(s.settler), 0n, 0n], validatorRegistry);
    assert.equal((await s.round(roundId)).state, STATE.VOIDED);
    await prove(roundId, first, s.settler);
  });

  attack('the same vote twice', async () => {
    const roundId = await settled();
    const signature = await s.sign(roundId, one, first);
    await reverts(submit(roundId, [one, signature, one, signature]), 'RoundsNoDoubleVote', [roundId]);
  });

  attack('the second form of a signature, with a high s', async () => {
    const roundId = await settled();
    const [, signature, , other] = await evidence(roundId, first);
    const { r, s: low, yParity } = parseSignature(signature);
    const high = numberToHex(SECP256K1_N - BigInt(low), { size: 32 });
    const flipped = serializeSignature({ r, s: high, yParity: yParity === 0 ? 1 : 0 });
    assert.equal(size(flipped), 65);
    await reverts(submit(roundId, [one, flipped, two, other]), 'ECDSAInvalidSignatureS', [high]);
  });

  attack('the votes of two signers', async () => {
    const roundId = await settled();
    await reverts(submit(roundId, await evidence(roundId, first, second)), 'RoundsNoDoubleVote', [roundId]);
  });

  attack('a signature for another round, chain or contract', async () => {
    const roundId = await settled();
    const signature = await s.sign(roundId, one, first);
    for (const other of [
      await s.sign(tag('other'), two, first),
      await s.sign(roundId, two, first, { chainId: 1 }),
      await s.sign(roundId, two, first, { verifyingContract: rewards.address }),
    ]) {
      await reverts(submit(roundId, [one, signature, two, other]), 'RoundsNoDoubleVote', [roundId]);
    }
  });

  attack('two votes of one who has no seat', async () => {
    const roundId = await settled();
    await reverts(prove(roundId, s.outsider), 'RoundsNotValidator', [roundId, address(s.outsider)]);
  });

  attack('leave before it is shown: the stake is bonded longer than a round takes', async () => {
    const roundId = await settled();
    await validatorRegistry.write.unbond(as(first));
    await s.finalise(roundId);
    const proving = prove(roundId, first);
    const slashed = [address(first), address(s.outsider), STAKE / 2n, STAKE / 2n];
    await emits(proving, 'ValidatorSlashed', slashed, validatorRegistry);
  });

  attack('slash a validator without an equivocation, from anywhere but the rounds', async () => {
    for (const wallet of [s.owner, s.settler, second]) {
      const slashing = validatorRegistry.write.slash([address(first), address(wallet)], as(wallet));
      const foreign = [
        address(first),
        (await validatorRegistry.read.validator([address(first)])).rounds,
        address(wallet),
      ];
      await reverts(slashing, 'ValidatorRegistryNotRounds', foreign, validatorRegistry);
    }
  });
});

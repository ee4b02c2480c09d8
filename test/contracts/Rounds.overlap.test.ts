import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { concat, encodeFunctionData, getAddress, type Hex, keccak256, zeroAddress } from 'viem';
import { hashWords, tag as tagOf } from '../../offchain/attestation/context.ts';
import { dataRootOf, rowDigests, rowsRoot } from '../../offchain/table/data-root.ts';
import { parseSchema } from '../../offchain/table/schema.ts';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { merkleTree, saltOf } from '../merkle.ts';
import { tableOf } from '../offchain/tables.ts';
import { BOND, createScenario, DEPOSIT, FEE, MAX_REWARD, STATE, VOID } from '../scenario.ts';

const SCHEMA = parseSchema({
  version: 1,
  label: { name: 'y', positive: 'yes', negative: 'no' },
  columns: [{ name: 'a', type: 'number' }],
});
const SECRET = Buffer.alloc(32, 7);
const BENCHMARK_SECRET = Buffer.alloc(32, 8);
const FOLDS = 2;
const table = (from: number, to: number, label: string) =>
  tableOf(
    ['a', 'y'],
    Array.from({ length: to - from }, (_, i) => [String(from + i), label]),
  );
/** Rows 50 to 59 are in both, under different labels. */
const contributed = table(0, 60, 'yes');
const measured = table(50, 130, 'no');
const features = rowDigests(contributed, SCHEMA, 'features');
const benchmark = rowDigests(measured, SCHEMA, 'features');
const ours = merkleTree(features, SECRET);
const theirs = merkleTree(benchmark, BENCHMARK_SECRET);
const featuresRoot = rowsRoot(features, SECRET);
const wholeRoot = rowsRoot(rowDigests(contributed, SCHEMA, 'row'), SECRET);
const { dataRoot, rows } = dataRootOf(contributed, SCHEMA, SECRET);
const leaf = (digest: Hex, salt: Hex) => keccak256(keccak256(concat([tagOf('row'), digest, salt])));

function overlapOf(digest: Hex) {
  const [contributionSalt, benchmarkSalt] = [saltOf(digest, SECRET), saltOf(digest, BENCHMARK_SECRET)];
  return {
    ...{ rowsRoot: wholeRoot, featuresRoot, digest, contributionSalt, benchmarkSalt },
    contributionProof: ours.proofOfLeaf(leaf(digest, contributionSalt)),
    benchmarkProof: theirs.proofOfLeaf(leaf(digest, benchmarkSalt)),
  };
}

describe('Rounds: overlap of contribution and benchmark', async () => {
  const s = await createScenario();
  const { rounds, rewards, modelRegistry } = s;
  const folds = Array.from({ length: FOLDS }, (_, i) => ({
    ...s.fold(i),
    rowsRoot: rowsRoot(benchmark, BENCHMARK_SECRET),
  }));
  const modelId = await s.registerModel(tag('overlap'), {}, folds);
  await rewards.write.allocateBudget([modelId, MAX_REWARD], as(s.owner));
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const both = features[55]!;
  async function settled() {
    const roundId = await s.drawn('overlap', { modelId, dataRoot, rows });
    await s.settle(roundId);
    return roundId;
  }
  type Overlap = ReturnType<typeof overlapOf>;
  const prove = (roundId: Hex, overlap: Overlap, by = s.outsider) =>
    rounds.write.proveOverlap([roundId, overlap], as(by));
  const refused = (roundId: Hex, overlap: Overlap) =>
    reverts(prove(roundId, overlap), 'RoundsNoOverlap', [roundId, overlap.digest]);

  fresh(
    'every row that is in both voids the round; half of the bond is the reporter’s, the rest is burnt',
    async () => {
      const roundId = await settled();
      const before = await s.networkHelpers.takeSnapshot();
      for (const digest of features.slice(50)) {
        assert(benchmark.includes(digest));
        const proving = prove(roundId, overlapOf(digest));
        await emits(proving, 'RoundVoided', [roundId, modelId, address(s.contributor), VOID.OVERLAP]);
        await emits(proving, 'BondForfeited', [roundId, BOND - BOND / 2n, address(s.outsider), BOND / 2n]);
        await s.viem.assertions.balancesHaveChanged(proving, [
          { address: address(s.outsider), amount: BOND / 2n },
          { address: zeroAddress, amount: BOND - BOND / 2n },
          { address: rounds.address, amount: -BOND },
        ]);
        assert.equal((await s.round(roundId)).state, STATE.VOIDED);
        assert.equal(await rounds.read.slot([modelId]), `0x${'0'.repeat(64)}`);
        assert.equal(await rewards.read.budget([modelId]), MAX_REWARD);
        for (const wallet of [s.settler, ...s.validators]) {
          const nothing = [roundId, address(wallet)];
          await reverts(rounds.write.withdraw([roundId], as(wallet)), 'RoundsNothingToWithdraw', nothing);
        }
        const withdrawing = rounds.write.withdraw([roundId], as(s.contributor));
        await emits(withdrawing, 'Withdrawn', [roundId, address(s.contributor), FEE]);
        assert.equal(await s.balance(rounds.address), 0n);
        await before.restore();
      }
    },
  );

  fresh('of a bond of three wei the reporter has one', async () => {
    const model = await s.registerModel(tag('small bond'), { bond: 3n }, folds);
    await rewards.write.allocateBudget([model, MAX_REWARD], as(s.owner));
    const given = await s.contribution({ modelId: model, dataRoot, rows });
    const roundId = await s.commit(given, { value: FEE + 3n });
    await s.openOnly(given);
    await s.settle(await s.draw(roundId));
    const proving = prove(roundId, overlapOf(both));
    await emits(proving, 'BondForfeited', [roundId, 2n, address(s.outsider), 1n]);
    await s.viem.assertions.balancesHaveChanged(proving, [
      { address: address(s.outsider), amount: 1n },
      { address: zeroAddress, amount: 2n },
      { address: rounds.address, amount: -3n },
    ]);
  });

  fresh('the fold stays spent: its counts are known; and the head stays', async () => {
    const roundId = await settled();
    await prove(roundId, overlapOf(both));
    const { foldId } = await s.round(roundId);
    assert.deepEqual(await rounds.read.foldState([modelId, foldId]), { rounds: 1, accepted: true });
    assert.deepEqual(await modelRegistry.read.head([modelId]), s.head);
    const again = [roundId, STATE.SETTLED, STATE.VOIDED];
    await reverts(prove(roundId, overlapOf(both)), 'RoundsWrongState', again);
    await reverts(s.finalise(roundId), 'RoundsWrongState', again);
  });

  attack('a wrong salt, on either side', async () => {
    const roundId = await settled();
    await refused(roundId, { ...overlapOf(both), contributionSalt: saltOf(both, BENCHMARK_SECRET) });
    await refused(roundId, { ...overlapOf(both), benchmarkSalt: saltOf(both, SECRET) });
    await prove(roundId, overlapOf(both));
  });

  attack('a row that is in only one of the trees', async () => {
    const roundId = await settled();
    const [mine, yours] = [features[3]!, benchmark[70]!];
    assert(!benchmark.includes(mine) && !features.includes(yours));
    const { benchmarkProof } = overlapOf(both);
    const contributionProof = ours.proofOfLeaf(leaf(mine, saltOf(mine, SECRET)));
    const salts = (digest: Hex) => ({
      ...{ digest, contributionSalt: saltOf(digest, SECRET), benchmarkSalt: saltOf(digest, BENCHMARK_SECRET) },
    });
    await refused(roundId, { ...overlapOf(both), ...salts(mine), contributionProof, benchmarkProof });
    const yourProof = theirs.proofOfLeaf(leaf(yours, saltOf(yours, BENCHMARK_SECRET)));
    await refused(roundId, { ...overlapOf(both), ...salts(yours), benchmarkProof: yourProof });
  });

  attack('a row with its label, which is in the other tree of the contribution', async () => {
    const roundId = await settled();
    const whole = rowDigests(contributed, SCHEMA, 'row')[55]!;
    await refused(roundId, { ...overlapOf(both), digest: whole, contributionSalt: saltOf(whole, SECRET) });
    const swapped = { ...overlapOf(both), rowsRoot: featuresRoot, featuresRoot: wholeRoot };
    const actual = hashWords([tagOf('data'), featuresRoot, wholeRoot, BigInt(rows)]);
    await reverts(prove(roundId, swapped), 'RoundsDataRootMismatch', [roundId, dataRoot, actual]);
  });

  attack('an inner node passed off as a leaf', async () => {
    const roundId = await settled();
    // Digest and salt as the two children of a node, with the rest of the way to the root as its proof.
    for (const node of [0, 1, 2]) {
      const [digest, contributionSalt] = [ours.value(2 * node + 1), ours.value(2 * node + 2)].sort() as [Hex, Hex];
      assert.equal(keccak256(concat([digest, contributionSalt])), ours.value(node));
      await refused(roundId, { ...overlapOf(both), digest, contributionSalt, contributionProof: ours.proofOf(node) });
    }
    await refused(roundId, { ...overlapOf(both), contributionProof: [] });
  });

  attack('the trees of another contribution, or another row count', async () => {
    const other = rowsRoot(benchmark, SECRET);
    const roundId = await settled();
    const actual = hashWords([tagOf('data'), wholeRoot, other, BigInt(rows)]);
    const mismatch = [roundId, dataRoot, actual];
    await reverts(prove(roundId, { ...overlapOf(both), featuresRoot: other }), 'RoundsDataRootMismatch', mismatch);
    await s.finalise(roundId);

    const honest = await s.drawn('other round');
    await s.settle(honest);
    const theirs = hashWords([tagOf('data'), wholeRoot, featuresRoot, 100n]);
    const another = [honest, tag('data'), theirs];
    await reverts(prove(honest, overlapOf(both)), 'RoundsDataRootMismatch', another);
  });

  attack('prove it when the delay is over', async () => {
    const roundId = await settled();
    const { finalisableAt } = await s.round(roundId);
    const before = await s.networkHelpers.takeSnapshot();
    await s.until(finalisableAt);
    const late = [roundId, BigInt(finalisableAt), BigInt(finalisableAt)];
    await reverts(prove(roundId, overlapOf(both)), 'RoundsDelayPassed', late);
    await before.restore();
    await s.until(finalisableAt - 1);
    await prove(roundId, overlapOf(both));
  });

  attack('report oneself: half of one’s own bond is lost', async () => {
    const roundId = await settled();
    await s.viem.assertions.balancesHaveChanged(prove(roundId, overlapOf(both), s.contributor), [
      { address: address(s.contributor), amount: BOND / 2n },
    ]);
    await rounds.write.withdraw([roundId], as(s.contributor));
    assert.equal(await s.balance(rounds.address), 0n);
    assert.equal(DEPOSIT - FEE - BOND / 2n, BOND - BOND / 2n);
  });

  attack('a reporter that takes no money keeps nobody else from reporting', async () => {
    const roundId = await settled();
    const trap = await s.viem.deployContract('RevertingRecipient');
    const args = [roundId, overlapOf(both)] as const;
    const data = encodeFunctionData({ abi: rounds.abi, functionName: 'proveOverlap', args });
    const refusal = [getAddress(trap.address), BOND / 2n];
    await reverts(trap.write.call!([rounds.address, data], as(s.outsider)), 'RoundsTransferFailed', refusal);
    await prove(roundId, overlapOf(both));
  });
});

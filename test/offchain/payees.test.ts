import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Address, getAddress, numberToHex, zeroAddress } from 'viem';
import { type Payee, payeesTree } from '../../offchain/payees.ts';
import { payeesVectors } from '../../scripts/payees-vectors.ts';
import { PAYEES_CASES, PAYEES_TABLE } from '../vectors/payees.ts';
import { share, tree } from './payees-reference.ts';

const MAX = 2n ** 128n - 1n;
const addressOf = (n: bigint): Address => getAddress(numberToHex(n, { size: 20 }));

/** 1 to 40 payees, some of them twice, with weights from 1 to 2^122. */
const given: fc.Arbitrary<Payee[]> = fc.array(
  fc.record({
    payee: fc.oneof(fc.bigInt(1n, 20n), fc.bigInt(1n, 2n ** 160n - 1n)).map(addressOf),
    weight: fc.oneof(fc.bigInt(1n, 10n), fc.bigInt(1n, 2n ** 122n)),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('the tree of payees', () => {
  it('has vectors that follow from the definitions', () => assert.equal(PAYEES_TABLE, payeesVectors()));

  for (const { name, reward, payees, payeesRoot, total, leaves } of PAYEES_CASES) {
    it(`vector: ${name}`, () => {
      const made = payeesTree(payees);
      assert.equal(made.payeesRoot, payeesRoot);
      assert.equal(made.total, total);
      for (const { payee, weight, place, siblings, share: expected } of leaves) {
        const index = made.indexOf(payee);
        assert.deepEqual(made.payees[index], { payee, weight });
        assert.deepEqual(made.proofOf(index), { weight, place, siblings });
        assert.equal(made.shareOf(reward, index), expected);
      }
    });
  }

  it('equals the definitions, and shares add up to exactly the reward', () => {
    fc.assert(
      fc.property(given, fc.bigInt(0n, MAX), (payees, reward) => {
        const made = payeesTree(payees);
        const { payeesRoot, leaves } = tree(made.payees);
        assert.equal(made.payeesRoot, payeesRoot);
        const shares = leaves.map((leaf, index) => {
          const { weight, place, siblings } = leaf;
          assert.deepEqual(made.proofOf(index), { weight, place, siblings });
          assert.equal(made.shareOf(reward, index), share(reward, made.total, leaf));
          return made.shareOf(reward, index);
        });
        assert.equal(
          shares.reduce((sum, next) => sum + next, 0n),
          reward,
        );
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('is the same for any order, and for an address that is listed twice', () => {
    fc.assert(
      fc.property(given, fc.nat(), (payees, where) => {
        const cut = where % payees.length;
        const split = payees.flatMap(({ payee, weight }) =>
          weight > 1n
            ? [
                { payee, weight: 1n },
                { payee: payee.toLowerCase() as Address, weight: weight - 1n },
              ]
            : [{ payee, weight }],
        );
        const { payeesRoot } = payeesTree(payees);
        assert.equal(payeesTree([...payees.slice(cut), ...payees.slice(0, cut)]).payeesRoot, payeesRoot);
        assert.equal(payeesTree(split.toReversed()).payeesRoot, payeesRoot);
      }),
      { seed: 2, numRuns: 50 },
    );
  });

  it('has 10,000 payees in seconds, each with 14 siblings at most', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({ payee: addressOf(BigInt(i + 1)), weight: BigInt(i + 1) }));
    const started = performance.now();
    const made = payeesTree(many);
    const depths = many.map((_, index) => made.proofOf(index).siblings.length);
    assert.ok(performance.now() - started < 10_000);
    assert.deepEqual([Math.min(...depths), Math.max(...depths)], [13, 14]);
    assert.equal(made.total, 50_005_000n);
  });

  it('knows no payee but its own', () => {
    const made = payeesTree([{ payee: addressOf(1n), weight: 1n }]);
    assert.equal(made.indexOf(addressOf(2n)), -1);
    assert.equal(made.indexOf('0x01' as Address), -1);
    for (const index of [-1, 1, 0.5]) assert.throws(() => made.proofOf(index), { code: 'PAYEE_UNKNOWN' });
    assert.throws(() => made.shareOf(1n, 1), { code: 'PAYEE_UNKNOWN', kind: 'terminal' });
  });

  it('reports all problems at once', () => {
    const bad = (payees: readonly Payee[], problems: RegExp[]) =>
      assert.throws(
        () => payeesTree(payees),
        (error: { kind: string; code: string; details: { problems: string[] } }) => {
          assert.deepEqual([error.kind, error.code], ['configuration', 'PAYEES_INVALID']);
          assert.equal(error.details.problems.length, problems.length, String(error.details.problems));
          for (const [i, problem] of problems.entries()) assert.match(error.details.problems[i]!, problem);
          return true;
        },
      );
    const good = addressOf(0xabcdefabcdefn);
    bad([], [/no payee/]);
    bad(
      [
        { payee: '0x12', weight: 0n },
        { payee: good, weight: MAX + 1n },
        { payee: zeroAddress, weight: 1n },
        { payee: good.replace(/[a-f]/, (digit) => digit.toUpperCase()) as Address, weight: -1n },
      ],
      [/^payee 0 .*0x12/, /^weight 0 .*: 0$/, /^weight 1 /, /^payee 2 /, /^payee 3 /, /^weight 3 .*: -1$/],
    );
    bad(
      [
        { payee: good, weight: MAX },
        { payee: addressOf(1n), weight: 1n },
      ],
      [/^the weights add up/],
    );
    const hopeless = Array.from({ length: 12 }, () => ({ payee: good, weight: 0n }));
    assert.throws(() => payeesTree(hopeless), /and 2 more$/);
  });
});

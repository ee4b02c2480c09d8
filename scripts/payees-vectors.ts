// Writes test/vectors/payees.json: trees of payees with their roots, proofs and shares from the definitions
// (payees-reference.ts). The table is checked in, and a test makes it again.
import { writeFileSync } from 'node:fs';
import { type Address, getAddress, numberToHex } from 'viem';
import { share, tree } from '../test/offchain/payees-reference.ts';

const MAX = 2n ** 128n - 1n;
const UNIT = 10n ** 18n;

type Row = [name: string, reward: bigint, weights: bigint[]];

const rows: Row[] = [
  ['a sole payee', UNIT, [1n]],
  ['a sole payee with the largest weight and reward', MAX, [MAX]],
  ['halves of an odd reward', 7n, [1n, 1n]],
  ['thirds', UNIT, [1n, 1n, 1n]],
  ['five payees, two of them a level deeper', UNIT + 1n, [1n, 2n, 3n, 4n, 5n]],
  ['eight payees at one depth', 1_000n, [70n, 5n, 5n, 5n, 5n, 5n, 4n, 1n]],
  ['a weight whose share rounds to nothing', 10n, [1n, 1_000n]],
  ['fewer units than payees', 2n, [1n, 1n, 1n, 1n, 1n]],
  ['the largest total', MAX, [1n, MAX - 3n, 2n]],
];

/** Multiples of 2^160 / golden ratio, modulo 2^160: distinct, and not in ascending order. */
const payee = (i: number): Address =>
  getAddress(numberToHex((0x9e3779b97f4a7c15f39cc0605cedc8341082276bn * BigInt(i + 1)) % 2n ** 160n, { size: 20 }));

function vector([name, reward, weights]: Row) {
  const payees = weights.map((weight, i) => ({ payee: payee(i), weight }));
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  const { payeesRoot, leaves } = tree(payees);
  const shares = leaves.map((leaf) => ({ ...leaf, share: share(reward, total, leaf) }));
  return { name, reward, payees, payeesRoot, total, leaves: shares };
}

export function payeesVectors(): string {
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  return `${JSON.stringify(rows.map(vector), text, 1)}\n`;
}

if (import.meta.main) writeFileSync(new URL('../test/vectors/payees.json', import.meta.url), payeesVectors());

// The twin of the tree of payees in Rewards.sol: who is paid how much of a reward, and what a payee's claim takes.
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, bytesToHex, getAddress, type Hex, hexToBytes, isAddress, zeroAddress } from 'viem';
import { tag } from './attestation/context.ts';
import { HokusaiError } from './errors.ts';

/** Somebody whom a contribution names to be paid. */
export interface Payee {
  readonly payee: Address;
  /** In any unit, above zero; the share is weight / sum of all weights. */
  readonly weight: bigint;
}

/** What `Rewards.claim` takes of the payee's tree. */
export interface PayeeProof {
  readonly weight: bigint;
  /** Of the leaf: the root has 1, the children of place p have 2 p and 2 p + 1. */
  readonly place: bigint;
  /** From the leaf up; none for a sole payee. */
  readonly siblings: readonly { readonly hash: Hex; readonly sum: bigint }[];
}

export interface PayeesTree {
  readonly payeesRoot: Hex;
  /** Sum of all weights, below 2^128. */
  readonly total: bigint;
  /** The given payees by ascending address, each once with the sum of its weights. `index` below is a place in it. */
  readonly payees: readonly Payee[];
  /** @returns -1 for an address that is no payee */
  indexOf(payee: Address): number;
  proofOf(index: number): PayeeProof;
  /** What the payee is minted of a reward, in its smallest units: floor(reward to / total) - floor(reward from / total). */
  shareOf(reward: bigint, index: number): bigint;
}

const MAX_SUM = 2n ** 128n - 1n;
const SHOWN = 10;

const TAG_PAYEE = hexToBytes(tag('payee'));
const TAG_PAYEE_NODE = hexToBytes(tag('payeeNode'));
const TAG_PAYEES = hexToBytes(tag('payees'));

/**
 * The Merkle sum tree of IRewards.sol over a contribution's payees. An address that occurs twice is one payee with both
 * weights, so that it claims once; and payees are sorted, so their order does not change the root. Of n payees the k-th
 * is at place n + k, and a node at each place below n.
 *
 * @throws HokusaiError `configuration` PAYEES_INVALID with all problems
 */
export function payeesTree(given: readonly Payee[]): PayeesTree {
  const payees = merge(given);
  const n = payees.length;
  const sums: bigint[] = new Array(2 * n).fill(0n);
  const hashes: Uint8Array[] = new Array(2 * n);
  for (const [k, { payee, weight }] of payees.entries()) {
    sums[n + k] = weight;
    hashes[n + k] = keccak_256(Buffer.concat([TAG_PAYEE, new Uint8Array(12), hexToBytes(payee), word(weight)]));
  }
  for (let p = n - 1; p > 0; p--) {
    const [left, right] = [2 * p, 2 * p + 1];
    sums[p] = sums[left]! + sums[right]!;
    const children = [hashes[left]!, word(sums[left]!), hashes[right]!, word(sums[right]!)];
    hashes[p] = keccak_256(Buffer.concat([TAG_PAYEE_NODE, ...children]));
  }
  const total = sums[1]!;
  const indices = new Map(payees.map(({ payee }, index) => [payee, index]));

  const leafOf = (index: number): number => {
    if (payees[index]) return n + index;
    throw new HokusaiError('terminal', 'PAYEE_UNKNOWN', `there is no payee ${index} of ${n}`, {
      details: { index, payees: n },
      next: 'Take the index from indexOf, which is -1 for an address that is no payee.',
    });
  };
  return {
    payeesRoot: bytesToHex(keccak_256(Buffer.concat([TAG_PAYEES, hashes[1]!, word(total)]))),
    total,
    payees,
    indexOf: (payee) => (isAddress(payee, { strict: false }) ? (indices.get(getAddress(payee)) ?? -1) : -1),
    proofOf(index) {
      const leaf = leafOf(index);
      const siblings = [];
      for (let p = leaf; p > 1; p >>= 1) siblings.push({ hash: bytesToHex(hashes[p ^ 1]!), sum: sums[p ^ 1]! });
      return { weight: sums[leaf]!, place: BigInt(leaf), siblings };
    },
    shareOf(reward, index) {
      const leaf = leafOf(index);
      let from = 0n;
      for (let p = leaf; p > 1; p >>= 1) if (p % 2 === 1) from += sums[p - 1]!;
      return (reward * (from + sums[leaf]!)) / total - (reward * from) / total;
    },
  };
}

/** Each address once, with the sum of its weights, by ascending address. */
function merge(given: readonly Payee[]): Payee[] {
  const problems = given.length === 0 ? ['there is no payee'] : [];
  const weights = new Map<string, bigint>();
  let total = 0n;
  for (const [index, { payee, weight }] of given.entries()) {
    if (!canClaim(payee)) problems.push(`payee ${index} is not an address that can claim: ${payee}`);
    if (weight <= 0n || weight > MAX_SUM) problems.push(`weight ${index} is not between 1 and 2^128 - 1: ${weight}`);
    const key = payee.toLowerCase();
    weights.set(key, (weights.get(key) ?? 0n) + weight);
    total += weight;
  }
  if (problems.length === 0 && total > MAX_SUM) problems.push(`the weights add up to more than 2^128 - 1: ${total}`);
  if (problems.length === 0) {
    const sorted = [...weights].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([payee, weight]) => ({ payee: getAddress(payee), weight }));
  }

  const shown = problems.slice(0, SHOWN).join('; ');
  const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : '';
  throw new HokusaiError('configuration', 'PAYEES_INVALID', `the payees are not valid: ${shown}${more}`, {
    details: { problems },
    next: 'Correct the payees: addresses with their checksum, and weights that are whole numbers above zero.',
  });
}

/** Without its checksum, in lower case, or with it. */
function canClaim(payee: Address): boolean {
  return isAddress(payee) && payee !== zeroAddress;
}

function word(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64BE(value >> 64n, 16);
  bytes.writeBigUInt64BE(value & (2n ** 64n - 1n), 24);
  return bytes;
}

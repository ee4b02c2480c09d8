// The tree of payees and its shares from their definitions in IRewards.sol, as slowly as they are written there.
import { type Address, encodeAbiParameters, type Hex, keccak256, stringToHex } from 'viem';

export interface Leaf {
  readonly payee: Address;
  readonly weight: bigint;
  readonly place: bigint;
  readonly from: bigint;
  readonly siblings: readonly { hash: Hex; sum: bigint }[];
}

const hash = (name: string, ...words: (Hex | bigint)[]): Hex =>
  keccak256(
    encodeAbiParameters(
      [name, ...words].map(() => ({ type: 'uint256' })),
      [keccak256(stringToHex(`hokusai.${name}`)), ...words].map(BigInt),
    ),
  );

/** A tree over distinct payees: the k-th of n at place n + k. Leaves in the order of their payees. */
export function tree(given: readonly { payee: Address; weight: bigint }[]): { payeesRoot: Hex; leaves: Leaf[] } {
  const payees = given.toSorted((a, b) => (BigInt(a.payee) < BigInt(b.payee) ? -1 : 1));
  const at = (place: number) => payees[place - payees.length];
  const sum = (place: number): bigint => at(place)?.weight ?? sum(2 * place) + sum(2 * place + 1);
  const node = (place: number): Hex => {
    const leaf = at(place);
    if (leaf) return hash('payee', leaf.payee, leaf.weight);
    return hash('payeeNode', node(2 * place), sum(2 * place), node(2 * place + 1), sum(2 * place + 1));
  };
  const descend = (place: number, from: bigint, siblings: Leaf['siblings']): Leaf[] => {
    const leaf = at(place);
    if (leaf) return [{ ...leaf, place: BigInt(place), from, siblings }];
    const [left, right] = [2 * place, 2 * place + 1];
    return [
      ...descend(left, from, [{ hash: node(right), sum: sum(right) }, ...siblings]),
      ...descend(right, from + sum(left), [{ hash: node(left), sum: sum(left) }, ...siblings]),
    ];
  };
  const leaves = descend(1, 0n, []).sort((a, b) => (a.place < b.place ? -1 : 1));
  return { payeesRoot: hash('payees', node(1), sum(1)), leaves };
}

export function share(reward: bigint, total: bigint, { from, weight }: Leaf): bigint {
  return (reward * (from + weight)) / total - (reward * from) / total;
}

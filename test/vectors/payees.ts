import { readFileSync } from 'node:fs';
import type { Address, Hex } from 'viem';

interface Vector<N> {
  readonly name: string;
  readonly reward: N;
  readonly payees: readonly { payee: Address; weight: N }[];
  readonly payeesRoot: Hex;
  readonly total: N;
  readonly leaves: readonly {
    readonly payee: Address;
    readonly weight: N;
    readonly place: N;
    readonly from: N;
    readonly siblings: readonly { hash: Hex; sum: N }[];
    readonly share: N;
  }[];
}

export const PAYEES_TABLE = readFileSync(new URL('payees.json', import.meta.url), 'utf8');

const integer = (_: string, value: unknown) =>
  typeof value === 'string' && /^[0-9]+$/.test(value) ? BigInt(value) : value;

/** Trees of payees, and what follows from them everywhere. */
export const PAYEES_CASES: readonly Vector<bigint>[] = JSON.parse(PAYEES_TABLE, integer);

// What the tests of attacks share: each starts from a fresh scenario, and ends in one exact error.
import { it } from 'node:test';
import { getAddress, keccak256, stringToHex, type WalletClient } from 'viem';
import type { Scenario } from './scenario.ts';

export const SCALAR_FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

export const tag = (text: string) => keccak256(stringToHex(text));
export const address = (wallet: WalletClient) => getAddress(wallet.account!.address);
export const as = (wallet: WalletClient) => ({ account: wallet.account! });

export async function prepareAttacks(s: Scenario) {
  const start = await s.networkHelpers.takeSnapshot();
  const fresh = (title: string, test: () => Promise<void>) =>
    it(title, async () => {
      await start.restore();
      await test();
    });
  const attack = (title: string, test: () => Promise<void>) => fresh(`attack: ${title}`, test);
  const reverts = (
    call: Promise<unknown>,
    error: string,
    args: readonly unknown[],
    contract: { abi: readonly unknown[] } = s.rounds,
  ) => s.viem.assertions.revertWithCustomErrorWithArgs(call as never, contract as never, error as never, args as never);
  const emits = (
    call: Promise<unknown>,
    event: string,
    args: readonly unknown[],
    contract: { abi: readonly unknown[] } = s.rounds,
  ) => s.viem.assertions.emitWithArgs(call as never, contract as never, event as never, args as never);
  return { attack, fresh, reverts, emits, start };
}

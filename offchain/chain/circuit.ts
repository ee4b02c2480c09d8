import { readFile } from 'node:fs/promises';
import { type Hex, zeroHash } from 'viem';
import { HokusaiError } from '../errors.ts';
import { CIRCUITS, type CircuitName, compiled } from '../prove/circuits.ts';
import { hasDevelopmentAlphaOrBeta, hasDevelopmentTau } from '../prove/development.ts';
import {
  circuitId,
  decodeVerificationKey,
  encodeVerificationKey,
  type VerificationKey,
  verificationKey,
} from '../prove/keys.ts';
import { provingCircuitId, provingKeyFile } from '../prove/proving-key.ts';
import { readR1cs } from '../prove/r1cs.ts';
import { type ChainClient, LOCAL_CHAIN_ID, type Sender } from './connect.ts';
import { type Sent, send, view } from './send.ts';

/**
 * Refuses development keys, with which anybody can prove anything, on every chain but a local one; also those to which
 * contributions were made since, because who knows tau needs to know nothing else.
 *
 * It is computed here and now, in seconds, and not looked up in circuits.json, so that a changed record lets nothing
 * through.
 *
 * @throws HokusaiError `DEVELOPMENT_KEY` (terminal)
 */
export function assertProductionKey(chainId: number, key: VerificationKey): void {
  if (chainId === LOCAL_CHAIN_ID) return;
  const circuits = Object.keys(CIRCUITS) as CircuitName[];
  const ofCircuit = (name: CircuitName) => hasDevelopmentTau(key, readR1cs(compiled(name, 'r1cs')));
  if (!hasDevelopmentAlphaOrBeta(key) && !circuits.some(ofCircuit)) return;
  const id = circuitId(key);
  throw new HokusaiError('terminal', 'DEVELOPMENT_KEY', `${id} is a development key, or was made from one.`, {
    details: { chainId, circuitId: id },
    next: 'Anybody can forge proofs with it: register the key of a ceremony, made and verified by `hokusai keys`.',
  });
}

/**
 * Refuses circuitIds of development keys, as {@link assertProductionKey} does. A circuitId of zero names no key.
 *
 * @throws HokusaiError `DEVELOPMENT_KEY` (terminal), and those of `view`
 */
export async function assertProductionKeys(client: ChainClient, ids: readonly Hex[]): Promise<void> {
  const { chainId } = client.deployment;
  if (chainId === LOCAL_CHAIN_ID) return;
  for (const id of ids) {
    if (id === zeroHash) continue;
    const key = await view(client, { contract: 'circuitRegistry', functionName: 'verificationKey', args: [id] });
    assertProductionKey(chainId, decodeVerificationKey(key));
  }
}

/**
 * Registers the verification key of a circuit, unless it is registered.
 *
 * @param zkey its proving key; where none is given, the one that proofs are made with
 * @returns its circuitId
 * @throws HokusaiError those of {@link assertProductionKey}, `provingKeyFile` and `send`
 */
export async function registerCircuit(client: Sender, circuit: CircuitName, zkey?: Uint8Array): Promise<Hex> {
  const proving = async () => readFile(await provingKeyFile(circuit, provingCircuitId(circuit)));
  const key = verificationKey(zkey ?? (await proving()));
  await registerKey(client, circuit, key);
  return circuitId(key);
}

/**
 * Registers a verification key, unless it is registered.
 *
 * @param name of its circuit, for errors
 * @returns what was sent, if anything
 * @throws HokusaiError those of {@link assertProductionKey} and `send`
 */
export async function registerKey(client: Sender, name: string, key: VerificationKey): Promise<Sent<Hex> | undefined> {
  assertProductionKey(client.deployment.chainId, key);
  if (await isRegistered(client, circuitId(key))) return undefined;
  return send(client, {
    action: `register ${name}`,
    contract: 'circuitRegistry',
    functionName: 'register',
    args: [encodeVerificationKey(key), BigInt(key.nPublic)],
  });
}

async function isRegistered(client: Sender, id: Hex): Promise<boolean> {
  try {
    await view(client, { contract: 'circuitRegistry', functionName: 'verificationKey', args: [id] });
    return true;
  } catch (error) {
    const unknown = error instanceof HokusaiError && error.details.error === 'CircuitRegistryUnknownCircuit';
    if (unknown) return false;
    throw error;
  }
}

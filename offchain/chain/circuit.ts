import { readFile } from 'node:fs/promises';
import type { Hex } from 'viem';
import { HokusaiError } from '../errors.ts';
import { CIRCUITS, type CircuitName, compiled, developmentKeyFile } from '../prove/circuits.ts';
import { circuitId, developmentVerificationKey, encodeVerificationKey, verificationKey } from '../prove/keys.ts';
import { readR1cs } from '../prove/r1cs.ts';
import { LOCAL_CHAIN_ID, type Sender } from './connect.ts';
import { send, view } from './send.ts';

/**
 * Refuses development keys, with which anybody can prove anything, on every chain but a local one.
 *
 * Each development key is derived here and now, in seconds, and not looked up in circuits.json, so that a
 * changed record lets nothing through.
 *
 * @throws HokusaiError `DEVELOPMENT_KEY` (terminal), and those of `developmentKeyFile`.
 */
export async function assertProductionKeys(chainId: number, id: Hex): Promise<void> {
  if (chainId === LOCAL_CHAIN_ID) return;
  for (const circuit of Object.keys(CIRCUITS) as CircuitName[]) {
    const development = circuitId(developmentVerificationKey(readR1cs(compiled(circuit, 'r1cs'))));
    if (development !== id.toLowerCase()) continue;
    throw new HokusaiError('terminal', 'DEVELOPMENT_KEY', `${id} is the development key of ${circuit}.`, {
      details: { chainId, circuit, circuitId: id },
      next: 'Anybody can forge proofs with it: register the key of a ceremony, made and verified by `hokusai keys`.',
    });
  }
}

/**
 * Registers the verification key of a circuit, unless it is registered.
 *
 * @param zkey its proving key; the development key where none is given
 * @returns its circuitId
 * @throws HokusaiError those of {@link assertProductionKeys} and `send`
 */
export async function registerCircuit(client: Sender, circuit: CircuitName, zkey?: Uint8Array): Promise<Hex> {
  const key = verificationKey(zkey ?? (await readFile(await developmentKeyFile(circuit))));
  const id = circuitId(key);
  await assertProductionKeys(client.deployment.chainId, id);
  if (!(await isRegistered(client, id))) {
    await send(client, {
      action: `register ${circuit}`,
      contract: 'circuitRegistry',
      functionName: 'register',
      args: [encodeVerificationKey(key), BigInt(key.nPublic)],
    });
  }
  return id;
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

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import {
  type CircuitName,
  circuitRecords,
  developmentKeyFile,
  INFERENCE_CIRCUITS,
  type InferenceCircuit,
} from './circuits.ts';
import { circuitId, verificationKey } from './keys.ts';

/** A ceremony's folder among the production keys. */
interface ProductionKey {
  readonly folder: string;
  readonly circuit: string;
  readonly circuitId: Hex;
  /** SHA-256 of `final.zkey`. */
  readonly zkey: string;
}

/** The finished ceremonies in the folders of `HOKUSAI_KEYS_DIR`; none where it is not set. */
function productionKeys(): ProductionKey[] {
  const keys = process.env.HOKUSAI_KEYS_DIR;
  if (!keys) return [];
  if (!existsSync(keys)) {
    throw new HokusaiError('configuration', 'KEYS_FOLDER', `HOKUSAI_KEYS_DIR names ${keys}, which is not there.`, {
      details: { keys },
      next: 'Put folders of finished ceremonies there, or unset it to use development keys on a local chain.',
    });
  }
  return readdirSync(keys)
    .sort()
    .flatMap((name) => {
      const [folder, file] = [join(keys, name), join(keys, name, 'transcript.json')];
      return existsSync(file) ? [{ folder, ...JSON.parse(readFileSync(file, 'utf8')) }] : [];
    });
}

/**
 * The circuitId that proofs of a circuit are made for: that of its production key, or of its development key where there
 * is none.
 *
 * @throws HokusaiError (configuration) `KEYS_FOLDER`, `KEYS_AMBIGUOUS` where there are two production keys
 */
export function provingCircuitId(circuit: CircuitName): Hex {
  const found = productionKeys().filter((key) => key.circuit === circuit && key.circuitId !== undefined);
  if (found.length <= 1) return found[0]?.circuitId ?? circuitRecords()[circuit].developmentCircuitId;
  const folders = found.map(({ folder }) => folder);
  throw new HokusaiError('configuration', 'KEYS_AMBIGUOUS', `There are ${found.length} keys of ${circuit}.`, {
    details: { circuit, folders },
    next: `Leave one of ${folders.join(', ')} there.`,
  });
}

/** The inference circuit that a circuitId names, where it is one whose proving key there is. */
export const circuitOf = (id: Hex): InferenceCircuit | undefined =>
  INFERENCE_CIRCUITS.find(
    (name) =>
      circuitRecords()[name].developmentCircuitId === id ||
      productionKeys().some((key) => key.circuit === name && key.circuitId === id),
  );

/**
 * The path of the proving key that a circuitId names: the development key of the circuit, or a production key, whose bytes
 * are compared with its transcript.
 *
 * @throws HokusaiError (configuration) `KEY_MISSING`, `KEYS_FOLDER`; `KEY_CIRCUIT_MISMATCH` (terminal)
 */
export async function provingKeyFile(circuit: CircuitName, id: Hex): Promise<string> {
  if (id === circuitRecords()[circuit].developmentCircuitId) return developmentKeyFile(circuit);
  const found = productionKeys().find((key) => key.circuit === circuit && key.circuitId === id);
  const file = found && join(found.folder, 'final.zkey');
  if (!file || !existsSync(file)) {
    throw new HokusaiError('configuration', 'KEY_MISSING', `There is no proving key of ${circuit} for ${id}.`, {
      details: { circuit, circuitId: id, keys: process.env.HOKUSAI_KEYS_DIR },
      next: 'Put the folder of its ceremony, with final.zkey, into the folder that HOKUSAI_KEYS_DIR names.',
    });
  }
  const zkey = await readFile(file);
  if (sha256(zkey) === found.zkey && circuitId(verificationKey(zkey)) === id) return file;
  throw new HokusaiError('terminal', 'KEY_CIRCUIT_MISMATCH', `${file} is not the key that its transcript names.`, {
    details: { circuit, circuitId: id, file },
    next: 'Fetch the file again from where the ceremony was published, and check it with `hokusai keys verify`.',
  });
}

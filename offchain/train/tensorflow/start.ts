/** What both scripts of TensorFlow.js begin with: the back-end, and how they speak to who started them. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { ErrorKind } from '../../errors.ts';

/** A line of JSON, written before anything else happens. */
export const say = (said: object): void => void process.stdout.write(`${JSON.stringify(said)}\n`);

/** Ends the process with a word for who started it, which has no value of a row in it. */
export function refuse(error: ErrorKind, message: string, reason?: 'memory'): never {
  say({ error, message, ...(reason && { reason }) });
  process.exit(3);
}

/** The names that back-ends register under. */
const ENGINE = { wasm: 'wasm', cpu: 'cpu', native: 'tensorflow' } as const;

/**
 * Makes a back-end work, of `auto` the first that does: native, WebAssembly, JavaScript.
 *
 * @param native folder of the native back-end, where it may be used
 * @returns what it ran with, to be told
 */
export async function startBackend(backend: string, native: string | undefined): Promise<Record<string, string>> {
  const wanted = backend === 'auto' ? (['native', 'wasm', 'cpu'] as const) : [backend as keyof typeof ENGINE];
  for (const each of wanted) {
    if (each === 'native' && !(native && loaded(native))) continue;
    if (!(await tf.setBackend(ENGINE[each]).catch(() => false))) continue;
    const simd = each === 'wasm' && (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) ? ' with SIMD' : '';
    return { tensorflow: `tfjs ${tf.version_core}`, backend: `${each}${simd}`, node: process.versions.node };
  }
  return refuse('configuration', `the back-end ${backend} of TensorFlow does not start on this machine`);
}

/** The native back-end adds itself to the engine that the process has. */
function loaded(folder: string): boolean {
  const require = createRequire(join(folder, 'package.json'));
  // What Node 23 took out, and it calls.
  const util = require('node:util');
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  try {
    require('@tensorflow/tfjs-node');
    return true;
  } catch (error) {
    // It may have been built for another Node; what it says is for the log.
    console.error(error);
    return false;
  }
}

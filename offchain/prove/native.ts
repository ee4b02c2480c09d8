import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HokusaiError } from '../errors.ts';

/** Where `npm run prover:native` puts the native prover. */
export const NATIVE_PROVER = join(import.meta.dirname, 'native', 'hokusai-prover');

/**
 * Runs a command of the native prover to its end.
 *
 * @param input for its standard input
 * @throws HokusaiError `NATIVE_FAILED` (terminal) with its words.
 */
export async function runNative(parameters: readonly string[], input: Uint8Array): Promise<void> {
  const running = promisify(execFile)(NATIVE_PROVER, parameters);
  // What it says when it ends early is worth more than that it did not read on.
  running.child.stdin!.on('error', () => {}).end(input);
  try {
    await running;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new HokusaiError('terminal', 'NATIVE_FAILED', `The native prover failed: ${stderr || message}`, {
      details: { command: parameters[0] },
      next: 'Build it again with `npm run prover:native`: it may be older than this code.',
      cause: error,
    });
  }
}

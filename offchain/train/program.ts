/** What is started to train with a framework, and what it reads: a Python with a script of ours, this Node, or a command. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, isAbsolute, join, sep } from 'node:path';
import { sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { TENSORFLOW, tensorflowNative } from './native-tensorflow.ts';
import { lockHash, programOf, python } from './python.ts';
import type { ExternalSpec } from './spec.ts';

export interface Program {
  readonly command: readonly string[];
  /** Files and folders that it reads, beside those of the system. */
  readonly readable: readonly string[];
}

/**
 * Of one of ours or the owner's program: what to start in a folder with a request.
 *
 * @param note told before what takes a while
 * @throws HokusaiError those of `python` and `tensorflowNative`
 */
export async function programFor(spec: ExternalSpec, folder: string, note: (text: string) => void): Promise<Program> {
  const { framework, readable } = spec;
  if (framework === 'command') {
    const [program] = spec.command as [string];
    return { command: spec.command!, readable: [...readable, ...(isAbsolute(program) ? [dirname(program)] : [])] };
  }
  if (framework === 'tensorflow') {
    const { command, readable: ours } = nodeProgram('train', spec.runtime!.backend!);
    return { command: [...command, folder], readable: [...readable, ...ours] };
  }
  const { script } = programOf(framework);
  const { program, readable: packages } = await python(framework, spec.python, note);
  const module = spec.module === undefined ? [] : [spec.module];
  const ours = [...readable, ...packages, dirname(script), ...module];
  return { command: [program, '-s', '-B', script, folder], readable: ours };
}

/** What validators agree to train with, part of the trainSpecHash. */
export function packagesOf({ framework }: ExternalSpec): string {
  if (framework === 'command') return '';
  return framework === 'tensorflow' ? `@tensorflow/tfjs@${TENSORFLOW}` : lockHash(framework);
}

/**
 * SHA-256 of the owner's file that builds a network: validators have to have the same.
 *
 * @throws HokusaiError `configuration` NETWORK_MODULE_UNREADABLE
 */
export function moduleHash(file: string): string {
  try {
    return sha256(readFileSync(file));
  } catch (cause) {
    const { code: reason } = cause as NodeJS.ErrnoException;
    throw new HokusaiError('configuration', 'NETWORK_MODULE_UNREADABLE', `${file} cannot be read: ${reason}.`, {
      details: { file, reason },
      next: 'Correct training.module: a file beside the configuration whose function build(inputs, outputs) gives a network.',
      cause,
    });
  }
}

/**
 * A script of ours that works with TensorFlow.js, in a Node of its own; the folder that it works in comes last.
 *
 * @throws HokusaiError those of `tensorflowNative`, where that is the back-end
 */
export function nodeProgram(script: 'train' | 'predict', backend: string): Program {
  const offchain = dirname(import.meta.dirname);
  const file = join(import.meta.dirname, 'tensorflow', `${script}${extname(import.meta.filename)}`);
  // Guard regions of 10 GB around WebAssembly's memory would not fit within a limit of address space.
  const flags = ['--no-warnings', '--disable-wasm-trap-handler'];
  const native = tensorflowNative(backend);
  const readable = [process.execPath, offchain, join(dirname(offchain), 'package.json'), modules(), ...native];
  return { command: [process.execPath, ...flags, file, ...native], readable };
}

/** The folder that TensorFlow.js and what it needs are in. */
function modules(): string {
  const found = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core');
  return found.slice(0, found.lastIndexOf(`${sep}node_modules${sep}`) + `${sep}node_modules`.length);
}

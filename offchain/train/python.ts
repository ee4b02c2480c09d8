/** Which Python trains: a given one, or an environment of our own that holds what a lock file names and nothing else. */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { cacheFolder } from '../prove/circuits.ts';

/** What we have a program and a lock file for: to train, and to predict with a model of skops. */
const SCRIPTS = { 'scikit-learn': 'scikit_learn.py', pytorch: 'pytorch.py', skops: 'skops_predict.py' } as const;
export type PythonFramework = keyof typeof SCRIPTS;

const FOLDER = join(import.meta.dirname, 'python');
const BUILD_SECONDS = 900;

export interface Python {
  readonly program: string;
  /** What it reads while it runs. */
  readonly readable: readonly string[];
}

/** The program of ours for a framework, and the packages that it is locked to. */
export const programOf = (framework: PythonFramework) => ({
  script: join(FOLDER, SCRIPTS[framework]),
  lock: join(FOLDER, `${framework}.lock`),
});

/** SHA-256 of a framework's lock file: what validators agree to train with. */
export const lockHash = (framework: PythonFramework): string => sha256(readFileSync(programOf(framework).lock));

/**
 * The Python to train with. Without one given, `HOKUSAI_PYTHON`; without that an environment in the cache folder, built on
 * first use from the lock file's wheels, each checked against its hash; but of PyTorch, whose wheels for Linux take 5 GB.
 *
 * @param note told before what takes a while
 * @throws HokusaiError `configuration` PYTHON_MISSING, PYTORCH_MISSING; PYTHON_PACKAGES (retryable) where pip cannot install them
 */
export async function python(
  framework: PythonFramework,
  given = process.env.HOKUSAI_PYTHON,
  note: (text: string) => void = () => {},
): Promise<Python> {
  if (given !== undefined) return described(given);
  if (framework === 'pytorch') throw withoutPyTorch();
  const environment = join(cacheFolder(), 'python', `${framework}-${lockHash(framework).slice(0, 16)}`);
  const program = join(environment, 'bin/python');
  if (!existsSync(program)) {
    note(`installing ${framework} for the first time`);
    await build(environment, programOf(framework).lock);
  }
  return described(program);
}

/** A Python with the folders of its own program, its environment and its standard library. */
async function described(program: string): Promise<Python> {
  const script = 'import json, sys; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix]))';
  const { stdout } = await run(program, ['-I', '-c', script], missing(program));
  const [executable, ...prefixes] = JSON.parse(stdout) as [string, ...string[]];
  return { program: executable, readable: [...new Set([dirname(executable), ...prefixes])] };
}

async function build(environment: string, lock: string): Promise<void> {
  const parts = `${environment}.${process.pid}`;
  await mkdir(dirname(environment), { recursive: true });
  try {
    await run('python3', ['-m', 'venv', parts], missing('python3'));
    const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes'];
    await run(join(parts, 'bin/python'), ['-m', 'pip', 'install', ...options, '-r', lock], unbuilt);
    await rename(parts, environment);
  } catch (error) {
    await rm(parts, { recursive: true, force: true });
    // Another process may have been faster.
    if (!existsSync(environment)) throw error;
  }
}

async function run(program: string, args: readonly string[], refusal: (cause: unknown) => HokusaiError) {
  try {
    return await promisify(execFile)(program, [...args], { timeout: BUILD_SECONDS * 1000, maxBuffer: 2 ** 24 });
  } catch (cause) {
    throw refusal(cause);
  }
}

const missing = (program: string) => (cause: unknown) =>
  new HokusaiError('configuration', 'PYTHON_MISSING', `${program} is no Python that runs.`, {
    details: { program },
    next: 'Install Python 3.11 or later, or name one by training.python or HOKUSAI_PYTHON.',
    cause,
  });

const withoutPyTorch = () => {
  const { lock } = programOf('pytorch');
  const message = 'PyTorch is not installed by itself: on Linux it is 5 GB, the libraries for GPUs included.';
  return new HokusaiError('configuration', 'PYTORCH_MISSING', message, {
    details: { lock },
    next: `Name a Python that has it by training.python or HOKUSAI_PYTHON. To make one: python3 -m venv pytorch && pytorch/bin/pip install --no-deps --require-hashes -r ${lock}`,
  });
};

const unbuilt = (cause: unknown) =>
  new HokusaiError('retryable', 'PYTHON_PACKAGES', 'The packages of the lock file could not be installed.', {
    details: {
      reason: String((cause as { stderr?: string }).stderr ?? cause)
        .trim()
        .split('\n')
        .at(-1)!,
    },
    next: 'Look at the network and the disk and try again, or name a Python that has them by training.python.',
    cause,
  });

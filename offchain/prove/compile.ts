import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HokusaiError } from '../errors.ts';

/** What to compile: `component main {public [...publicInputs]} = template(...args)` of a file. */
export interface Main {
  readonly file: string;
  readonly template: string;
  readonly args: readonly number[];
  readonly publicInputs: readonly string[];
}

export interface Compiled {
  readonly r1cs: Uint8Array;
  /** The witness calculator; empty where none was asked for. */
  readonly wasm: Uint8Array;
  /** Lines `label,signal,component,name` of each signal; signal -1 was optimised away. */
  readonly sym: string;
}

export type Optimisation = 'O0' | 'O1' | 'O2';

const require = createRequire(import.meta.url);

/**
 * Compiles a circuit.
 *
 * @param folder       where the sources are
 * @param optimisation `O2` leaves out every linear constraint, which saves the prover three quarters of the
 *   constraints; `O1` keeps the linear ones, and `O0` every signal of the source, which tests want
 * @param calculator   whether to make the witness calculator, which takes half of the time
 * @throws HokusaiError `CIRCUIT_COMPILE` (terminal) with the compiler's words.
 */
export async function compile(
  main: Main,
  folder: string,
  optimisation: Optimisation = 'O2',
  calculator = true,
): Promise<Compiled> {
  const work = await mkdtemp(join(tmpdir(), 'hokusai-circom-'));
  try {
    // The compiler refuses paths that leave its working directory, so everything it reads is copied below one.
    const circomlib = join(dirname(require.resolve('circomlib/package.json')), 'circuits');
    await cp(folder, work, { recursive: true, filter: (source) => source === folder || source.endsWith('.circom') });
    await cp(circomlib, join(work, 'circomlib/circuits'), { recursive: true });
    const publicInputs = main.publicInputs.length > 0 ? `{public [${main.publicInputs.join(', ')}]}` : '';
    await writeFile(
      join(work, 'main.circom'),
      `pragma circom 2.2.0;\ninclude "./${main.file}";\n` +
        `component main ${publicInputs} = ${main.template}(${main.args.join(', ')});\n`,
    );
    await runCompiler(main, work, [`--${optimisation}`, ...(calculator ? ['--wasm'] : [])]);
    return {
      r1cs: await readFile(join(work, 'main.r1cs')),
      wasm: calculator ? await readFile(join(work, 'main_js/main.wasm')) : new Uint8Array(),
      sym: await readFile(join(work, 'main.sym'), 'utf8'),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function runCompiler(main: Main, cwd: string, options: readonly string[]): Promise<void> {
  const flags = ['--r1cs', '--sym', ...options, '-l', '.'];
  try {
    await promisify(execFile)(process.execPath, [require.resolve('circom2/cli.js'), 'main.circom', ...flags], { cwd });
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string };
    throw new HokusaiError(
      'terminal',
      'CIRCUIT_COMPILE',
      `${main.file} does not compile: ${stderr || stdout || error}`,
      {
        details: { ...main },
        cause: error,
      },
    );
  }
}

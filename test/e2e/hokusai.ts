/** Runs the command line as a user does: a process of its own, with its exit code, output and files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A started process; `seen` resolves when a text has appeared on its standard error. */
export class Started {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #exited: Promise<void>;

  constructor(script: string, parameters: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [join(ROOT, script), ...parameters], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = new Promise((exited) => this.child.once('exit', () => exited()));
    this.child.stdout!.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
  }

  async seen(text: string | RegExp): Promise<void> {
    while (!this.stderr.match(text)) {
      if (this.child.exitCode !== null) throw new Error(`It ended before it said ${text}:\n${this.stderr}`);
      await Promise.race([once(this.child.stderr!, 'data'), this.#exited]);
    }
  }

  async finished(): Promise<Finished> {
    const [code, signal] =
      this.child.exitCode === null && this.child.signalCode === null
        ? await once(this.child, 'close')
        : [this.child.exitCode, this.child.signalCode];
    return { code, signal, stdout: this.stdout, stderr: this.stderr };
  }
}

/** `hokusai` with its parameters, run to its end. */
export const hokusai = (...parameters: string[]): Promise<Finished> =>
  new Started('offchain/cli.ts', parameters).finished();

/** The example tables: of two classes, and of numbers. */
export const DIABETES = join(ROOT, 'examples/diabetes/diabetes.csv');
export const TABLE = join(ROOT, 'examples/breast-cancer/breast_cancer.csv');

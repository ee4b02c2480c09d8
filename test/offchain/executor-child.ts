/**
 * A run of three steps in a process of its own, which the tests of the executor kill, race and starve.
 *
 *   node executor-child.ts run FOLDER [POINT]     prints the last output; kills itself at POINT, e.g. `evaluate.put`
 *   node executor-child.ts hang FOLDER            stays in the second step, for others to kill
 *   node executor-child.ts unprivileged FOLDER    the same as run, as a user who is not root
 *   node executor-child.ts fill FOLDER journal|blobs   writes until something stops it
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { HokusaiError } from '../../offchain/errors.ts';
import { type Executor, openExecutor } from '../../offchain/run/executor.ts';

export const STEPS = ['train', 'evaluate', 'prove'] as const;

export type Point = `${(typeof STEPS)[number]}.${'started' | 'put' | 'finished'}`;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const [verb, folder, parameter] = process.argv.slice(2) as [string, string, string | undefined];
  if (verb === 'unprivileged' && process.getuid?.() === 0) process.setuid!(65534);
  try {
    const executor = await openExecutor(folder, { onEvent: ({ type, step }) => dieAt(`${step}.${type}`) });
    if (verb === 'fill') await fill(executor, parameter as 'journal' | 'blobs');
    const output = await threeSteps(executor, folder, verb === 'hang');
    console.log(JSON.stringify({ output, steps: executor.steps() }));
    await executor.close();
  } catch (error) {
    if (!(error instanceof HokusaiError)) throw error;
    const { kind, code, message, next, details } = error;
    console.log(JSON.stringify({ kind, code, message, next, details }));
    process.exitCode = 1;
  }
}

function dieAt(point: string): void {
  if (process.argv[2] === 'run' && process.argv[4] === point) process.kill(process.pid, 'SIGKILL');
}

/** Each step stores a blob that tells what it was made of, and passes its hash on. `ran.log` counts the runs. */
async function threeSteps(executor: Executor, folder: string, hang: boolean): Promise<string> {
  let input = 'rows';
  for (const name of STEPS) {
    input = await executor.step(name, { input }, async () => {
      appendFileSync(join(folder, 'ran.log'), `${name}\n`);
      if (hang && name === 'evaluate') {
        console.log('hangs');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }
      const hash = await executor.put(Buffer.from(`${name} of ${input}`));
      dieAt(`${name}.put`);
      return hash;
    });
  }
  return input;
}

async function fill(executor: Executor, what: 'journal' | 'blobs'): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    await executor.step(`fill ${i}`, {}, async () => {
      if (what === 'blobs') await executor.put(Buffer.alloc(65536 * (i + 1)));
      return 'x'.repeat(4096);
    });
  }
}

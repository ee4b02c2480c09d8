import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Address } from 'viem';
import { createKeystore } from '../chain/keystore.ts';
import { HokusaiError } from '../errors.ts';
import type { StepEvent } from '../run/executor.ts';
import type { Duty, Reply, Task } from './validator.ts';

/** A validator's process, and what it is asked, one task at a time. */
export class Validator {
  readonly #child: ChildProcess;

  constructor(onEvent: (event: StepEvent) => void) {
    this.#child = fork(join(import.meta.dirname, `validator${extname(import.meta.filename)}`), {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (reply: Reply) => reply.type === 'event' && onEvent(reply.event));
  }

  /** @throws HokusaiError what the validator met, or `VALIDATOR_ENDED` (retryable). */
  ask<Result>(task: Task): Promise<Result> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null, killedBy: string | null) =>
        reject(
          new HokusaiError('retryable', 'VALIDATOR_ENDED', `A validator's process ended during ${task.type}.`, {
            details: { task: task.type, code, killedBy },
            next: 'Run the same command again: finished steps are not repeated.',
          }),
        );
      const answered = (reply: Reply) => {
        if (reply.type === 'event') return;
        this.#child.off('message', answered).off('exit', ended);
        if (reply.type === 'done') return resolve(reply.result as Result);
        const { kind, code, message, details, next } = reply.error;
        reject(new HokusaiError(kind, code, message, { details: { ...details }, ...(next && { next }) }));
      };
      this.#child.on('message', answered).once('exit', ended);
      this.#child.send(task);
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Starts a validator in a folder of its own, in which its keystore is made with a new key if it is not there yet. */
export async function startValidator(
  duty: Duty,
  onEvent: (event: StepEvent) => void,
): Promise<{ validator: Validator; address: Address }> {
  await mkdir(duty.folder, { recursive: true });
  const keystore = join(duty.folder, 'keystore.json');
  if (!existsSync(keystore)) await createKeystore(keystore, duty.password, { light: true });
  const validator = new Validator(onEvent);
  try {
    return { validator, address: await validator.ask<Address>({ type: 'start', duty }) };
  } catch (error) {
    validator.stop();
    throw error;
  }
}

import { fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { HokusaiError } from '../errors.ts';
import type { Note } from '../verb.ts';
import type { Job, JobReply } from './child.ts';

/** What came of a job. */
export interface Outcome {
  readonly ok: boolean;
  /** What snarkjs objected to, in its words. */
  readonly reason: string;
}

/**
 * Has snarkjs do a job in a process of its own, which takes the threads that it leaves alive and the open files of what it
 * gave up along when it ends.
 *
 * @param note told of each phase when it begins
 * @throws HokusaiError `KEYS_KILLED` (retryable) when the process ended before its job; errors of the disk as they are.
 */
export function perform(job: Job, note: Note): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, `child${extname(import.meta.filename)}`), {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.once('error', reject);
    child.once('exit', (code, killedBy) =>
      reject(
        new HokusaiError('retryable', 'KEYS_KILLED', `The process at work on ${job.type} ended before it was done.`, {
          details: { job: job.type, code, killedBy },
          next: 'Run it again; if it was stopped for want of memory, with more of it.',
        }),
      ),
    );
    child.on('message', (reply: JobReply) => {
      if (reply.type === 'phase') return note(`  ${reply.text}`);
      if (reply.type === 'done') resolve(reply);
      else reject(Object.assign(new Error(reply.message), { code: reply.code, path: reply.path }));
      child.disconnect();
    });
    child.send(job);
  });
}

/** The process that `perform` starts: one job for snarkjs comes in over the channel, and what came of it goes out. */
import { randomBytes } from 'node:crypto';
import * as snarkjs from 'snarkjs';

/** Paths of files, except for `r1cs`. */
export type Job =
  /** Makes the key that a ceremony starts from, with delta = 1. */
  | { readonly type: 'start'; readonly r1cs: Uint8Array; readonly ptau: string; readonly zkey: string }
  /** Multiplies delta by a secret that is made here and forgotten here. */
  | { readonly type: 'contribute'; readonly from: string; readonly zkey: string; readonly name: string }
  /** Multiplies delta by what follows from a public value, hashed 2^iterations times. */
  | {
      readonly type: 'beacon';
      readonly from: string;
      readonly zkey: string;
      readonly value: string;
      readonly iterations: number;
    }
  /** Whether a key follows from a circuit, powers of tau and the contributions in it. */
  | { readonly type: 'verify'; readonly r1cs: Uint8Array; readonly ptau: string; readonly zkey: string }
  /** Whether powers of tau are powers, and follow from the contributions in the file. */
  | { readonly type: 'verifyPowersOfTau'; readonly ptau: string };

export type JobReply =
  | { readonly type: 'phase'; readonly text: string }
  | { readonly type: 'done'; readonly ok: boolean; readonly reason: string }
  /** Of the disk. */
  | { readonly type: 'failed'; readonly message: string; readonly code: string; readonly path: string | undefined };

const say = (reply: JobReply) => process.send!(reply);
const reasons: string[] = [];
let phase = '';

/** snarkjs counts within a phase: `Writing points start A: 100/2000`. */
function debug(text: string): void {
  const name = text.replace(/:?\s*\d+\/\d+\s*$/, '').replace(/ (start|end) /, ' ');
  if (name !== phase && name.length < 100 && !name.includes('\n')) say({ type: 'phase', text: name });
  phase = name;
}

const ignore = () => {};
const logger = { debug, info: ignore, warn: ignore, error: (text: string) => reasons.push(text) };
// Of contributions that are wrong snarkjs tells the console, and not the logger that it is given.
console.log = (text: string) => reasons.push(text);

process.once('message', async (job: Job) => {
  try {
    const ok = await run(job);
    say({ type: 'done', ok, reason: reasons.map((text) => text.trim()).join('; ') });
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    if (code) say({ type: 'failed', code, path, message });
    else say({ type: 'done', ok: false, reason: message });
  }
});
// snarkjs keeps worker threads alive; this process has nothing to do after its one job.
process.once('disconnect', () => process.exit());

async function run(job: Job): Promise<boolean> {
  const { zKey, powersOfTau } = snarkjs;
  switch (job.type) {
    case 'start':
      return (await zKey.newZKey(job.r1cs, job.ptau, job.zkey, logger)) !== -1;
    case 'contribute':
      // snarkjs adds randomness of its own; what it is given has to be secret, too, and is known to nobody.
      await zKey.contribute(job.from, job.zkey, job.name, randomBytes(64).toString('hex'), logger);
      return true;
    case 'beacon':
      return (await zKey.beacon(job.from, job.zkey, 'beacon', job.value, job.iterations, logger)) !== false;
    case 'verify':
      return zKey.verifyFromR1cs(job.r1cs, job.ptau, job.zkey, logger);
    case 'verifyPowersOfTau':
      return powersOfTau.verify(job.ptau, logger);
  }
}

/** Runs a program that takes all the memory that there is, and prints the code of the error that it ends with. */
import { HokusaiError } from '../../offchain/errors.ts';
import { runProcess } from '../../offchain/train/process.ts';

const [folder] = process.argv.slice(2) as [string];
const hog = 'const all = []; for (;;) all.push(Buffer.alloc(2 ** 24, 1));';
try {
  await runProcess([process.execPath, '-e', hog], {
    ...{ folder, readable: [process.execPath], env: {}, timeout: 60, memory: Infinity, log: `${folder}/log` },
  });
} catch (error) {
  if (!(error instanceof HokusaiError)) throw error;
  console.log(JSON.stringify({ kind: error.kind, code: error.code }));
}

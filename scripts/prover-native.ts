/**
 * Builds the native prover, which is found and used by itself from then on.
 *
 *   npm run prover:native      needs Go 1.23 or later (https://go.dev/doc/install)
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { NATIVE_PROVER } from '../offchain/prove/native.ts';

const { status, error } = spawnSync('go', ['build', '-trimpath', '-o', NATIVE_PROVER, '.'], {
  cwd: dirname(NATIVE_PROVER),
  env: { ...process.env, CGO_ENABLED: '0' },
  stdio: 'inherit',
});
if (error || status !== 0) {
  console.error(
    error
      ? 'Go is not on the PATH. Install it (https://go.dev/doc/install), or go on with snarkjs.'
      : 'go build failed.',
  );
  process.exit(error ? 2 : 1);
}
console.log(`Built ${NATIVE_PROVER}. Proofs are made with it from now on.`);

/**
 * All checks, in the order in which they fail fastest.
 *
 *   npm test            what every change must pass
 *   npm run test:long   the same, the large circuits made again, 100,000 moves of the rounds' players, 100 writers of a
 *                       table killed, and how often a bound misses
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const long = process.argv.includes('--long');
/** How long test/contracts/Rounds.t.sol plays (512 moves a sequence), and all campaigns of invariants. */
const environment = { ...process.env, ...(long ? { LONG: '1', SEQUENCES: '200', INVARIANT_RUNS: '100' } : {}) };
const tests = globSync('test/**/*.test.ts', { exclude: ['test/contracts/**'] }).sort();

/** As many files at once as there are processors; by itself Node takes one less. */
const CONCURRENCY = `--test-concurrency=${availableParallelism()}`;

const STEPS: readonly (readonly [name: string, command: string, ...parameters: string[]])[] = [
  ['contracts compile', 'hardhat', 'build'],
  ['types', 'tsc', '--noEmit'],
  ['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['contracts', 'hardhat', 'test'],
  ['off-chain and circuits', process.execPath, '--test', '--test-reporter=spec', CONCURRENCY, ...tests],
  ['circuits, made again', process.execPath, 'scripts/circuits.ts', '--check', ...(long ? [] : ['score512'])],
  ...(long ? [['miss rates of the bounds', process.execPath, 'scripts/bench.ts', 'miss'] as const] : []),
];

for (const [name, command, ...parameters] of STEPS) {
  const started = performance.now();
  console.log(`\n▶ ${name}`);
  const { status, error } = spawnSync(command, parameters, { stdio: 'inherit', env: environment });
  if (status !== 0) {
    console.error(
      `✖ ${name} failed${error ? `: ${error.message}` : ''}. Alone: npx ${[command, ...parameters].slice(0, 4).join(' ')}`,
    );
    process.exit(1);
  }
  console.log(`✔ ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

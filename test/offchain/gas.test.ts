import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { it } from 'node:test';
import { grouped } from '../../offchain/report/numbers.ts';
import { benchGas } from '../../scripts/bench/gas.ts';

// After a change that is meant to cost more or less: UPDATE_GAS=1 node --test test/offchain/gas.test.ts
const SNAPSHOT = new URL('../contracts/gas.json', import.meta.url);

/** What each step may cost at most. */
const AIMS = {
  'gas.voteCommit': 80_000,
  'gas.settle.level1': 450_000,
  'gas.claim': 120_000,
  'gas.claim.first': 120_000,
} as const;

it('every step of a round costs the gas on record, none more than it may, and payees cost no settlement', async () => {
  const figures: Record<string, number> = {};
  for await (const { name, value } of benchGas()) figures[name] = value;
  if (process.env.UPDATE_GAS) await writeFile(SNAPSHOT, `${JSON.stringify(figures, null, 2)}\n`);
  assert.deepEqual(figures, JSON.parse(await readFile(SNAPSHOT, 'utf8')));
  const told = await readFile(new URL('../../contracts/README.md', import.meta.url), 'utf8');
  for (const [name, gas] of Object.entries(figures))
    assert.ok(told.includes(` ${grouped(gas)}`), `${name} in the README`);
  for (const [name, most] of Object.entries(AIMS)) assert.ok(figures[name]! <= most, `${name}: ${figures[name]}`);
  assert.equal(figures['gas.settle.payees10000'], figures['gas.settle.level1']);
});

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { it } from 'node:test';
import { benchGas } from '../../scripts/bench/gas.ts';

// After a change that is meant to cost more or less: UPDATE_GAS=1 node --test test/offchain/gas.test.ts
const SNAPSHOT = new URL('../contracts/gas.json', import.meta.url);

it('every step of a round costs the gas on record, and a settlement at most 450,000', async () => {
  const figures: Record<string, number> = {};
  for await (const { name, value } of benchGas()) figures[name] = value;
  if (process.env.UPDATE_GAS) await writeFile(SNAPSHOT, `${JSON.stringify(figures, null, 2)}\n`);
  assert.deepEqual(figures, JSON.parse(await readFile(SNAPSHOT, 'utf8')));
  assert.ok(figures['gas.settle.level1']! <= 450_000);
});

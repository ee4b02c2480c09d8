import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { HokusaiError } from '../../offchain/errors.ts';
import { customResults, runCustom } from '../../offchain/metrics/custom.ts';
import type { ClassRows } from '../../offchain/metrics/rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'hokusai-custom-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
/** A metric whose module has this text. */
function metricOf(source: string, { timeoutSeconds = 20, memoryMb = 256 } = {}) {
  const module = join(folder, `${files++}.mjs`);
  writeFileSync(module, source);
  return { name: 'own', module, timeoutSeconds, memoryMb };
}

const ROWS: ClassRows = {
  classes: 2,
  labels: Uint8Array.of(0, 1, 1, 0),
  predictions: Uint8Array.of(0, 1, 0, 0),
  scores: [Float64Array.of(-5, 3, -1, -2)],
};

describe('a custom metric', () => {
  it('is given labels, predictions and scores of both models, and may take its time', async () => {
    const metric = metricOf(`export default async (labels, predictions, scores) => {
      await new Promise((done) => setTimeout(done, 20));
      const right = predictions.filter((said, row) => said === labels[row]).length;
      return right + scores[0][1] / 10;
    }`);
    const perfect = { ...ROWS, predictions: ROWS.labels };
    assert.deepEqual(await customResults([metric], ROWS, perfect), [
      { metric: 'own', payable: false, baseline: 3.3, candidate: 4.3, change: 1 },
    ]);
    const numbers = { labels: Float64Array.of(1.5), predictions: Float64Array.of(2) };
    const difference = metricOf('export default (y, p, scores) => p[0] - y[0] + (scores === undefined ? 0 : 100)');
    assert.deepEqual(await runCustom(difference, [numbers]), [0.5]);
  });

  const broken: [code: string, source: string, limits?: { timeoutSeconds?: number; memoryMb?: number }][] = [
    ['UNREADABLE', 'export default ('],
    ['NO_FUNCTION', 'export const metric = () => 1'],
    ['THREW', 'export default () => { throw new Error("row 17 is Ada Lovelace") }'],
    ['NOT_FINITE', 'export default () => NaN'],
    ['NOT_FINITE', 'export default () => "1"'],
    ['TIMEOUT', 'export default () => { for (;;); }', { timeoutSeconds: 1.5 }],
    ['TIMEOUT', 'export default () => new Promise(() => {})', { timeoutSeconds: 1.5 }],
    [
      'MEMORY',
      'export default () => { const all = []; for (;;) all.push({ all, at: all.length }); }',
      { memoryMb: 128 },
    ],
    ['ENDED', 'export default () => process.exit(0)'],
    // Nothing but reading files is left to it.
    ['THREW', 'import { writeFileSync } from "node:fs"; export default () => { writeFileSync("OUT", "x"); return 1; }'],
    [
      'THREW',
      'import { execSync } from "node:child_process"; export default () => { execSync("touch OUT"); return 1; }',
    ],
    [
      'THREW',
      'export default () => { if (process.env.PATH === undefined) throw new Error("no environment"); return 1; }',
    ],
  ];
  for (const [code, source, limits] of broken) {
    it(`that fails is told by its code, and in no word of its own: ${code}, ${source.slice(0, 60)}`, async () => {
      const out = join(folder, 'out');
      const metric = metricOf(source.replace('OUT', out), limits);
      await assert.rejects(runCustom(metric, [ROWS]), (error: HokusaiError) => {
        assert.deepEqual([error.kind, error.code], ['terminal', `CUSTOM_METRIC_${code}`]);
        assert.doesNotMatch(JSON.stringify([error.message, error.details, error.next]), /Lovelace/);
        return true;
      });
      assert.equal(existsSync(out), false);
    });
  }

  it('is stopped where typed arrays fill the memory outside of the heap', {
    skip: process.platform !== 'linux',
  }, async () => {
    const source = `export default async () => {
      const all = [];
      for (;;) { all.push(new Float64Array(1e6).fill(1)); await new Promise((done) => setTimeout(done, 1)); }
    }`;
    const metric = metricOf(source, { memoryMb: 200 });
    await assert.rejects(runCustom(metric, [ROWS]), { code: 'CUSTOM_METRIC_MEMORY' });
  });

  it('takes no other metric with it when it fails', async () => {
    const results = await customResults(
      [metricOf('export default () => 1 / 0'), { ...metricOf('export default () => 2'), name: 'two' }],
      ROWS,
      ROWS,
    );
    assert.deepEqual(results[1], { metric: 'two', payable: false, baseline: 2, candidate: 2, change: 0 });
    assert.ok('error' in results[0]! && results[0].error.code === 'CUSTOM_METRIC_NOT_FINITE');
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../bench.ts';
import { writeTable } from './data-table.ts';

const ROWS = 1_000_000;

interface Cost {
  readonly cpuSeconds: number;
  readonly peakMB: number;
  /** CPU seconds by part; of ours. */
  readonly parts?: Readonly<Record<string, number>>;
}

/**
 * What the whole pipeline takes on a table of 16 columns: read, validate, personal data, duplicates, quality, sample,
 * digests, root and commit. Beside it what pandas with pandera and Polars take for a part of that, without names, near
 * duplicates and a root, where `HOKUSAI_BENCH_PYTHON` (or python3) has them.
 *
 * @param rows of the table
 */
export async function* benchData(rows = ROWS): AsyncIterable<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'hokusai-bench-data-'));
  try {
    const file = join(folder, 'table.csv');
    await writeTable(file, rows);
    yield { name: 'data.fileMB', value: statSync(file).size / 1e6, unit: 'MB', rows };
    const ours = run(process.execPath, [
      join(import.meta.dirname, 'data-child.ts'),
      ...['commit', file, '--table', join(folder, 'lake'), '--label', 'recovered', '--near', '0.8'],
      ...['--max-samples', String(Math.ceil(rows / 2))],
    ]);
    if (!ours) throw new Error('the pipeline failed');
    const peers = ['pandas', 'polars'].map(
      (peer) => [peer, run(python(), [join(import.meta.dirname, 'data-peer.py'), peer, file])] as const,
    );
    for (const key of ['cpuSeconds', 'peakMB'] as const) {
      const figure = { name: `data.pipeline.${key}`, value: ours[key], unit: key === 'peakMB' ? 'MB' : 's', rows };
      const measured = peers.filter((peer): peer is [string, Cost] => peer[1] !== undefined);
      if (measured.length === 0) yield figure;
      for (const [peer, cost] of measured) yield { ...figure, peer: `${peer} + regex`, ratio: ours[key] / cost[key] };
    }
    for (const [part, value] of Object.entries(ours.parts ?? {})) {
      yield { name: `data.${part.replaceAll(' ', '-')}.cpuSeconds`, value, unit: 's', rows };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const python = (): string => process.env.HOKUSAI_BENCH_PYTHON ?? 'python3';

/** undefined where the program is not there, or lacks what it needs. */
function run(program: string, args: readonly string[]): Cost | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1)!) as Cost;
  if (program === process.execPath) process.stderr.write(stderr);
  return undefined;
}

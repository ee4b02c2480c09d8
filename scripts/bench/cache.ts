/** What a run costs that another has computed before, as a user waits for it: a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { init } from '../../offchain/init.ts';
import { cacheFolder } from '../../offchain/prove/circuits.ts';
import type { Figure } from '../bench.ts';

const ROOT = join(import.meta.dirname, '../..');
const TABLE = join(ROOT, 'examples/breast-cancer/breast_cancer.csv');

/** Each with how much of the machine others took, which says what a figure is worth. */
export async function* benchCache(): AsyncIterable<Figure> {
  const folder = await mkdtemp(join(tmpdir(), 'hokusai-bench-'));
  try {
    const directory = join(folder, 'project');
    // Proving keys, which take minutes to derive, are the user's own; results are kept apart.
    await symlink(join(cacheFolder(), 'keys'), join(folder, 'keys'));
    await init({ directory, data: TABLE, label: 'benign' });
    yield* figures('first run, nothing kept', await timed(directory, folder));
    yield* figures('the same again, by its journal', await timed(directory, folder));
    const runs = join(directory, 'runs');
    for (const name of await readdir(runs)) if (name !== 'secrets') await rm(join(runs, name), { recursive: true });
    yield* figures('in a new folder, by the cache', await timed(directory, folder));
    const config = join(directory, 'hokusai.yaml');
    await writeFile(config, (await readFile(config, 'utf8')).replace(/min_delta_bps: 0/, 'min_delta_bps: 1'));
    yield* figures('under another policy, by the cache', await timed(directory, folder));
    yield* figures('with --no-cache, in that folder', await timed(directory, folder, '--no-cache'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Timed {
  readonly seconds: number;
  /** Of processors, whatever else they had to do. */
  readonly cpu: number;
  /** Lines of the progress that say what was taken and not computed. */
  readonly taken: number;
}

/** Has a process say what it took of the processors, when it ends. */
const METER = `data:text/javascript,process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  process.stderr.write('\\ncpu ' + (user + system) / 1e6 + '\\n');
})`;

async function timed(directory: string, cache: string, ...options: string[]): Promise<Timed> {
  const env = { ...process.env, HOKUSAI_CACHE_DIR: cache };
  const began = performance.now();
  const parameters = [
    '--import',
    METER,
    join(ROOT, 'offchain/cli.ts'),
    'run',
    join(directory, 'hokusai.yaml'),
    ...options,
  ];
  const child = spawn(process.execPath, parameters, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const [said] = await Promise.all([text(child.stderr!), once(child, 'close')]);
  const seconds = (performance.now() - began) / 1000;
  const cpu = Number(/^cpu (.*)$/m.exec(said)?.[1]);
  return { seconds, cpu, taken: said.split('\n').filter((line) => line.startsWith('↺')).length };
}

function* figures(name: string, { seconds, cpu, taken }: Timed): Iterable<Figure> {
  const source = `${taken} steps taken, load ${(loadavg()[0]! / availableParallelism()).toFixed(1)} a processor`;
  yield { name, value: seconds, unit: 's', source };
  yield { name: `${name}: work`, value: cpu, unit: 's of CPU', source: 'of all its threads, without child processes' };
}

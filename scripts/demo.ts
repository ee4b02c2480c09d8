/**
 * The main job on real data, on this machine alone: a local chain, a model that starts from few rows, three validators,
 * and two contributions. The first is noise and is refused; the second is real and is paid.
 *
 *   npm run demo [-- --port N]
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { powerText } from '../offchain/delta/describe-power.ts';
import { EXIT_CODE, HokusaiError } from '../offchain/errors.ts';
import { init } from '../offchain/init.ts';
import { Progress } from '../offchain/progress.ts';
import type { RunResult } from '../offchain/run/conclude.ts';
import { openExecutor } from '../offchain/run/executor.ts';
import { offer, openProject } from '../offchain/run/project.ts';
import { settleOn, withLocalModel } from '../offchain/run/run.ts';
import { readCsv, writeCsv } from '../offchain/table/table.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'runs', 'demo');
const TABLE = join(ROOT, 'examples/breast-cancer/breast_cancer.csv');
const LABEL = 'benign';

const { values } = parseArgs({ options: { port: { type: 'string' } } });
const began = performance.now();
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
const progress = new Progress('info');

function title(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stderr.write(`\n${seconds.padStart(5)} s  ${text}\n`);
}

/** A project of the example table: a model that knows few rows, and a benchmark that lasts for two rounds. */
async function makeProject(): Promise<string> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const directory = join(FOLDER, 'breast-cancer');
  await init({ directory, data: TABLE, label: LABEL, baselineRows: 20, benchmarkRows: 284 });
  const file = join(directory, 'hokusai.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^( +rounds_per_fold:).*$/m, '$1 2'));
  return file;
}

/** The contribution's rows with labels that have nothing to do with them: a bit of each row's hash. */
async function makeNoise(contribution: string): Promise<string> {
  const table = await readCsv(contribution);
  const bit = (row: number) => {
    const cells = table.columns.map(({ values }) => values[row]).join();
    return String(createHash('sha256').update(cells).digest()[0]! & 1);
  };
  const columns = table.columns.map(({ name, values }) => ({
    name,
    values: name === LABEL ? values.map((_, row) => bit(row)) : values,
  }));
  const file = join(FOLDER, 'noise.csv');
  writeCsv(file, { ...table, columns });
  return file;
}

async function demo(): Promise<[noise: RunResult, real: RunResult]> {
  title('A project is made of examples/breast-cancer/breast_cancer.csv: 569 tumours, 30 measures, benign or not.');
  const configFile = await makeProject();
  const project = await openProject(configFile);
  process.stderr.write(`${powerText(project.config.policy, project.line.fold.n)}\n`);
  const noise = await offer(project, 'noise', await makeNoise(project.config.data.contribution));
  const real = await offer(project, 'contribution', project.config.data.contribution);

  title('A local chain starts; the contracts are deployed; a model, its policy and its benchmark are registered.');
  const executor = await openExecutor(join(FOLDER, 'owner'));
  const options = {
    chain: 'local' as const,
    signal: stop.signal,
    onEvent: progress.step,
    onAction: progress.action,
    ...(values.port !== undefined && { port: Number(values.port) }),
  };
  try {
    return await withLocalModel(project, FOLDER, executor, options, async (model) => {
      title('The first contribution: real rows with labels drawn by chance.');
      const refused = await settleOn(model, project, noise, await folder('noise'), executor);
      title('The second contribution: the same rows with their real labels.');
      const settled = await settleOn(model, project, real, await folder('real'), executor);
      return [refused, settled];
    });
  } finally {
    await executor.close();
  }
}

async function folder(name: string): Promise<string> {
  const path = join(FOLDER, name);
  await mkdir(path, { recursive: true });
  return path;
}

try {
  const [refused, settled] = await demo();
  title('Done. Noise:');
  progress.summary(relative(process.cwd(), refused.folder), refused.attestation, refused);
  title('Real rows:');
  progress.summary(relative(process.cwd(), settled.folder), settled.attestation, settled);
  process.exitCode = !refused.attestation.accepted && settled.attestation.accepted ? 0 : 1;
} catch (error) {
  if (stop.signal.aborted) {
    process.stderr.write('\nStopped. Nothing is left running.\n');
    process.exitCode = 130;
  } else if (error instanceof HokusaiError) {
    process.stderr.write(`\n✖ ${error.message}\n  ${error.next ?? ''}\n`);
    process.exitCode = EXIT_CODE[error.kind];
  } else throw error;
}

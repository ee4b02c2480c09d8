// Runs of a real project, to be recorded again and again.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { HokusaiError } from '../../offchain/errors.ts';
import { init } from '../../offchain/init.ts';
import { type Logged, logRun, type Patience } from '../../offchain/mlflow/log-run.ts';
import type { RunResult } from '../../offchain/run/conclude.ts';
import { type Executor, openExecutor } from '../../offchain/run/executor.ts';
import { openProject, type Project } from '../../offchain/run/project.ts';
import { run } from '../../offchain/run/run.ts';

const TABLE = join(import.meta.dirname, '../../examples/breast-cancer/breast_cancer.csv');

/** Removed after the tests. */
export const folder = await mkdtemp(join(tmpdir(), 'hokusai-mlflow-'));
after(() => rm(folder, { recursive: true }));

type Mlflow = Project['config']['mlflow'];
type Policy = Project['config']['policy'];

const project = await made();

async function made(): Promise<Project> {
  const directory = join(folder, 'project');
  await init({ directory, data: TABLE, label: 'benign', baselineRows: 20, benchmarkRows: 284 });
  return withConfig(await openProject(join(directory, 'hokusai.yaml')), { enabled: false });
}

function withConfig(project: Project, mlflow: Partial<Mlflow>, policy: Partial<Policy> = {}): Project {
  const { config } = project;
  const merged = { ...config, mlflow: { ...config.mlflow, ...mlflow }, policy: { ...config.policy, ...policy } };
  return { ...project, config: merged };
}

/** One that was accepted, proof and all, and one that nothing was trained for. */
export const accepted = await run(project, { chain: 'none' });
export const refused = await run(withConfig(project, {}, { minContributionRows: 10_000 }), { chain: 'none' });

/** A run's folder as it was, in an outbox of its own unless one is named. */
export async function copied(
  { folder: from, attestation }: Pick<RunResult, 'folder' | 'attestation'>,
  outbox?: string,
  name = 'run',
) {
  const to = join(outbox ?? (await mkdtemp(join(folder, 'outbox-'))), name);
  await cp(from, to, { recursive: true });
  return { folder: to, attestation };
}

export interface Recording extends Partial<Mlflow> {
  readonly patience?: Patience;
  readonly signal?: AbortSignal;
}

/** Records a run, with the warnings that its executor has told. */
export async function recorded(
  result: Pick<RunResult, 'folder' | 'attestation'>,
  { patience, signal, ...mlflow }: Recording,
): Promise<{ logged: Logged | undefined; told: HokusaiError[] }> {
  const told: HokusaiError[] = [];
  const executor: Executor = await openExecutor(await mkdtemp(join(folder, 'executor-')), {
    ...(signal && { signal }),
    onEvent: (event) => event.type === 'warned' && told.push(event.error),
  });
  try {
    const given = withConfig(project, { enabled: true, experimentName: 'Tumours', ...mlflow });
    return { logged: await logRun(given, result, executor, patience), told };
  } finally {
    await executor.close();
  }
}

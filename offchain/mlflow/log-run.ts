/** Records a run in MLflow once its results are published. Whatever goes wrong is a warning and stops nothing. */
import { dirname } from 'node:path';
import { HokusaiError } from '../errors.ts';
import type { RunResult } from '../run/conclude.ts';
import type { Executor } from '../run/executor.ts';
import type { Project } from '../run/project.ts';
import { Api } from './api.ts';
import { type Destination, destinationOf } from './destination.ts';
import { recordInFiles } from './files.ts';
import { type Emptied, empty, enqueue } from './outbox.ts';
import { recordOf } from './record.ts';
import { recordOnServer } from './server.ts';
import type { Recorded, TrackedRun } from './tracked-run.ts';

/** What became of a run's record. */
export interface Logged {
  /** Where people see the run; absent while it waits. */
  readonly at?: string;
  /** Runs that wait to be recorded, this one and earlier ones. */
  readonly pending: number;
  readonly warnings: readonly Pick<HokusaiError, 'code' | 'message' | 'next'>[];
}

/** How long a server may keep a run waiting, in seconds. */
export interface Patience {
  /** For each answer. */
  readonly request: number;
  /** For everything. */
  readonly total: number;
}

/** A server that does not answer costs a run as long as one request. */
const PATIENCE: Patience = { request: 5, total: 30 };

/**
 * Keeps the run's record, and records all that is pending. Nothing of this flows into what is hashed or paid.
 *
 * @returns nothing where it is switched off
 */
export async function logRun(
  project: Project,
  result: Pick<RunResult, 'folder' | 'attestation'>,
  executor: Executor,
  patience: Patience = PATIENCE,
): Promise<Logged | undefined> {
  const { mlflow } = project.config;
  if (!mlflow.enabled) return undefined;
  const { recorded, pending, problems } = await attempt(async () => {
    await enqueue(result.folder, await recordOf(project, result));
    const destination = destinationOf(mlflow.trackingUri);
    const signal = AbortSignal.any([executor.signal, AbortSignal.timeout(1000 * patience.total)]);
    return empty(dirname(result.folder), recorder(destination, patience.request, signal));
  });
  const own = recorded.get(result.folder);
  const all = own?.missing ? [...problems, incomplete(own.missing)] : problems;
  for (const problem of all) executor.warn('mlflow', problem);
  const warnings = all.map(({ code, message, next }) => ({ code, message, next }));
  return { ...(own && { at: own.at }), pending, warnings };
}

function recorder(destination: Destination, seconds: number, signal: AbortSignal) {
  if ('folder' in destination) {
    return (tracked: TrackedRun, folder: string) => recordInFiles(destination.folder, tracked, folder).catch(asProblem);
  }
  const api = new Api(destination, seconds, signal);
  return (tracked: TrackedRun, folder: string) =>
    recordOnServer(api, destination.url, tracked, folder).catch(asProblem);
}

const incomplete = (message: string): HokusaiError =>
  new HokusaiError('configuration', 'MLFLOW_ARTIFACTS', message, {
    next: 'Start the server with --serve-artifacts, its default.',
  });

/** Nothing recorded, and why. */
async function attempt(act: () => Promise<Emptied>): Promise<Emptied> {
  const none = { recorded: new Map<string, Recorded>(), pending: 1 };
  return act().catch((error) => ({ ...none, problems: [problemOf(error)] }));
}

const asProblem = (error: unknown): never => {
  throw problemOf(error);
};

/** A record stays pending whatever it is, so that errors of the disk, too, are ones that another time may not have. */
function problemOf(error: unknown): HokusaiError {
  if (error instanceof HokusaiError) return error;
  const { code, path } = error as NodeJS.ErrnoException;
  const message = code ? `${path ?? 'MLflow’s folder'}: ${code}.` : `An unexpected ${(error as Error).name}.`;
  return new HokusaiError(code ? 'retryable' : 'terminal', 'MLFLOW_UNWRITTEN', `The run is not recorded: ${message}`, {
    details: { code, path },
    next: 'Name another folder by MLFLOW_TRACKING_URI, or switch it off by mlflow.enabled: false.',
    cause: error,
  });
}

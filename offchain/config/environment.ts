import { HokusaiError } from '../errors.ts';

/** What a run prints: each includes those before it. */
export const LOG_LEVELS = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every variable that is read, for docs/configuration.md. Those of the Python pipeline keep their names. */
export const ENVIRONMENT = [
  { name: 'HOKUSAI_CONFIG_PATH', means: 'Configuration of `hokusai run` where no file is named; else `hokusai.yaml`.' },
  { name: 'HOKUSAI_OUTPUT_DIR', means: 'Folder for the runs; goes before `output.directory`.' },
  {
    name: 'HOKUSAI_LOG_LEVEL',
    means: `What \`hokusai run\` tells while it goes on: ${LOG_LEVELS.join(', ')}; each also what is before it. Default: info.`,
  },
  { name: 'MLFLOW_TRACKING_URI', means: 'Goes before `mlflow.tracking_uri`; a folder is relative to where you are.' },
  { name: 'MLFLOW_EXPERIMENT_NAME', means: 'Goes before `mlflow.experiment_name`.' },
  {
    name: 'MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD',
    means: 'As MLflow has them. They go to the tracking server alone.',
  },
  {
    name: 'METAFLOW_MEMORY',
    means: 'Megabytes that proving may take, as `--memory` says. Default: half of what is free.',
  },
  { name: 'METAFLOW_CPU', means: 'Processors that proving keeps busy. Default: all.' },
  {
    name: 'HOKUSAI_PYTHON',
    means: 'A Python that has the packages of docs/frameworks.md; `training.python` goes first.',
  },
  {
    name: 'HOKUSAI_CACHE_DIR',
    means: 'Where derived files are kept between runs. Default: `$XDG_CACHE_HOME/hokusai`, else `~/.cache/hokusai`.',
  },
  { name: 'HOKUSAI_KEYS_DIR', means: 'Folders of finished ceremonies, whose keys prove where a policy names them.' },
  { name: 'HOKUSAI_KEYSTORE_PASSWORD_FILE', means: 'File with the password of `--keystore`.' },
  {
    name: 'HOKUSAI_PROVERS_TOKEN_FILE',
    means: 'File with the token that `run --provers` and `prover serve` share.',
  },
  {
    name: 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL',
    means: 'As AWS has them, for tables and blobs at `s3://`. An endpoint of your own speaks the same protocol.',
  },
] as const;

/** What the environment says of the machine. */
export interface Resources {
  /** Bytes that proving may take. */
  readonly memory?: number;
  /** That proving keeps busy. */
  readonly processors?: number;
  readonly logLevel: LogLevel;
}

/** @throws HokusaiError ENVIRONMENT_INVALID (configuration) with all problems */
export function resourcesOf({ METAFLOW_MEMORY, METAFLOW_CPU, HOKUSAI_LOG_LEVEL }: NodeJS.ProcessEnv): Resources {
  const problems: string[] = [];
  const whole = (name: string, given = '', unit: number): number | undefined => {
    if (/^[1-9]\d{0,8}$/.test(given)) return Number(given) * unit;
    if (given) problems.push(`${name} is ${given}, expected a whole number from 1`);
    return undefined;
  };
  const memory = whole('METAFLOW_MEMORY', METAFLOW_MEMORY, 1e6);
  const processors = whole('METAFLOW_CPU', METAFLOW_CPU, 1);
  const wanted = (HOKUSAI_LOG_LEVEL || 'info').toLowerCase();
  const logLevel = LOG_LEVELS.find((level) => level === wanted || (wanted === 'warn' && level === 'warning'));
  if (!logLevel) problems.push(`HOKUSAI_LOG_LEVEL is ${HOKUSAI_LOG_LEVEL}, expected one of ${LOG_LEVELS.join(', ')}`);
  if (problems.length > 0) {
    throw new HokusaiError('configuration', 'ENVIRONMENT_INVALID', problems.join('\n'), {
      details: { problems },
      next: 'Correct these variables or unset them; docs/configuration.md says what they mean.',
    });
  }
  return { ...(memory && { memory }), ...(processors && { processors }), logLevel: logLevel! };
}

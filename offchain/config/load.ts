import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import type { CustomMetric } from '../metrics/custom.ts';
import type { Task } from '../table/label.ts';
import { bubblewrap } from '../train/process.ts';
import { DEFAULTS } from './defaults.ts';
import { resourcesOf } from './environment.ts';
import { toMetrics } from './evaluation.ts';
import { toIntegration } from './integration.ts';
import { toPolicy } from './policy.ts';
import {
  type ConfigProblem,
  describe,
  explain,
  lineOf,
  problemsFound,
  syntaxProblems,
  withoutConsequences,
} from './problems.ts';
import { zConfigFile } from './schema.ts';
import { FILES_OF_A_PROJECT } from './text.ts';
import { taskOfTraining, toTraining } from './training.ts';

/** A configuration that has been checked. Paths are absolute. */
export type Config = ReturnType<typeof toConfig>;

/**
 * Reads and checks a configuration. An argument beats the environment, the environment beats the file, the file beats
 * the defaults. Paths in the file are relative to it, HOKUSAI_OUTPUT_DIR and MLFLOW_TRACKING_URI to
 * the working directory.
 *
 * @param file - else HOKUSAI_CONFIG_PATH, else `hokusai.yaml`
 * @throws HokusaiError `configuration`: CONFIG_UNREADABLE; CONFIG_NOT_YAML and CONFIG_INVALID with all problems;
 *   ENVIRONMENT_INVALID
 */
export function loadConfig(file?: string, environment: NodeJS.ProcessEnv = process.env): Config {
  const path = resolve(file || environment.HOKUSAI_CONFIG_PATH || 'hokusai.yaml');
  const { document, lines } = parseFile(path);
  const parsed = check(path, document, lines, document.toJS());
  return toConfig(path, parsed, environment, (keys) => lineOf(document, lines, keys));
}

/** What a configuration says of how its files are to be made: one without them, as the Python pipeline's are. */
export interface Template {
  readonly task: Task;
  readonly randomSeed: number;
  readonly testSplit: number;
  readonly stratify: boolean;
  /** The file with its comments, and what it lacks. */
  text(added: Readonly<Record<string, Readonly<Record<string, unknown>>>>): string;
}

/**
 * Reads and checks a configuration that names no files.
 *
 * @throws HokusaiError `configuration`: as `loadConfig`
 */
export function loadTemplate(file: string): Template {
  const path = resolve(file);
  const { document, lines } = parseFile(path);
  // What is no map at all is told by the check.
  const given = document.contents && !isMap(document.contents) ? undefined : { ...document.toJS() };
  if (given && 'data' in given) {
    const message = 'names files already; leave it out, and `hokusai init` adds those that it makes';
    throw problemsFound('CONFIG_INVALID', path, [{ line: lineOf(document, lines, ['data']), path: 'data', message }]);
  }
  const { pipeline, training, evaluation } = check(
    path,
    document,
    lines,
    given && { ...given, data: FILES_OF_A_PROJECT },
  );
  return {
    task: taskOfTraining(training),
    randomSeed: pipeline.random_seed,
    testSplit: evaluation.test_split,
    stratify: evaluation.stratify,
    text: (added) => {
      const whole = { data: FILES_OF_A_PROJECT, ...added };
      for (const [section, keys] of Object.entries(whole)) {
        for (const [key, value] of Object.entries(keys)) {
          if (!document.hasIn([section, key])) document.setIn([section, key], value);
        }
      }
      return document.toString({ lineWidth: 0 });
    },
  };
}

function parseFile(path: string): { document: Document; lines: LineCounter } {
  const lines = new LineCounter();
  const document = parseDocument(readSource(path), { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const problems = syntaxProblems(document, lines);
  if (problems.length > 0) throw problemsFound('CONFIG_NOT_YAML', path, problems);
  return { document, lines };
}

function check(path: string, document: Document, lines: LineCounter, value: unknown): z.infer<typeof zConfigFile> {
  const parsed = zConfigFile.safeParse(value, { error: describe });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => explain(issue, document, lines));
  throw problemsFound('CONFIG_INVALID', path, withoutConsequences(problems));
}

function readSource(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new HokusaiError('configuration', 'CONFIG_UNREADABLE', `${path} cannot be read (${reason})`, {
      details: { file: path, reason },
      next: 'Give the path of a configuration file, or make one with `hokusai init`.',
    });
  }
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw problemsFound('CONFIG_NOT_YAML', path, [{ line: 1, path: '', message: 'the file is not UTF-8' }]);
}

/** A URI as it is, and a path as an absolute one. */
const pathOrUri = (given: string, absolute: (path: string) => string): string =>
  /^[a-z][a-z0-9+.-]*:/i.test(given) ? given : absolute(given);

function toConfig(
  file: string,
  parsed: z.infer<typeof zConfigFile>,
  environment: NodeJS.ProcessEnv,
  lineOfKey: (keys: string[]) => number,
) {
  const { pipeline, metaflow, training, evaluation, data, output, mlflow, assurance } = parsed;
  const { HOKUSAI_OUTPUT_DIR, MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME } = environment;
  const beside = (path: string): string => resolve(dirname(file), path);
  const directory = HOKUSAI_OUTPUT_DIR ? resolve(HOKUSAI_OUTPUT_DIR) : beside(output.directory);
  const warnings: ConfigProblem[] = evaluation.custom_metrics.flatMap(({ module }, at) => {
    if (existsSync(beside(module))) return [];
    const keys = ['evaluation', 'custom_metrics', String(at), 'module'];
    return [{ line: lineOfKey(keys), path: keys.join('.'), message: 'is not there, so the metric will fail' }];
  });
  if (training.framework !== 'reference' && !bubblewrap()) {
    const message = 'bubblewrap is not installed: the program can read and write what you can, and use the network';
    warnings.push({ line: lineOfKey(['training', 'framework']), path: 'training.framework', message });
  }
  return {
    file,
    /** What was accepted and yet will not do what its writer expects. */
    warnings,
    pipeline: { name: pipeline.name, version: pipeline.version, randomSeed: pipeline.random_seed },
    metaflow: { maxWorkers: metaflow.max_workers, maxRetryCount: metaflow.max_retry_count },
    training: toTraining(training, file, directory),
    evaluation: {
      metrics: toMetrics(evaluation, taskOfTraining(training)),
      customMetrics: evaluation.custom_metrics.map(
        ({ name, module, timeout_seconds: timeoutSeconds, memory_mb: memoryMb }): CustomMetric => ({
          ...{ name, module: beside(module), timeoutSeconds, memoryMb },
        }),
      ),
      learningCurve: evaluation.learning_curve,
      testSplit: evaluation.test_split,
      stratify: evaluation.stratify,
    },
    data: {
      schema: beside(data.schema),
      baseline: beside(data.baseline),
      contribution: beside(data.contribution),
      benchmark: beside(data.benchmark),
      /** Path of a model's file, or `models:/NAME/VERSION`. */
      ...(data.baseline_path !== DEFAULTS.baselinePath && { baselinePath: pathOrUri(data.baseline_path, beside) }),
    },
    policy: toPolicy(parsed.policy),
    integration: toIntegration(parsed.integration),
    output: { directory, cacheBytes: output.cache_mb * 2 ** 20 },
    mlflow: {
      enabled: mlflow.enabled,
      /** URL, which may hold a password, or absolute path. */
      trackingUri: MLFLOW_TRACKING_URI
        ? pathOrUri(MLFLOW_TRACKING_URI, resolve)
        : pathOrUri(mlflow.tracking_uri, beside),
      experimentName: MLFLOW_EXPERIMENT_NAME || mlflow.experiment_name || pipeline.name,
    },
    assurance,
    resources: resourcesOf(environment),
  };
}

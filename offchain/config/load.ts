import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import type { Task } from '../label.ts';
import type { CustomMetric } from '../metrics/custom.ts';
import { nearestFirst } from '../nearest.ts';
import { bubblewrap } from '../train/process.ts';
import { DEFAULTS } from './defaults.ts';
import { resourcesOf } from './environment.ts';
import { toMetrics } from './evaluation.ts';
import { toIntegration } from './integration.ts';
import { knownKeys } from './keys.ts';
import { toPolicy } from './policy.ts';
import { zConfigFile } from './schema.ts';
import { FILES_OF_A_PROJECT } from './text.ts';
import { taskOfTraining, toTraining } from './training.ts';

/** One thing in a configuration file that somebody should look at. */
export interface ConfigProblem {
  /** 1-based; of a key that is missing, the line of the section where it belongs. */
  line: number;
  /** Keys joined by dots; empty for the file as a whole. */
  path: string;
  message: string;
}

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
  refuse('CONFIG_NOT_YAML', path, syntaxProblems(document, lines));
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

function syntaxProblems(document: Document, lines: LineCounter): ConfigProblem[] {
  const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    line: lines.linePos(pos[0]).line,
    path: '',
    message,
  }));
  visit(document, {
    Alias: (_, alias) => {
      const { line } = lines.linePos(alias.range![0]);
      problems.push({ line, path: '', message: `write out what *${alias.source} stands for: aliases are not read` });
    },
  });
  return problems;
}

/** Replaces those of zod's messages that speak of JavaScript. */
function describe(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type') return undefined;
  const expected = { object: 'keys and values', array: 'a list' }[issue.expected as string];
  const found = issue.input === undefined ? 'missing' : issue.input === null ? 'no value' : undefined;
  const article = expected ?? `a ${issue.expected}`;
  return `${found ?? 'wrong type'}, expected ${article}`;
}

function explain(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ConfigProblem[] {
  const keys = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') {
    return [{ line: lineOf(document, lines, keys), path: keys.join('.'), message: issue.message }];
  }
  return issue.keys.map((key) => {
    const path = [...keys, key];
    return {
      line: lineOf(document, lines, path),
      path: path.join('.'),
      message: unknownKey(
        keys,
        key,
        knownKeys(document.getIn(['training', 'model_type']), document.getIn(['training', 'framework'])).map(
          ({ path }) => path,
        ),
      ),
    };
  });
}

/** The nearest key of the same section; or the section where a key of that very name belongs. */
function unknownKey(keys: string[], key: string, known: readonly (readonly string[])[]): string {
  const section = keys.filter((name) => !/^\d+$/.test(name));
  const elsewhere = known.find((path) => path.at(-1) === key);
  if (elsewhere !== undefined) return `unknown key here, did you mean ${elsewhere.join('.')}?`;
  const here = known.filter((path) => path.length === section.length + 1 && section.every((k, at) => path[at] === k));
  const names = nearestFirst(
    key,
    here.map((path) => path.at(-1)!),
  );
  return `unknown key, did you mean ${names[0]}? Known here: ${names.join(', ')}`;
}

/** Line of the deepest of these nested keys that is in the file. */
function lineOf(document: Document, lines: LineCounter, keys: string[]): number {
  let node: unknown = document.contents;
  let start = isNode(node) ? node.range![0] : 0;
  for (const key of keys) {
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key) : null;
    const item = isSeq(node) ? node.items[Number(key)] : undefined;
    const [at, next] = pair ? [pair.key, pair.value] : [item, item];
    if (!isNode(at)) break;
    start = at.range![0];
    node = next;
  }
  return lines.linePos(start).line;
}

/** What follows from another framework (its model types, its hyperparameters) is no problem of its own. */
function withoutConsequences(problems: ConfigProblem[]): ConfigProblem[] {
  const foreign = problems.some(({ path }) => path === 'training.framework');
  return problems.filter(({ path }) => !foreign || path === 'training.framework' || !path.startsWith('training.'));
}

function refuse(code: string, file: string, problems: ConfigProblem[]): void {
  if (problems.length > 0) throw problemsFound(code, file, problems);
}

function problemsFound(code: string, file: string, problems: ConfigProblem[]): HokusaiError {
  const sorted = problems.toSorted((a, b) => a.line - b.line);
  const told = sorted.map(({ line, path, message }) => `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`);
  return new HokusaiError('configuration', code, told.join('\n'), {
    details: { file, problems: sorted },
    next: problems.some(({ path, message }) => path === 'data' && message.startsWith('missing'))
      ? 'Correct these lines; `hokusai init DIR --data FILE.csv --label COLUMN --config THIS_FILE` adds files of a table.'
      : 'Correct these lines; `hokusai init` writes a file that explains every key.',
  });
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

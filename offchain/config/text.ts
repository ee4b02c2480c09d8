import { METRIC_NAMES } from '../metrics/names.ts';
import { taskOf } from '../train/spec.ts';
import { DEFAULTS } from './defaults.ts';
import { type ConfigKey, knownKeys } from './keys.ts';
import { majority } from './policy.ts';

/** What a configuration says of the table that it was made for; everything else in it is the default. */
export interface ConfigValues {
  name: string;
  randomSeed: number;
  testSplit: number;
  roundsPerFold: number;
  minRows: number;
  minContributionRows: number;
  /** What a project begins with, by its task. */
  modelType: 'LinearSVC' | 'Ridge';
}

/** What `init` makes, beside the configuration. */
export const FILES_OF_A_PROJECT = {
  schema: 'schema.json',
  baseline: 'baseline.csv',
  contribution: 'contribution.csv',
  benchmark: 'benchmark.csv',
} as const;

/** Columns. */
const WIDTH = 118;

/** A configuration with a comment on every key. Text is written as JSON, which is YAML as well. */
export function configText(values: ConfigValues): string {
  const given = valuesOf(values);
  const isItem = ({ path }: ConfigKey) => ['custom_metrics', 'guardrails'].includes(path.at(-2)!);
  const keys = knownKeys(values.modelType).filter((key) => !isItem(key));
  const header = `# Configuration of the Hokusai evaluator: \`hokusai run hokusai.yaml\`.
# A key that is left out has its default. Paths are relative to this file. docs/configuration.md has all keys.
`;
  return [header, ...keys.map((key) => entry(key, given))].join('');
}

/** What is not the default, and why, by path. */
function valuesOf({ modelType, ...values }: ConfigValues): Record<string, readonly [value: unknown, why?: string]> {
  const isRegression = taskOf(modelType) === 'regression';
  return {
    'pipeline.name': [values.name],
    'pipeline.random_seed': [values.randomSeed],
    'training.framework': ['reference'],
    'training.model_type': [modelType],
    'evaluation.metrics': [
      isRegression ? METRIC_NAMES.regression : ['accuracy', 'precision', 'recall', 'f1', 'auroc', 'log_loss'],
    ],
    'evaluation.learning_curve': [4],
    'evaluation.test_split': [values.testSplit],
    ...Object.fromEntries(Object.entries(FILES_OF_A_PROJECT).map(([name, file]) => [`data.${name}`, [file] as const])),
    'policy.rounds_per_fold': [values.roundsPerFold, 'here one for each 200 benchmark rows, 1 to 20'],
    'policy.metric': [isRegression ? 'mse' : DEFAULTS.metric],
    'policy.min_rows': [values.minRows, 'here all that there are'],
    'policy.min_contribution_rows': [values.minContributionRows],
    'policy.threshold': [majority(DEFAULTS.validators)],
    'mlflow.experiment_name': [values.name],
  };
}

/** A key that has neither value nor default is there as a comment. */
function entry({ path, means, takes, fallback, isSection }: ConfigKey, given: ReturnType<typeof valuesOf>): string {
  const name = path.at(-1)!;
  const indent = '  '.repeat(path.length - 1);
  const gap = path.length === 1 ? '\n' : '';
  const [value = fallback, why] = given[path.join('.')] ?? [];
  const written = (one: unknown) => (takes.startsWith('text') ? JSON.stringify(one) : plain(one));
  const absent = fallback === undefined ? '' : `Default: ${written(fallback)}${why ? `; ${why}` : ''}.`;
  const range = takes === 'text' || takes === value ? '' : `${capital(takes)}.`;
  const comment = wrap(
    [means, isSection ? '' : range, isSection ? '' : absent].filter(Boolean).join(' '),
    `${indent}# `,
  );
  if (isSection) return `${gap}${comment}${indent}${name}:\n`;
  return `${gap}${comment}${indent}${value === undefined ? `# ${name}:` : `${name}: ${written(value)}`}\n`;
}

/** Words that are chosen from, and numbers, which need no quotes. */
const plain = (value: unknown): string => (Array.isArray(value) ? `[${value.map(plain).join(', ')}]` : String(value));

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function wrap(text: string, prefix: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line && prefix.length + line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map((line) => `${prefix}${line}\n`).join('');
}

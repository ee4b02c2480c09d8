#!/usr/bin/env node
/** The command line: parses, calls, prints, and turns errors into exit codes. */
import { parseArgs } from 'node:util';
import { EXIT_CODE, HokusaiError } from './errors.ts';
import { fail, jsonText } from './fail.ts';
import type { InitOptions, InitSummary } from './init.ts';
import { Progress } from './progress.ts';
import type { ProvingOptions } from './prove/pool.ts';
import type { StepEvent } from './run/executor.ts';
import { type Command, perform } from './verb.ts';

const USAGE = `Usage: hokusai COMMAND [OPTION...]

  init DIR --data FILE.csv --label COLUMN   make a runnable project of a table
  run [hokusai.yaml]                        evaluate a contribution, prove and settle it
  verify RUN_DIR|attestation.json           check a result without private data
  model VERB                                own a model: power, register, show, budget, policy, benchmark, veto, …
  contribute VERB                           bring data: estimate, commit, open, draw, deliver, status, claim, …
  validator VERB                            be drawn: register, show, stake, recipient, pause, resume, unbond, …
  rounds VERB                               guard them: show, pause, unpause
  data VERB                                 bring it: check, commit, prove, seal, open; its versions: log, diff, show, …
  cache VERB                                what is kept between runs: show, clear
  keys VERB                                 make and check proving keys: dev, ceremony, verify, register
  prover VERB                               prove for other machines: serve

hokusai COMMAND --help explains one of them. All take --json for machines.
Exit codes: 0 done, 1 failed for good or rejected, 2 wrong usage or configuration, 75 try again later.`;

const HELP: Record<string, string> = {
  init: `Usage: hokusai init DIR --data FILE.csv --label COLUMN [--task classification|regression]
                    [--positive VALUE] [--config FILE.yaml] [--baseline-rows N] [--benchmark-rows N] [--seed N]
                    [--json]

Makes a project of any table with a label of 2 to 256 classes, or of numbers: infers the schema, splits the rows into
baseline, contribution and benchmark, and writes a hokusai.yaml that explains every key.

  --data FILE.csv      table with a header, UTF-8
  --label COLUMN       what is to be predicted
  --task NAME          classification or regression; has to be said of a label of many different numbers
  --positive VALUE     the positive class of two, where it is not clear from the values
  --config FILE.yaml   a configuration that names no files, such as the Python pipeline's: its evaluation.test_split,
                       evaluation.stratify and pipeline.random_seed shape the split, and the project goes by it
  --baseline-rows N    rows that the model starts from (default: a tenth of what the benchmark leaves)
  --benchmark-rows N   rows to measure on, at most 4096 (default: half of the table)
  --seed N             another split (default 42)

Example: hokusai init my-model --data patients.csv --label recovered`,
  run: `Usage: hokusai run [hokusai.yaml] [--dry-run | --chain local] [--port N] [--prover snarkjs|native]
                   [--memory SIZE] [--provers URL,URL [--insecure-provers]] [--no-cache] [--json]

Validates the contribution, trains and evaluates a model with it, tests whether it is better, proves the score, and
leaves attestation.json, the proof and report.html in OUTPUT_DIR/RUN_ID/, and for the model's owner the models,
metrics.json and evaluation.html. A run that was stopped goes on where it was when the same command is given again. It
is then recorded in MLflow, at MLFLOW_TRACKING_URI or in mlruns/ beside the configuration.

  --dry-run            everything but a chain, with a real proof (the default)
  --chain local        on a chain of its own with the policy's number of validators, from commit to claim
  --port N             port of the local chain (default: a free one)
  --prover NAME        default: native where \`npm run prover:native\` built it, else snarkjs
  --memory SIZE        what proving may take, such as 4GB (default: half of what is free); more of it proves more
                       chunks of an inference at once, where there are processors for them
  --provers URL,URL    machines that prove chunks of an inference, too (\`hokusai prover serve\`), with the token in the
                       file that HOKUSAI_PROVERS_TOKEN_FILE names; they see models and benchmark, and are believed nothing
  --insecure-provers   takes plain HTTP beyond this machine: within a network that you trust
  --no-cache           computes everything itself, and keeps nothing for other runs

Example: hokusai run my-model/hokusai.yaml --chain local`,
  verify: `Usage: hokusai verify RUN_DIR|attestation.json [--rpc URL] [--json]

Checks all that can be checked without private data, and says which assurance level that is.

  --rpc URL            compares with what the chain says, too

Example: hokusai verify my-model/runs/0123456789ab`,
};

const text = { type: 'string' } as const;
const OPTIONS = {
  init: {
    data: text,
    label: text,
    positive: text,
    config: text,
    task: text,
    'baseline-rows': text,
    'benchmark-rows': text,
    seed: text,
  },
  run: {
    'dry-run': { type: 'boolean' },
    chain: text,
    port: text,
    prover: text,
    memory: text,
    provers: text,
    'insecure-provers': { type: 'boolean' },
    'no-cache': { type: 'boolean' },
  },
  verify: { rpc: text },
} as const;

type Values = Readonly<Record<string, string | boolean | undefined>>;

const COMMANDS: Record<string, (positionals: readonly string[], values: Values) => Promise<number>> = {
  init: commandInit,
  run: commandRun,
  verify: commandVerify,
};

/** Commands with verbs of their own. */
const WITH_VERBS: Record<string, () => Promise<Command>> = {
  model: async () => (await import('./model/verbs.ts')).MODEL,
  contribute: async () => (await import('./contribute/verbs.ts')).CONTRIBUTE,
  validator: async () => (await import('./validator/verbs.ts')).VALIDATOR,
  rounds: async () => (await import('./chain/rounds-verbs.ts')).ROUNDS,
  data: async () => (await import('./data/verbs.ts')).DATA,
  cache: async () => (await import('./cache/verbs.ts')).CACHE,
  keys: async () => (await import('./keys/verbs.ts')).KEYS,
  prover: async () => (await import('./prove/verbs.ts')).PROVER,
};

/** Prints a line. @returns the exit code of what is done with that */
function print(line: string): number {
  process.stdout.write(`${line}\n`);
  return 0;
}

const json = (value: unknown) => print(jsonText(value));

async function commandInit([directory, ...rest]: readonly string[], values: Values): Promise<number> {
  if (directory === undefined || rest.length > 0) throw usage('init', 'one DIR is expected');
  const missing = ['data', 'label'].filter((name) => values[name] === undefined);
  if (missing.length > 0) throw usage('init', `${missing.map((name) => `--${name}`).join(' and ')} missing`);
  const { task } = values;
  if (task !== undefined && task !== 'classification' && task !== 'regression') {
    throw usage('init', `--task ${task}: classification or regression`);
  }
  const { init } = await import('./init.ts');
  const { data, label, positive, config } = values as Record<string, string>;
  const options = {
    directory,
    data,
    label,
    ...(task !== undefined && { task }),
    ...(positive !== undefined && { positive }),
    ...(config !== undefined && { config }),
    ...numbers('init', values, ['baseline-rows', 'benchmark-rows', 'seed']),
  };
  const made = await init(options as InitOptions);
  if (values.json) return json(made);
  const { summary, warnings, files } = made;
  for (const { column, message } of warnings) print(`⚠ ${column}: ${message}`);
  const { columns, split } = summary;
  print(
    `${summary.rows} rows, ${summary.distinctRows} distinct; ${columns.number} numbers, ${columns.category} categories, ${columns.ignored} ignored columns`,
  );
  print(describeLabel(summary));
  for (const [part, { rows, positives }] of Object.entries(split))
    print(`${part.padEnd(12)} ${rows} rows${positives === undefined ? '' : `, ${positives} positive`}`);
  const { power } = summary;
  print(
    `\n${power ? `${power.text}\n\n` : ''}Wrote ${files.length} files to ${directory}. Next: hokusai run ${files.at(-1)} --chain local`,
  );
  return 0;
}

function describeLabel({ label, positives, perClass }: InitSummary): string {
  if ('low' in label) return `label ${label.name}: a number from ${label.low} to ${label.high}`;
  if ('positive' in label) {
    return `label ${label.name}: positive is ${label.positive} (${positives} rows), negative ${label.negative}`;
  }
  const classes = label.classes.map((name, at) => `${name} (${perClass![at]} rows)`);
  return `label ${label.name}: ${classes.length} classes, ${classes.join(', ')}`;
}

async function commandRun(positionals: readonly string[], values: Values): Promise<number> {
  if (positionals.length > 1) throw usage('run', 'at most one configuration file is expected');
  const chain = values.chain ?? 'none';
  if (chain !== 'local' && chain !== 'none') throw usage('run', `--chain ${chain}: only local runs so far`);
  if (values['dry-run'] && chain === 'local') throw usage('run', '--dry-run and --chain exclude each other');
  const proving = await provingOf(values);
  const { port } = numbers('run', values, ['port']);
  const { openProject } = await import('./run/project.ts');
  const { run } = await import('./run/run.ts');
  const { powerText } = await import('./delta/describe-power.ts');
  // Told once the configuration has said how much is.
  const said: StepEvent[] = [];
  const project = await openProject(positionals[0], {
    cached: !values['no-cache'],
    onEvent: (event) => said.push(event),
  });
  const { config, line } = project;
  const { logLevel, ...machine } = config.resources;
  const progress = new Progress(values.json ? undefined : logLevel);
  for (const event of said) progress.step(event);
  for (const { line: at, path, message } of config.warnings)
    progress.note(`⚠ ${config.file}:${at}: ${path} ${message}`, 'warning');
  progress.note(powerText(config.policy, line.fold.n));
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const { folder, attestation, warnings, integration, mlflow } = await run(project, {
    chain,
    signal: stop.signal,
    onEvent: progress.step,
    onAction: progress.action,
    ...(port !== undefined && { port }),
    proving: { ...machine, workers: config.metaflow.maxWorkers, ...proving },
  });
  for (const warning of warnings) progress.note(`⚠ ${warning}`, 'warning');
  if (values.json) json({ folder, attestation, warnings, integration, mlflow });
  else progress.summary(folder, attestation, { integration, mlflow });
  return attestation.accepted ? 0 : 1;
}

async function commandVerify([path, ...rest]: readonly string[], values: Values): Promise<number> {
  if (path === undefined || rest.length > 0) throw usage('verify', 'one RUN_DIR or attestation.json is expected');
  const { formatVerification, verifyRun } = await import('./verify/verify.ts');
  const verification = await verifyRun(path, typeof values.rpc === 'string' ? { rpc: values.rpc } : {});
  if (values.json) json(verification);
  else print(formatVerification(verification));
  return verification.ok ? 0 : 1;
}

/** What a run is told of how to prove. */
async function provingOf(values: Values): Promise<ProvingOptions> {
  const { prover, provers } = values;
  if (prover !== undefined && prover !== 'snarkjs' && prover !== 'native')
    throw usage('run', `--prover ${prover}: snarkjs or native`);
  const { machinesOf, memory } = await import('./prove/verbs.ts');
  const bytes = values.memory === undefined ? undefined : memory.read(String(values.memory));
  if (values.memory !== undefined && bytes === undefined)
    throw usage('run', `--memory ${values.memory}: ${memory.expected} is expected`);
  const insecure = values['insecure-provers'] === true;
  return {
    ...(prover !== undefined && { prover }),
    ...(bytes !== undefined && { memory: bytes }),
    ...(provers !== undefined && { machines: machinesOf(String(provers), insecure) }),
  };
}

/** Options that are whole numbers, under the names that functions have for them. */
function numbers(command: string, values: Values, names: readonly string[]): Record<string, number> {
  const given = names.filter((name) => values[name] !== undefined);
  const wrong = given.filter((name) => !/^\d{1,9}$/.test(String(values[name])));
  if (wrong.length > 0)
    throw usage(command, `${wrong.map((name) => `--${name} ${values[name]}`).join(', ')}: a whole number is expected`);
  const camel = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(given.map((name) => [camel(name), Number(values[name])]));
}

function usage(command: string, message: string): HokusaiError {
  return new HokusaiError('configuration', 'USAGE', `hokusai ${command}: ${message}.`, {
    next: `See hokusai ${command} --help.`,
  });
}

/** @returns the exit code */
export async function main(parameters: readonly string[]): Promise<number> {
  const [command = '--help', ...rest] = parameters;
  const wantsJson = rest.includes('--json');
  try {
    if (command === '--help' || command === '-h' || command === 'help') return print(USAGE);
    const withVerbs = WITH_VERBS[command];
    if (withVerbs) return await performVerb(command, await withVerbs(), rest, wantsJson);
    const run = COMMANDS[command];
    const all = Object.keys({ ...COMMANDS, ...WITH_VERBS }).join(', ');
    if (!run) throw usage('', `there is no command ${command}; there are ${all}`);
    if (rest.includes('--help') || rest.includes('-h')) return print(HELP[command]!);
    const options = { ...OPTIONS[command as keyof typeof OPTIONS], json: { type: 'boolean' } as const };
    const { values, positionals } = parse(command, rest, options);
    return await run(positionals, values);
  } catch (error) {
    return fail(error, wantsJson);
  }
}

async function performVerb(name: string, command: Command, rest: readonly string[], asJson: boolean): Promise<number> {
  const args = rest.filter((arg) => arg !== '--json');
  const {
    text,
    json: value,
    failed,
  } = await perform(name, command, args, (note) => {
    if (!asJson) process.stderr.write(`${note}\n`);
  });
  const code = asJson ? json(value) : print(text);
  return failed ? EXIT_CODE.terminal : code;
}

function parse(command: string, args: string[], options: NonNullable<Parameters<typeof parseArgs>[0]>['options']) {
  try {
    return parseArgs({ args, options: options!, allowPositionals: true }) as { values: Values; positionals: string[] };
  } catch (error) {
    throw usage(command, (error as Error).message.replace(/\.$/, ''));
  }
}

process.exitCode = await main(process.argv.slice(2));

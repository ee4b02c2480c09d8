import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULTS } from './config/defaults.ts';
import { loadTemplate } from './config/load.ts';
import { MAX_BENCHMARK_ROWS } from './config/policy.ts';
import { configText, FILES_OF_A_PROJECT } from './config/text.ts';
import { describePower, type Power } from './delta/describe-power.ts';
import { HokusaiError } from './errors.ts';
import { labelsOf } from './table/check-table.ts';
import { classesOf, TASKS, type Tally, tally } from './table/label.ts';
import { inferSchema, type Schema, type SchemaWarning } from './table/schema.ts';
import { type Split, splitTable } from './table/split.ts';
import { readCsv, selectRows, type Table, writeCsv } from './table/table.ts';

/** Files of a project; the configuration is the last to appear. */
const FILES = [...Object.values(FILES_OF_A_PROJECT), 'hokusai.yaml'] as const;
/** A class of fewer rows in the whole table is too small to learn from. */
const RARE = 10;
/** Benchmark rows for each round that the benchmark is meant to last. */
const ROWS_PER_ROUND = 200;

const zOptions = z.strictObject({
  /** Does not exist yet, or is empty. */
  directory: z.string().min(1),
  /** CSV file, see {@link readCsv}. */
  data: z.string().min(1),
  /** Name of the label's column. */
  label: z.string().min(1),
  /** Else classification, where the label's values are not numbers that may be either. */
  task: z.enum(TASKS).optional(),
  /** The positive class of two, else as {@link inferSchema} finds it. */
  positive: z.string().min(1).optional(),
  /** Sizes of the parts; for their defaults see {@link splitTable}. */
  baselineRows: z.int().min(2).optional(),
  benchmarkRows: z.int().min(2).max(MAX_BENCHMARK_ROWS).optional(),
  /** Else that of `config`, else {@link DEFAULTS}. */
  seed: z.int().min(0).optional(),
  /** A configuration without files: how the table is split and what it says of all else, see {@link loadTemplate}. */
  config: z.string().min(1).optional(),
});

/** What a project is made of. */
export type InitOptions = { [Key in keyof z.input<typeof zOptions>]: z.input<typeof zOptions>[Key] };

/** Something to look at before running the project. Never holds a value of a row, except of the label. */
export type InitWarning =
  | SchemaWarning
  | { code: 'ROWS_DUPLICATE' | 'ROWS_CONTRADICTORY' | 'CLASS_RARE'; column: string; message: string };

export interface InitSummary extends Tally {
  /** In the file, and of them distinct. */
  rows: number;
  distinctRows: number;
  label: Schema['label'];
  /** Number of columns without the label by what is done with them. */
  columns: { number: number; category: number; ignored: number };
  split: Record<'baseline' | 'contribution' | 'benchmark', { rows: number } & Tally>;
  /** Of the benchmark under the policy that was written; of a regression there is no power calculation. */
  power?: Power;
}

/**
 * Makes a runnable project of a table: schema, baseline, contribution and benchmark (see {@link splitTable}) and a
 * configuration that explains every key. The files hold the columns that are learned from and the label, the others -
 * identifiers, free text - stay behind; cells as they are written in the table, rows in the order of their digests.
 *
 * The same set of rows and the same seed give the same bytes. When it fails, nothing is left behind.
 *
 * @returns absolute paths of the files; warnings; what was made of the table
 * @throws HokusaiError `configuration` INIT_OPTIONS_INVALID, INIT_DIRECTORY_NOT_EMPTY, INIT_DIRECTORY_UNWRITABLE; those
 * of {@link readCsv}, {@link inferSchema} and {@link splitTable}
 */
export async function init(
  options: InitOptions,
): Promise<{ files: string[]; warnings: InitWarning[]; summary: InitSummary }> {
  const { data, label, positive, directory: given, config: file, ...chosen } = parseOptions(options);
  if (file !== undefined && chosen.seed !== undefined)
    throw invalidOptions(['seed: is the configuration’s pipeline.random_seed']);
  const template = file === undefined ? undefined : loadTemplate(file);
  const { task = template?.task, seed = template?.randomSeed ?? DEFAULTS.randomSeed, ...sizes } = chosen;
  const directory = resolve(given);
  refuseOccupied(directory);
  const table = await readCsv(data);
  const { schema, warnings } = inferSchema(table, {
    label,
    ...(task !== undefined && { task }),
    ...(positive !== undefined && { positive }),
  });
  const isRegression = classesOf(schema.label) === 0;
  const learned = withoutIgnored(table, schema);
  const { testSplit: benchmarkShare, stratify } = template ?? {};
  const split = splitTable(learned, schema, {
    ...{ ...sizes, seed, maxBenchmark: MAX_BENCHMARK_ROWS },
    ...(template && { benchmarkShare, stratify }),
  });
  const distinctRows = table.rows - split.duplicates;
  const testSplit = Math.max(1, Math.round((1e4 * split.benchmark.length) / distinctRows)) / 1e4;
  const roundsPerFold = Math.min(Math.max(1, Math.floor(split.benchmark.length / ROWS_PER_ROUND)), 20);
  const policyOfSplit = {
    roundsPerFold,
    minRows: split.benchmark.length,
    minContributionRows: Math.min(DEFAULTS.minContributionRows, split.contribution.length),
  };
  const config = template
    ? template.text({
        pipeline: { random_seed: seed },
        policy: {
          metric: isRegression ? 'mse' : DEFAULTS.metric,
          rounds_per_fold: policyOfSplit.roundsPerFold,
          min_rows: policyOfSplit.minRows,
          min_contribution_rows: policyOfSplit.minContributionRows,
        },
      })
    : configText({
        ...{ name: basename(directory), randomSeed: seed, testSplit, ...policyOfSplit },
        modelType: isRegression ? 'Ridge' : DEFAULTS.modelType,
      });
  const files = publish(directory, (folder) => {
    for (const part of ['baseline', 'contribution', 'benchmark'] as const) {
      writeCsv(join(folder, `${part}.csv`), selectRows(learned, split[part]));
    }
    writeFileSync(join(folder, 'schema.json'), `${JSON.stringify(schema, null, 2)}\n`);
    writeFileSync(join(folder, 'hokusai.yaml'), config);
  });
  const policy = { ...DEFAULTS, roundsPerFold, gate: DEFAULTS };
  const power = isRegression ? {} : { power: describePower({ policy }, split.benchmark.length) };
  const summary = { rows: table.rows, distinctRows, ...describe(learned, schema, split), ...power };
  return { files, warnings: [...warnings, ...warnOf(summary, split)], summary };
}

function parseOptions(options: InitOptions): z.output<typeof zOptions> {
  const parsed = zOptions.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw invalidOptions(problems);
}

const invalidOptions = (problems: string[]): HokusaiError =>
  new HokusaiError('configuration', 'INIT_OPTIONS_INVALID', problems.join('; '), {
    details: { problems },
    next: 'Correct these options; `hokusai init --help` explains them.',
  });

/** Found before the table is read, which may take a while. */
function refuseOccupied(directory: string): void {
  const found = existsSync(directory) ? withDirectory(directory, () => readdirSync(directory)) : [];
  if (found.length === 0) return;
  throw new HokusaiError('configuration', 'INIT_DIRECTORY_NOT_EMPTY', `${directory} is not empty`, {
    details: { directory, files: found.slice(0, 10) },
    next: 'Name a directory that does not exist yet, or empty this one.',
  });
}

/** Runs what touches the directory and says what is wrong with it. */
function withDirectory<T>(directory: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = cause instanceof HokusaiError ? cause.details.reason : (code ?? String(cause));
    throw new HokusaiError('configuration', 'INIT_DIRECTORY_UNWRITABLE', `cannot write to ${directory} (${reason})`, {
      details: { directory, reason },
      next: 'Name a directory that you may write to, on a disk with room.',
    });
  }
}

function withoutIgnored(table: Table, schema: Schema): Table {
  const ignored = new Set(schema.columns.filter(({ type }) => type === 'ignored').map(({ name }) => name));
  return { ...table, columns: table.columns.filter(({ name }) => !ignored.has(name)) };
}

/**
 * Writes a directory in one step: into a new one beside it, which is then renamed. One that is there already and empty,
 * where somebody's shell may be, is filled instead, the configuration last.
 */
function publish(directory: string, write: (folder: string) => void): string[] {
  const undo: (() => void)[] = [];
  const suffix = `.init-${randomUUID()}`;
  const place = (staging: string): void => {
    mkdirSync(staging);
    undo.push(() => rmSync(staging, { recursive: true, force: true }));
    write(staging);
  };
  const fill = (): void => {
    const staging = join(directory, suffix);
    place(staging);
    for (const name of FILES) {
      renameSync(join(staging, name), join(directory, name));
      undo.push(() => rmSync(join(directory, name)));
    }
    rmdirSync(staging);
  };
  const create = (): void => {
    const parent = dirname(directory);
    const made = mkdirSync(parent, { recursive: true });
    if (made !== undefined) undo.push(() => removeFolders(parent, made));
    place(directory + suffix);
    renameSync(directory + suffix, directory);
  };
  try {
    withDirectory(directory, existsSync(directory) ? fill : create);
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
  return FILES.map((name) => join(directory, name));
}

/** Removes an empty folder and the empty ones around it, up to `outermost`. */
function removeFolders(innermost: string, outermost: string): void {
  for (let folder = innermost; folder.length >= outermost.length; folder = dirname(folder)) rmdirSync(folder);
}

function describe(table: Table, schema: Schema, split: Split) {
  const labels = labelsOf(table, schema);
  const classes = classesOf(schema.label);
  const tallied = (rows: number[]) =>
    tally(
      Uint16Array.from(rows, (row) => labels[row]!),
      classes,
    );
  const part = (rows: number[]) => ({ rows: rows.length, ...tallied(rows) });
  const [baseline, contribution, benchmark] = [part(split.baseline), part(split.contribution), part(split.benchmark)];
  const columns = { number: 0, category: 0, ignored: 0 };
  for (const { type } of schema.columns) columns[type]++;
  const all = tallied([...split.baseline, ...split.contribution, ...split.benchmark]);
  return { label: schema.label, ...all, columns, split: { baseline, contribution, benchmark } };
}

function warnOf({ label, positives, perClass, distinctRows }: Omit<InitSummary, 'power'>, split: Split): InitWarning[] {
  const column = label.name;
  const warnings: InitWarning[] = [];
  if (split.duplicates > 0) {
    const message = `${split.duplicates} rows are left out because another row is equal in all that is learned from`;
    warnings.push({ code: 'ROWS_DUPLICATE', column, message });
  }
  if (split.contradictions > 0) {
    const message = `${split.contradictions} pairs of rows differ in the label alone: no model gets both right`;
    warnings.push({ code: 'ROWS_CONTRADICTORY', column, message });
  }
  const counts = positives === undefined ? (perClass ?? []) : [positives, distinctRows - positives];
  const rarer = Math.min(...counts);
  if (rarer < RARE) {
    const message = `one class has ${rarer} distinct rows only: hardly enough to learn from`;
    warnings.push({ code: 'CLASS_RARE', column, message });
  }
  return warnings;
}

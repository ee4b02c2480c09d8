import { readFile } from 'node:fs/promises';
import { HokusaiError } from '../errors.ts';
import { nearestFirst } from '../nearest.ts';
import type { PiiOptions } from '../pii/options.ts';
import type { PiiFinding } from '../pii/scanner.ts';
import { parseSchema, type Schema } from '../table/schema.ts';
import { type Checked, checkRules } from './check-rules.ts';
import type { Database } from './database.ts';
import { compareKeys, type RowForm } from './digests.ts';
import { type Drift, type Misfit, measureDrift, misfits } from './drift.ts';
import { type Duplicates, findDuplicates, findNear } from './duplicates.ts';
import { type InferredRules, inferRules } from './infer-rules.ts';
import { part } from './part.ts';
import { type Scanned, scanPii } from './pii.ts';
import { type Profiled, profile } from './profile.ts';
import { judge, type Quality } from './quality.ts';
import { parseRules, type Rules } from './rules.ts';
import { type ReadOptions, stage } from './stage.ts';

export interface InspectOptions extends ReadOptions {
  /** Rules in YAML; else they are inferred. */
  readonly schema?: string | undefined;
  /** The schema of a model, as `hokusai init` writes it. */
  readonly model?: string | undefined;
  readonly label?: string | undefined;
  /** Tables that the rows must not be in: a head's training set, a benchmark. */
  readonly against?: readonly string[] | undefined;
  /** A table that the columns are compared with. */
  readonly reference?: string | undefined;
  /** Similarity from which on rows are near duplicates; without it they are not looked for. */
  readonly near?: number | undefined;
  readonly pii: PiiOptions;
  readonly onFinding?: (finding: PiiFinding) => void;
}

/** All that is known of a table before anything is done with it. */
export interface Inspection {
  readonly table: Profiled;
  readonly rules: Rules;
  /** Where they were not given. */
  readonly inferred?: InferredRules;
  readonly form: RowForm;
  readonly checked: Checked;
  readonly misfits: readonly Misfit[];
  readonly pii: Scanned;
  readonly duplicates: Duplicates;
  /** A table of the rows that repeat an earlier one. */
  readonly repeated: string;
  readonly drift?: Drift;
  readonly quality: Quality;
}

async function readProfiled(db: Database, path: string, options: ReadOptions = {}): Promise<Profiled> {
  const staged = await part('read', () => stage(db, path, options));
  return part('profile', () => profile(db, staged));
}

/**
 * Reads a table and finds out everything: what its cells are, which rules they break, personal data, duplicates, drift,
 * quality.
 *
 * @throws HokusaiError those of `stage`, `parseRules`, `parseSchema`; `configuration` RULES_COLUMN for a label or ignored
 *   column that is not there
 */
export async function inspect(db: Database, path: string, options: InspectOptions): Promise<Inspection> {
  const given = options.schema === undefined ? undefined : parseRules(await readText(options.schema), options.schema);
  const model = options.model === undefined ? undefined : parseSchema(JSON.parse(await readText(options.model)));
  const table = await readProfiled(db, path, options);
  const label = options.label ?? model?.label.name ?? given?.label;
  const inferred = given ? undefined : await part('rules', () => inferRules(db, table, label));
  const rules = given ?? inferred!.rules;
  const form = formOf(table, rules, model, label);
  const checked = await part('rules', () => checkRules(db, table, rules, inferred));
  const pii = await part('personal data', () => scanPii(db, table, options.pii, options.onFinding));
  const others: Profiled[] = [];
  for (const other of options.against ?? []) others.push(await readProfiled(db, other));
  const keys = await part('duplicates', () => compareKeys(db, [table, ...others], form));
  const compared = [table, ...others].map(({ path: of }, i) => ({ path: of, keys: keys[i]! }));
  const { table: repeated, ...exact } = await part('duplicates', () => findDuplicates(db, table, form, compared));
  const { near: threshold } = options;
  const near =
    threshold === undefined ? undefined : await part('near duplicates', () => findNear(db, table, threshold));
  const duplicates = { ...exact, near };
  const drift =
    options.reference === undefined
      ? undefined
      : await measureDrift(db, table, await readProfiled(db, options.reference));
  const quality = await part('quality', () => judge(db, table, { checked, duplicates, keys: keys[0]!, label, drift }));
  return {
    ...{ table, rules, form, checked, pii, duplicates, repeated, quality },
    misfits: model ? await misfits(db, table, model) : [],
    ...(inferred && { inferred }),
    ...(drift && { drift }),
  };
}

/** A model's schema says which columns tell its rows apart, or else the rules do. */
function formOf(table: Profiled, rules: Rules, model: Schema | undefined, label: string | undefined): RowForm {
  const ignored = model
    ? model.columns.filter(({ type }) => type === 'ignored').map(({ name }) => name)
    : rules.ignored;
  const absent = [...(label === undefined ? [] : [label]), ...(model ? [] : ignored)].find(
    (name) => !table.names.includes(name),
  );
  if (absent === undefined) return { label, ignored };
  const [nearest] = nearestFirst(absent, [...table.names]);
  throw new HokusaiError('configuration', 'RULES_COLUMN', `${table.path} has no column ${absent}`, {
    details: { path: table.path, column: absent, columns: table.names },
    next: `Did you mean ${nearest}?`,
  });
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HokusaiError('configuration', 'SCHEMA_UNREADABLE', `${file} cannot be read: ${error.code}`, {
      details: { file, reason: error.code },
      next: 'Name a file that this user may read.',
    });
  });
}

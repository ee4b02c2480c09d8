/** `hokusai data`: what contributors do with their data. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { BLOB_VERBS } from '../blobs/verbs.ts';

import { LAKE_VERBS } from '../lake/verbs.ts';
import type { PiiOptions } from '../pii/options.ts';
import type { PiiFinding } from '../pii/scanner.ts';
import { secretFile } from '../secrets.ts';
import { type Command, decimal, id, type Parameter, place, required, text, usage, verb, whole } from '../verb.ts';
import { commitData, folderOf } from './commit.ts';
import { Database } from './database.ts';
import { expectations } from './expectations.ts';
import { rulesText } from './infer-rules.ts';
import { type Inspection, type InspectOptions, inspect } from './inspect.ts';
import { proveRow } from './prove-row.ts';
import { rejectedRows, writeQuarantine } from './quarantine.ts';
import { FORMATS } from './source.ts';
import { summarise, summaryText } from './summary.ts';
import { summaryPage } from './summary-html.ts';
import { ENCODINGS } from './text-file.ts';

const oneOf = <Name extends string>(names: readonly Name[]): Parameter<Name | undefined> => ({
  read: (given) => names.find((name) => name === given) as never,
  expected: `one of ${names.join(', ')}`,
});
const paths: Parameter<readonly string[] | undefined> = {
  read: (given) => given.split(',').filter(Boolean),
  expected: 'paths with commas between them',
};

const READING = {
  format: oneOf(FORMATS),
  encoding: oneOf(ENCODINGS),
  delimiter: text,
  schema: text,
  model: text,
  label: text,
  against: paths,
  reference: text,
  near: decimal(0.1, 0.99),
  piiAction: oneOf(['remove', 'hash', 'mask', 'reject', 'keep'] as const),
  piiKey: text,
  threads: whole(1, 256),
  memory: whole(64, 1_000_000),
};
const READING_HELP = `  FILE                 CSV, JSON, NDJSON or Parquet, also packed by gzip or zstd; a directory; or a pattern in quotes
  --format NAME        ${FORMATS.join(', ')} (default: by name and first bytes)
  --encoding NAME      ${ENCODINGS.join(', ')} (default: by its mark, or utf-8)
  --delimiter C        of a CSV file (default: the most frequent of , ; tab | in its header)
  --schema FILE.yaml   rules for the columns (default: inferred)
  --model FILE.json    schema of the model that the data is for, as hokusai init writes it
  --label COLUMN       what is to be predicted
  --against FILE,…     tables that rows must not be in: the head's training set, a benchmark
  --reference FILE     a table that the columns are compared with: PSI, KS
  --near SIMILARITY    looks for near duplicates, too, from that similarity on: 0.8 for example
  --pii-action NAME    remove (default), hash, mask, reject or keep personal data
  --pii-key FILE       the secret for hash (default: made beside the table, or in the file named)
  --threads N          processors to use (default 1); no result depends on it
  --memory MB          what the database may hold in memory (default 300)`;

type Given = {
  readonly [Name in keyof typeof READING]: (typeof READING)[Name] extends Parameter<infer Value> ? Value : never;
};

/** Opens a database, finds out everything about a table, and uses that. */
async function inspecting<T>(
  file: string,
  given: Given,
  { key, onFinding }: { key?: string | undefined; onFinding?: InspectOptions['onFinding'] },
  use: (db: Database, inspection: Inspection) => Promise<T>,
): Promise<T> {
  const keyFile = given.piiKey ?? key;
  const pii: PiiOptions = {
    ...(given.piiAction && { action: given.piiAction }),
    ...(given.piiAction === 'hash' && keyFile && { key: Uint8Array.from(await secretFile(keyFile)) }),
  };
  const db = await Database.open({ threads: given.threads, memoryMB: given.memory });
  try {
    return await use(db, await inspect(db, file, { ...given, pii, ...(onFinding && { onFinding }) }));
  } finally {
    db.close();
  }
}

const check = verb({
  summary: 'what is in a table and what is wrong with it: rules, personal data, duplicates, quality',
  help: `Reads a table of any size and says all that is wrong with it, and in which rows, but no value. Ends with 1 where a
rule is broken.

${READING_HELP}
  --write-schema FILE  writes the rules as YAML, with a confidence and a reason for each column
  --html FILE          the report as a page
  --quarantine FILE    the rejected rows with the reasons of each, as .csv or .parquet
  --expectations FILE  the checks as Great Expectations (1.24) writes a validation's result
  --pii-findings FILE  a line of JSON for each finding: row, column, type, start, end, score

Example: hokusai data check patients.csv --write-schema rules.yaml`,
  takes: {
    file: required(place('FILE', text)),
    ...READING,
    writeSchema: text,
    html: text,
    quarantine: text,
    expectations: text,
    piiFindings: text,
  },
  async perform({ file, ...given }) {
    const findings = given.piiFindings === undefined ? undefined : new FindingsFile(given.piiFindings);
    const onFinding = findings && ((finding: PiiFinding) => findings.add(finding));
    return inspecting(file!, given, { onFinding }, async (db, inspection) => {
      findings?.close();
      const summary = summarise(inspection, given.schema);
      if (given.writeSchema !== undefined) await writeRules(given.writeSchema, inspection);
      if (given.html !== undefined) await writeFile(given.html, summaryPage(summary));
      if (given.expectations !== undefined) {
        await writeFile(given.expectations, `${JSON.stringify(expectations(inspection), null, 2)}\n`);
      }
      if (given.quarantine !== undefined) {
        await writeQuarantine(db, inspection.table, await rejectedRows(db, inspection, undefined), given.quarantine);
      }
      return { text: summaryText(summary), json: { ...summary }, failed: !summary.valid };
    });
  },
});

/** A line of JSON for each finding; there may be as many as cells. */
class FindingsFile {
  readonly #descriptor: number;
  #lines: string[] = [];

  constructor(file: string) {
    this.#descriptor = openSync(file, 'w', 0o600);
  }

  add(finding: PiiFinding): void {
    if (this.#lines.push(`${JSON.stringify(finding)}\n`) === 4096) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    writeSync(this.#descriptor, this.#lines.join(''));
    this.#lines = [];
  }
}

async function writeRules(file: string, { inferred, table }: Inspection): Promise<void> {
  if (!inferred) throw usage('data check', ['--write-schema writes what is inferred, and --schema gives it']);
  await writeFile(file, rulesText(inferred, table));
}

const commit = verb({
  summary: 'clean, commit to and append a table’s rows to a Delta table',
  help: `Removes personal data, leaves out rejected and repeated rows, computes the data root of what remains and appends it
to a Delta table, which is made where there is none. Beside it, in DIR.contribution/, it keeps the secret of the root's
salts, which nobody else may read, and a record of the commit.

${READING_HELP}
  --table DIR          the Delta table
  --max-samples N      of more rows, in each class of the label its share, chosen by digest
  --quarantine FILE    where rejected rows go; without it, any of them is a reason not to commit
  --run ID  --who NAME for the table's history

Example: hokusai data commit patients.csv --table my-data --label recovered`,
  takes: {
    file: required(place('FILE', text)),
    table: required(text),
    ...READING,
    maxSamples: whole(1, 999_999_999),
    quarantine: text,
    run: text,
    who: text,
  },
  async perform({ file, table, maxSamples, quarantine, run, who, ...given }) {
    const key = `${folderOf(table!)}/pii-key.hex`;
    return inspecting(file!, given, { key }, async (db, inspection) => {
      const author = { ...(run !== undefined && { run }), ...(who !== undefined && { who }) };
      const done = await commitData(db, table!, inspection, { maxSamples, quarantine, ...author });
      const text = `${done.rows} of ${done.read} rows committed to in version ${done.version} of ${table}
  rejected or repeated ${done.rejected}, left out by sampling ${done.sampledOut}
  quality   ${inspection.quality.score} of 100
  dataRoot  ${done.dataRoot}
  secret    in ${done.folder}: keep it, and show it to nobody`;
      return { text, json: { ...done, table, quality: inspection.quality } };
    });
  },
});

const prove = verb({
  summary: 'a proof that a row is in a commit, which shows nothing of the others',
  help: `Opens one leaf of the tree behind a data root, here, where the table and its secret are.

  --version N          of the table, as data commit has printed it
  --row N              of the rows that it added, in their order, from 1; or
  --digest 0x…         the row's digest

Example: hokusai data prove my-data --version 0 --row 17`,
  takes: {
    table: required(place('TABLE', text)),
    version: required(whole(0, 999_999_999)),
    row: whole(1, 999_999_999),
    digest: id,
  },
  async perform({ table, version, row, digest }) {
    const which = digest ?? row;
    if (which === undefined || (digest !== undefined && row !== undefined))
      throw usage('data prove', ['expected either --row or --digest']);
    const db = await Database.open();
    try {
      const proof = await proveRow(db, table!, version!, which);
      const text = Object.entries({ ...proof, proof: proof.proof.join('\n              ') || '(none: the only row)' })
        .map(([name, value]) => `${name.padEnd(14)}${value}`)
        .join('\n');
      return { text, json: { ...proof } };
    } finally {
      db.close();
    }
  },
});

export const DATA: Command = {
  about:
    'Data: what is in it, what is wrong with it, and its versions in Delta Lake tables, and files sealed for others. All take --json.',
  verbs: { check, commit, prove, ...LAKE_VERBS, ...BLOB_VERBS },
};

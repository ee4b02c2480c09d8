/** What `hokusai data` does with the versions of a table. */
import { userInfo } from 'node:os';
import type { Json } from '@duckdb/node-api';
import { type Answer, flag, type Parameter, place, required, text, usage, type Verb, verb, whole } from '../verb.ts';
import { changesOf, countChanges } from './changes.ts';
import { withDuck } from './duck.ts';
import { history } from './history.ts';
import { openStore } from './open-store.ts';
import { restore } from './restore.ts';
import { FILE, rowsOf } from './rows.ts';
import { type At, readSnapshot } from './snapshot.ts';
import { LOCAL_SCRATCH } from './store.ts';
import { vacuum } from './vacuum.ts';

const TABLE = required(place('TABLE', text));
const VERSION = whole(0, 999_999_999);
const LIMIT = whole(0, 1_000_000);
/** Milliseconds since 1970. */
const TIME: Parameter<number | undefined> = {
  // Without a zone a time would mean another one on another machine.
  read: (given) =>
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(given) &&
    !Number.isNaN(Date.parse(given))
      ? Date.parse(given)
      : undefined,
  expected: 'a time with its zone, such as 2026-01-31T12:00:00Z, or a day in UTC',
};
const AT = { version: VERSION, timestamp: TIME };
const AT_HELP = `  --version N          by number, or
  --timestamp TIME     the last one at a time such as 2026-01-31T12:00:00Z`;
const WHO = { who: text, run: text };
const WHO_HELP = `  --who NAME           who does it, for the history (default: the user of this process)
  --run ID             the run that it belongs to`;
/** How many rows are shown if it is not said. */
const SHOWN = 20;

const log = verb({
  summary: 'the versions of a table: when, what, how many rows, by whom',
  help: `The latest version first.

  --limit N            so many at most

Example: hokusai data log my-table`,
  takes: { table: TABLE, limit: LIMIT },
  async perform({ table, limit }) {
    const versions = (await history(openStore(table))).slice(0, limit);
    const rows = versions.map(({ version, time, operation, rows, who, run, step }) => [
      version,
      time,
      operation,
      rows,
      who,
      run,
      step,
    ]);
    return {
      text: tableText(['version', 'time', 'operation', 'rows', 'who', 'run', 'step'], rows),
      json: { versions },
    };
  },
});

const diff = verb({
  summary: 'what has changed between two versions',
  help: `Counts the rows that were inserted, updated and deleted after one version, up to another, and shows some of them.

  --from N             the older version (default: the one before the newer)
  --to N               the newer version (default: the latest)
  --limit N            rows shown (default ${SHOWN}); --json has none unless it is given

Example: hokusai data diff my-table --from 3 --to 5`,
  takes: { table: TABLE, from: VERSION, to: VERSION, limit: LIMIT },
  async perform({ table, from, to, limit }) {
    const store = openStore(table);
    const newer = to ?? (await readSnapshot(store)).version;
    const older = from ?? newer - 1;
    if (older > newer) throw usage('data diff', [`--from ${older} is later than --to ${newer}`]);
    const query = await changesOf(store, older, newer);
    return withDuck(LOCAL_SCRATCH, async (duck) => {
      const counts = await countChanges(duck, query);
      const columns = [...(await duck.columns(query)).keys()];
      const rows = await duck.rows(`SELECT * FROM (${query}) LIMIT ${limit ?? SHOWN}`);
      const { inserted, updated, deleted } = counts;
      const summary = `${older} to ${newer}: ${inserted} inserted, ${updated} updated, ${deleted} deleted`;
      return {
        text: rows.length > 0 ? `${summary}\n\n${tableText(columns, rows)}` : summary,
        json: { from: older, to: newer, ...counts, ...(limit !== undefined && { rows: records(columns, rows) }) },
      };
    });
  },
});

const show = verb({
  summary: 'the rows of a version',
  help: `The latest version, unless another is asked for.

${AT_HELP}
  --limit N            rows shown (default ${SHOWN})

Example: hokusai data show my-table --version 3`,
  takes: { table: TABLE, ...AT, limit: LIMIT },
  async perform({ table, limit = SHOWN, ...at }) {
    const store = openStore(table);
    const snapshot = await readSnapshot(store, exactlyOne('show', at, false));
    const query = await rowsOf(store, snapshot, snapshot.files.values());
    return withDuck(LOCAL_SCRATCH, async (duck) => {
      const [[total]] = (await duck.rows(`SELECT count(*)::DOUBLE FROM (${query})`)) as [[number]];
      const rows = await duck.rows(`SELECT * EXCLUDE (${FILE}) FROM (${query}) LIMIT ${limit}`);
      const columns = snapshot.schema.map(({ name }) => name);
      const time = new Date(snapshot.time).toISOString();
      const { version } = snapshot;
      return {
        text: `version ${version} of ${time}: ${total} rows\n\n${tableText(columns, rows)}`,
        json: { version, time, total, rows: records(columns, rows) },
      };
    });
  },
});

const restored = verb({
  summary: 'make a new version that equals an old one',
  help: `The versions between stay in the history, and can be restored, too.

${AT_HELP}
${WHO_HELP}

Example: hokusai data restore my-table --version 3`,
  takes: { table: TABLE, ...AT, ...WHO },
  async perform({ table, who, run, ...at }) {
    const { version } = await restore(openStore(table), exactlyOne('restore', at, true), author('restore', who, run));
    return { text: `version ${version} is what was asked for.`, json: { version } };
  },
});

const vacuumed = verb({
  summary: 'take away files that only old versions need',
  help: `Versions that were the latest one before the retention cannot be read or restored afterwards; the history stays. Files
that no version names are kept for a day at least, as they may be of a writer at work.

  --retain HOURS       the retention (default: that of the table, a week if it does not say)
  --dry-run            only says which files
${WHO_HELP}

Example: hokusai data vacuum my-table --retain 24 --dry-run`,
  takes: { table: TABLE, retain: whole(0, 1_000_000), dryRun: flag, ...WHO },
  async perform({ table, retain: hours, dryRun, who, run }): Promise<Answer> {
    const result = await vacuum(openStore(table), { hours, dryRun }, author('vacuum', who, run));
    const { files, bytes, retentionHours } = result;
    const says = `${files.length} files of ${bytes} bytes ${dryRun ? 'would be' : 'are'} gone; kept for ${retentionHours} hours.`;
    return { text: [...(dryRun ? files : []), says].join('\n'), json: { ...result, dryRun: dryRun ?? false } };
  },
});

/** The verbs of `hokusai data` for tables. */
export const LAKE_VERBS: Readonly<Record<string, Verb>> = { log, diff, show, restore: restored, vacuum: vacuumed };

function exactlyOne(name: string, at: At, needed: boolean): At {
  const given = [at.version, at.timestamp].filter((each) => each !== undefined).length;
  if (given > 1) throw usage(`data ${name}`, ['--version and --timestamp exclude each other']);
  if (given === 0 && needed) throw usage(`data ${name}`, ['--version or --timestamp is missing']);
  return at;
}

const author = (step: string, who = user(), run?: string) => ({ who, step, ...(run && { run }) });

/** The user's name, or number where the system has no name for it, as in a container. */
function user(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

const records = (columns: readonly string[], rows: readonly Json[][]) =>
  rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));

/** Widest cell. */
const CELL = 40;

/** Rows for people, without characters that a terminal would obey. */
function tableText(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cell = (value: unknown) => {
    const plain =
      value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    const shown = plain.replaceAll(/\p{C}/gu, '·');
    return shown.length > CELL ? `${shown.slice(0, CELL - 1)}…` : shown;
  };
  const lines = [columns, ...rows].map((row) => row.map(cell));
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
  return lines
    .map((line) =>
      line
        .map((text, at) => text.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

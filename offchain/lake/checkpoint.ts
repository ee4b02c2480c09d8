/** Checkpoints: all that a version comes to in one Parquet file, so that readers need not begin with version 0. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Action } from './actions.ts';
import { sqlFile, withDuck } from './duck.ts';
import { checkpointPath, LAST_CHECKPOINT, parseAction, torn } from './log.ts';
import { literal } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import { LOCAL_SCRATCH, type Store } from './store.ts';

const TEXTS = 'MAP(VARCHAR, VARCHAR)';
/** The columns of a checkpoint, as the protocol has them. */
const COLUMNS = {
  protocol: 'minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures VARCHAR[]',
  metaData: `id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options ${TEXTS}), schemaString VARCHAR, partitionColumns VARCHAR[], configuration ${TEXTS}, createdTime BIGINT`,
  txn: 'appId VARCHAR, version BIGINT, lastUpdated BIGINT',
  add: `path VARCHAR, partitionValues ${TEXTS}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR, tags ${TEXTS}`,
  remove: `path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, partitionValues ${TEXTS}, size BIGINT`,
} as const;

/**
 * The actions of a checkpoint.
 *
 * @throws HokusaiError LAKE_LOG_TORN (terminal)
 */
export async function readCheckpoint(store: Store, version: number): Promise<Action[]> {
  const path = checkpointPath(version);
  const { file } = await store.localFile(path);
  const rows = await withDuck(LOCAL_SCRATCH, async (duck) => {
    const from = `read_parquet(${sqlFile(file)}, hive_partitioning = false)`;
    const columns = [...(await duck.columns(`SELECT * FROM ${from}`)).keys()].filter((name) => name in COLUMNS);
    return duck.rows(`SELECT ${columns.map((name) => `to_json({${name}: ${name}})`)} FROM ${from}`);
  }).catch((error) => {
    if (error.code !== 'LAKE_UNREADABLE') throw error;
    throw torn(store, path, version, 'is no whole Parquet file');
  });
  return rows.flat().flatMap((json) => {
    if (/^\{"\w+":null\}$/.test(json as string)) return [];
    const action = parseAction(json as string);
    if (typeof action === 'string') throw torn(store, path, version, `is broken: ${action}`);
    return [action];
  });
}

/** Writes the checkpoint of a snapshot, and says in `_last_checkpoint` that it is there. */
export async function writeCheckpoint(store: Store, snapshot: Snapshot, forget: number): Promise<void> {
  const { protocol, metaData, files, removed, transactions, version } = snapshot;
  const actions: Action[] = [
    { protocol },
    { metaData },
    ...[...transactions.values()].map((txn) => ({ txn })),
    ...[...files.values()].map((add) => ({ add: { ...add, dataChange: false } })),
    ...[...removed.values()]
      .filter(({ deletionTimestamp }) => (deletionTimestamp ?? 0) > forget)
      .map((remove) => ({ remove: { ...remove, dataChange: false } })),
  ];
  const path = checkpointPath(version);
  await withDuck(store.scratch, async (duck) => {
    const lines = join(duck.folder, 'actions.ndjson');
    const file = join(duck.folder, 'checkpoint.parquet');
    const texts = actions.map((action) => `${JSON.stringify(action)}\n`);
    await writeFile(lines, texts.join(''));
    // DuckDB sets aside memory for the longest line.
    const longest = texts.reduce((most, text) => Math.max(most, Buffer.byteLength(text)), 1 << 20);
    const columns = Object.entries(COLUMNS).map(([name, fields]) => `${name}: 'STRUCT(${fields})'`);
    await duck.run(
      `COPY (SELECT * FROM read_json(${sqlFile(lines)}, format = 'newline_delimited', maximum_object_size = ${longest},
        columns = {${columns.join(', ')}})) TO ${literal(file)} (FORMAT parquet)`,
    );
    await store.putFile(path, file);
  });
  await store.put(LAST_CHECKPOINT, Buffer.from(JSON.stringify({ version, size: actions.length })));
}

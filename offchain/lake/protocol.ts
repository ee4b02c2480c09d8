/** Which features of Delta Lake are read and written, and which are refused, lest a table be misread or broken. */
import { HokusaiError } from '../errors.ts';
import type { Add, MetaData, Protocol } from './actions.ts';
import { type Field, parseSchema } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import type { Store } from './store.ts';

/** Where a table says that readers need a feature that is read here. */
const READS = ['timestampNtz', 'vacuumProtocolCheck', 'columnMapping'];
/** What the versions before named features imply; those that a table does not use are no hindrance. */
const WRITES = [
  ...READS,
  'appendOnly',
  'invariants',
  'checkConstraints',
  'changeDataFeed',
  'generatedColumns',
  'identityColumns',
  'inCommitTimestamp',
];

export const CHANGE_FEED = 'delta.enableChangeDataFeed';
export const COMMIT_TIMES = 'delta.enableInCommitTimestamps';
const APPEND_ONLY = 'delta.appendOnly';
const MAPPING = 'delta.columnMapping.mode';

/** Whether a property of the table is on. */
export const isOn = ({ configuration }: MetaData, property: string): boolean => configuration[property] === 'true';

/** The protocol of a table of ours: (3, 7), whose features are named one by one. */
export function protocolOf(schema: readonly Field[]): Protocol {
  const readerFeatures = JSON.stringify(schema).includes('"timestamp_ntz"') ? ['timestampNtz'] : [];
  const writerFeatures = [...readerFeatures, 'appendOnly', 'changeDataFeed', 'inCommitTimestamp'];
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures, writerFeatures };
}

/**
 * Refuses what would be misread.
 *
 * @throws HokusaiError LAKE_FEATURE (configuration) with all features that are not read
 */
export function requireReadable(store: Store, protocol: Protocol, metaData: MetaData, files: Iterable<Add>): void {
  const { minReaderVersion, readerFeatures } = protocol;
  const lacking = (readerFeatures ?? []).filter((feature) => !READS.includes(feature));
  if (minReaderVersion > 3) lacking.push(`reader version ${minReaderVersion}`);
  if ((metaData.configuration[MAPPING] ?? 'none') !== 'none') lacking.push('columnMapping');
  if (!parseSchema(metaData.schemaString)) lacking.push('types of columns that are not known');
  for (const { deletionVector } of files) {
    if (deletionVector && !lacking.includes('deletionVectors')) lacking.push('deletionVectors');
  }
  if (lacking.length > 0) throw refused(store, 'read', lacking);
}

/**
 * Refuses what would break the table.
 *
 * @throws HokusaiError LAKE_FEATURE (configuration) with all features that are not written
 */
export function requireWritable(store: Store, { protocol, metaData, schema }: Snapshot): void {
  const { minWriterVersion, writerFeatures } = protocol;
  const lacking = (writerFeatures ?? []).filter((feature) => !WRITES.includes(feature));
  if (minWriterVersion > 7) lacking.push(`writer version ${minWriterVersion}`);
  if (metaData.partitionColumns.length > 0) lacking.push('partitions');
  for (const key of Object.keys(metaData.configuration)) {
    if (key.startsWith('delta.constraints.')) lacking.push(key);
  }
  for (const { name, metadata } of schema) {
    for (const key of Object.keys(metadata)) {
      if (/^delta\.(invariants|generationExpression|identity\.)/.test(key)) lacking.push(`${key} of ${name}`);
    }
  }
  if (lacking.length > 0) throw refused(store, 'written', lacking);
}

/** @throws HokusaiError LAKE_APPEND_ONLY (configuration) where no rows may be taken away */
export function requireRemovable(store: Store, { metaData }: Snapshot): void {
  if (!isOn(metaData, APPEND_ONLY)) return;
  throw new HokusaiError('configuration', 'LAKE_APPEND_ONLY', `${store.location} only takes more rows.`, {
    details: { location: store.location },
    next: `Append, or have the property ${APPEND_ONLY} of the table set to false.`,
  });
}

const refused = (store: Store, how: 'read' | 'written', features: string[]) =>
  new HokusaiError(
    'configuration',
    'LAKE_FEATURE',
    `${store.location} uses what is not ${how} here: ${features.join(', ')}.`,
    {
      details: { location: store.location, features },
      next: 'Rewrite it without these with the engine that made it.',
    },
  );

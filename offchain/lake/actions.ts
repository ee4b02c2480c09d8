/**
 * What a commit of Delta Lake says, checked where it is read
 * (github.com/delta-io/delta/blob/master/PROTOCOL.md, "Actions"). Fields that the protocol adds later are left out.
 */
import { z } from 'zod';

const whole = z.int().nonnegative();
const texts = z.record(z.string(), z.string());
const partitionValues = z.record(z.string(), z.string().nullable());

const zAdd = z.object({
  /** Relative to the table, percent-encoded. */
  path: z.string().min(1),
  partitionValues,
  /** In bytes, exactly: readers look for the footer there. */
  size: whole,
  modificationTime: z.int(),
  /** false where rows were only moved between files. */
  dataChange: z.boolean(),
  /** JSON: numRecords, minValues, maxValues, nullCount. */
  stats: z.string().nullish(),
  tags: z.record(z.string(), z.string().nullable()).nullish(),
  deletionVector: z.unknown().optional(),
});
const zRemove = z.object({
  path: z.string().min(1),
  deletionTimestamp: z.int().nullish(),
  dataChange: z.boolean(),
  extendedFileMetadata: z.boolean().nullish(),
  partitionValues: partitionValues.nullish(),
  size: whole.nullish(),
  stats: z.string().nullish(),
  deletionVector: z.unknown().optional(),
});
const zCdc = z.object({ path: z.string().min(1), partitionValues, size: whole, dataChange: z.boolean() });
const zMetaData = z.object({
  id: z.string(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  format: z.object({ provider: z.literal('parquet'), options: texts.nullish() }),
  /** JSON: a struct type, see schema.ts. */
  schemaString: z.string(),
  partitionColumns: z.array(z.string()),
  configuration: texts.nullish().transform((given) => given ?? {}),
  createdTime: z.int().nullish(),
});
const zProtocol = z.object({
  minReaderVersion: whole,
  minWriterVersion: whole,
  readerFeatures: z.array(z.string()).nullish(),
  writerFeatures: z.array(z.string()).nullish(),
});
const zTxn = z.object({ appId: z.string(), version: whole, lastUpdated: z.int().nullish() });
/** Free in the protocol, so everything is kept; this is what is relied upon. */
const zCommitInfo = z.looseObject({
  timestamp: z.int().nullish(),
  inCommitTimestamp: z.int().nullish(),
  /** How many actions the commit has; in commits of ours. */
  actions: whole.optional(),
  operation: z.string().nullish(),
  operationParameters: z.record(z.string(), z.unknown()).nullish(),
  operationMetrics: z.record(z.string(), z.unknown()).nullish(),
});

const actions = {
  add: zAdd,
  remove: zRemove,
  cdc: zCdc,
  metaData: zMetaData,
  protocol: zProtocol,
  txn: zTxn,
  commitInfo: zCommitInfo,
  /** Of features that are refused to writers and mean nothing to readers. */
  domainMetadata: z.unknown(),
  checkpointMetadata: z.unknown(),
} as const;

/** One action: exactly one of these keys. */
export const zAction = z
  .strictObject(actions)
  .partial()
  .refine((action) => Object.keys(action).length === 1, 'expected one action');

export type Action = z.infer<typeof zAction>;
export type Add = z.infer<typeof zAdd>;
export type Remove = z.infer<typeof zRemove>;
export type Cdc = z.infer<typeof zCdc>;
export type MetaData = z.infer<typeof zMetaData>;
export type Protocol = z.infer<typeof zProtocol>;
export type Txn = z.infer<typeof zTxn>;
export type CommitInfo = z.infer<typeof zCommitInfo>;

/** Who wrote something, and in which step of which run: kept in the history. */
export interface Author {
  readonly run?: string;
  readonly step?: string;
  readonly who?: string;
}

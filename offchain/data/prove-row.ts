import { readFile } from 'node:fs/promises';
import { bytesToHex, type Hex } from 'viem';
import { HokusaiError } from '../errors.ts';
import { readCommits } from '../lake/log.ts';
import { openStore } from '../lake/open-store.ts';
import { storedPath } from '../lake/rows.ts';
import { readSecret } from '../secrets.ts';
import { packedProof, type RowProof } from '../table/data-root.ts';
import { type Hashes, hashAt } from '../table/rows-tree.ts';
import { type CommitRecord, recordOf, secretOf } from './commit.ts';
import type { Database } from './database.ts';
import { digestRows, packDigests } from './digests.ts';
import { type Profiled, profile } from './profile.ts';
import { stage } from './stage.ts';

/** Shows that a row is in a contribution, and nothing of the others. */
export interface MembershipProof extends RowProof {
  readonly version: number;
  readonly dataRoot: Hex;
  readonly featuresRoot: Hex;
  readonly rows: number;
  readonly digest: Hex;
}

/**
 * Proves that a row is under the root of the commit that made a version of a table; where that table and its secret are.
 *
 * @param row of the rows that the commit added, in their order, from 1; or its digest
 * @throws HokusaiError `configuration`: RECORD_MISSING, ROW_UNKNOWN; `terminal` ROOT_MISMATCH
 */
export async function proveRow(
  db: Database,
  location: string,
  version: number,
  row: number | Hex,
): Promise<MembershipProof> {
  const record = await readRecord(location, version);
  const table = await addedRows(db, location, version);
  const digests = await digestRows(db, table, record);
  const packed = packDigests(digests.whole, digests.rows);
  const digest = typeof row === 'string' ? row : digestOf(packed, row);
  const secret = await readSecret(secretOf(location));
  let proof: RowProof;
  try {
    proof = packedProof(packed, secret, digest);
  } catch (error) {
    if (error instanceof RangeError) throw unknownRow(location, version, row, table.rows);
    throw error;
  }
  if (proof.root !== record.rowsRoot) {
    throw new HokusaiError(
      'terminal',
      'ROOT_MISMATCH',
      `The rows of version ${version} are not those that were committed to`,
      {
        details: { version, expected: record.rowsRoot, found: proof.root },
        next: 'Restore the table, or its secret, from a copy.',
      },
    );
  }
  const { dataRoot, featuresRoot, rows } = record;
  return { version, dataRoot, featuresRoot, rows, digest, ...proof };
}

async function readRecord(location: string, version: number): Promise<CommitRecord> {
  const file = recordOf(location, version);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HokusaiError('configuration', 'RECORD_MISSING', `${file} cannot be read: ${error.code}`, {
      details: { file, reason: error.code },
      next: 'Name a version that hokusai data commit has made.',
    });
  });
  return JSON.parse(text) as CommitRecord;
}

async function addedRows(db: Database, location: string, version: number): Promise<Profiled> {
  const store = openStore(location);
  const [[, actions] = [version, []]] = await readCommits(store, [version]);
  const [path] = actions.flatMap((action) => ('add' in action && action.add ? [action.add.path] : []));
  if (path === undefined) throw unknownRow(location, version, 1, 0);
  const { file } = await store.localFile(storedPath(store, path));
  return profile(db, await stage(db, file, { format: 'parquet' }));
}

/** Of a row, from 1; no digest where there is no such row. */
const digestOf = (digests: Hashes, row: number): Hex =>
  row > digests.length / 8 ? '0x' : bytesToHex(hashAt(digests, row - 1));

function unknownRow(location: string, version: number, row: number | Hex, rows: number): HokusaiError {
  return new HokusaiError(
    'configuration',
    'ROW_UNKNOWN',
    `Version ${version} of ${location} has added no row ${row}, but ${rows} rows`,
    {
      details: { location, version, row, rows },
      next: 'Count its rows from 1, or give the digest of one.',
    },
  );
}

/** Finds a row that a contribution shares with the benchmark, by who was given both, and opens it in both trees. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import type { ChainClient } from '../chain/connect.ts';
import { type Overlap, round } from '../chain/round.ts';
import { view } from '../chain/send.ts';
import type { Config } from '../config/load.ts';
import { HokusaiError } from '../errors.ts';
import { unseal } from '../seal.ts';
import { readSecret } from '../secrets.ts';
import { checkTable } from '../table/check-table.ts';
import { rowDigests, rowProof, rowsRoot } from '../table/data-root.ts';
import type { Schema } from '../table/schema.ts';
import { readCsv, type Table } from '../table/table.ts';
import { validate } from '../table/validate.ts';
import { decryptWith, readIdentity } from '../validator/recipient.ts';
import { readSchema } from './commit.ts';

/** Files of a validator. */
export interface Held {
  /** The contribution as it was delivered, its key, and who can decrypt that. */
  readonly sealed: string;
  readonly key: string;
  readonly identity: string;
  /** The owner's benchmarkSecret; that of the output directory unless named. */
  readonly secret?: string | undefined;
}

/** What `proveOverlap` takes, and what is at stake. */
export interface Found {
  readonly overlap: Overlap;
  /** How many rows are in both. */
  readonly rows: number;
  /** wei */
  readonly bond: bigint;
}

/**
 * @throws HokusaiError `OVERLAP_OTHER_DATA`, `OVERLAP_OTHER_BENCHMARK` (configuration) for files that are not the round's;
 *   `OVERLAP_NONE` (terminal); and what opening and reading them throws
 */
export async function findOverlap(client: ChainClient, roundId: Hex, config: Config, held: Held): Promise<Found> {
  const { dataRoot, foldId, bond } = await round(client, roundId);
  const schema = await readSchema(config.data.schema);
  const { table, contributionSecret } = await opened(held);
  const validation = validate(table, schema, contributionSecret);
  if (validation.status !== 'VALID' || validation.dataRoot !== dataRoot) {
    throw otherThan(
      'DATA',
      `${held.sealed} is not the contribution of round ${roundId}`,
      'sealed file, key and schema',
    );
  }
  const benchmarkSecret = await readSecret(held.secret ?? join(config.output.directory, 'secrets', 'benchmark.hex'));
  const sealed = await benchmarkDigests(config.data.benchmark, schema);
  const { rowsRoot: expected } = await view(client, {
    contract: 'modelRegistry',
    functionName: 'fold',
    args: [foldId],
  });
  if (rowsRoot(sealed, benchmarkSecret) !== expected) {
    const message = `${config.data.benchmark} and its secret are not those of the fold ${foldId}`;
    throw otherThan('BENCHMARK', message, 'benchmark and secret');
  }
  const features = rowDigests(table, schema, 'features');
  const shared = [...new Set(features)].filter((digest) => sealed.has(digest));
  const [digest] = shared;
  if (digest === undefined) {
    throw new HokusaiError('terminal', 'OVERLAP_NONE', 'No row of the contribution is in the benchmark.', {
      details: { roundId },
      next: 'There is nothing to show: the round goes on.',
    });
  }
  const ours = rowProof(features, contributionSecret, digest);
  const theirs = rowProof(sealed, benchmarkSecret, digest);
  const overlap = {
    rowsRoot: rowsRoot(rowDigests(table, schema, 'row'), contributionSecret),
    featuresRoot: ours.root,
    digest,
    contributionSalt: ours.salt,
    contributionProof: ours.proof,
    benchmarkSalt: theirs.salt,
    benchmarkProof: theirs.proof,
  };
  return { overlap, rows: shared.length, bond };
}

/** The contribution in memory; its file is gone again before this returns. */
async function opened({ sealed, key, identity }: Held): Promise<{ table: Table; contributionSecret: Uint8Array }> {
  const dataKey = await decryptWith(await readIdentity(identity), await readGiven(key));
  const { data, contributionSecret } = await unseal(await readGiven(sealed), dataKey);
  const folder = await mkdtemp(join(tmpdir(), 'hokusai-overlap-'));
  try {
    const file = join(folder, 'contribution.csv');
    await writeFile(file, data, { mode: 0o600 });
    return { table: await readCsv(file), contributionSecret };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const readGiven = (file: string): Promise<Uint8Array> =>
  readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new HokusaiError('configuration', 'DELIVERY_MISSING', `${file} cannot be read: ${error.code}.`, {
      details: { file, reason: error.code },
      next: 'Name the two files that `hokusai contribute deliver` handed over.',
    });
  });

/** Empty where the file does not fit the schema, which makes it another benchmark than the round's. */
async function benchmarkDigests(file: string, schema: Schema): Promise<Set<Hex>> {
  const table = await readCsv(file);
  return new Set(checkTable(table, schema).length > 0 ? [] : rowDigests(table, schema, 'features'));
}

const otherThan = (what: 'DATA' | 'BENCHMARK', message: string, given: string) =>
  new HokusaiError('configuration', `OVERLAP_OTHER_${what}`, `${message}.`, {
    details: { message },
    next: `Name the ${given} of the round.`,
  });

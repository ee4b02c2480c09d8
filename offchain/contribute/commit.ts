/** Checks and seals a contribution, keeps what opens it, and only then commits to it. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, bytesToHex, type Hex } from 'viem';
import type { ChainClient, Sender } from '../chain/connect.ts';
import { type Contribution, commit, commitmentOf, model, policy, round } from '../chain/round.ts';
import type { Sent } from '../chain/send.ts';
import type { State } from '../chain/vote.ts';
import type { Config } from '../config/load.ts';
import { HokusaiError } from '../errors.ts';
import { type Payee, payeesTree } from '../payees.ts';
import { type Offered, offer } from '../run/project.ts';
import { ciphertextHash, seal } from '../seal.ts';
import { secretFile } from '../secrets.ts';
import { parseSchema, type Schema } from '../table/schema.ts';
import { writeWhole } from '../write-whole.ts';
import {
  type ContributionRecord,
  RECORD,
  readRecord,
  requireSameChain,
  SEALED,
  SECRETS,
  writeRecord,
} from './record.ts';

/** What is to be committed. */
export interface Given {
  readonly config: Config;
  readonly modelId: Hex;
  readonly contributor: Address;
  readonly payees: readonly Payee[];
  /** Where it is kept; from what it is unless named. */
  readonly folder?: string | undefined;
}

export interface Committed {
  readonly folder: string;
  readonly record: ContributionRecord;
  /** wei */
  readonly deposit: bigint;
  /** Of the round before: NONE unless it was committed earlier. */
  readonly state: State;
  readonly sent?: Sent<Hex>;
}

interface Terms {
  readonly policyHash: Hex;
  readonly benchmarkId: Hex;
  readonly minContributionRows: number;
  readonly deposit: bigint;
}

/** What the model promises now, and asks for. */
async function termsOf(client: ChainClient, modelId: Hex): Promise<Terms> {
  const { policyHash, benchmarkId } = await model(client, modelId);
  const { minContributionRows, bond, evaluationFee } = await policy(client, policyHash);
  return { policyHash, benchmarkId, minContributionRows, deposit: bond + evaluationFee };
}

/** @throws HokusaiError (configuration) `SCHEMA_UNREADABLE`, and what `parseSchema` throws */
export async function readSchema(file: string): Promise<Schema> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'it is no JSON';
    throw new HokusaiError('configuration', 'SCHEMA_UNREADABLE', `The schema ${file} cannot be read: ${reason}.`, {
      details: { file, reason },
      next: 'Take the schema.json that the model’s owner published, and name it in data.schema.',
    });
  }
  return parseSchema(content as Parameters<typeof parseSchema>[0]);
}

/** Reads the contribution's file and checks it as `hokusai run` does. */
export async function check(config: Config, contributionSecret: Uint8Array): Promise<Offered> {
  const schema = await readSchema(config.data.schema);
  return offer({ line: { schema }, secrets: { contributionSecret } }, 'contribution', config.data.contribution);
}

/**
 * Commits to a contribution; given again, it goes on where it stopped.
 *
 * @param dryRun writes nothing either: secrets, seal and record are made for this once
 */
export async function commitContribution(client: Sender, given: Given, dryRun: boolean): Promise<Committed> {
  const terms = await termsOf(client, given.modelId);
  const folder = given.folder ?? (await defaultFolder(given, terms));
  const kept = existsSync(join(folder, RECORD));
  const record = kept
    ? await resumed(client, given, folder)
    : await prepared(client, given, terms, dryRun ? undefined : folder);
  const { contribution, roundId } = record;
  const { state } = await round(client, roundId);
  const { bond, evaluationFee } = await policy(client, contribution.policyHash);
  const committed = { folder, record, deposit: bond + evaluationFee, state };
  if (state !== 'NONE') return committed;
  return { ...committed, sent: await commit(client, contribution, committed.deposit) };
}

/** The same data under the same terms is the same contribution, and is kept in the same place. */
async function defaultFolder({ config, modelId, contributor, payees }: Given, terms: Terms): Promise<string> {
  const data = await readFile(config.data.contribution);
  const { payeesRoot } = payeesTree(payees);
  const name = createHash('sha256')
    .update([modelId, terms.policyHash, terms.benchmarkId, contributor, payeesRoot].join(' '))
    .update(data)
    .digest('hex');
  return join(config.output.directory, 'contributions', name.slice(0, 12));
}

/** Seals the data under new secrets and writes what opens it, the record last. Without a folder nothing is written. */
async function prepared(
  client: ChainClient,
  { config, modelId, contributor, payees }: Given,
  { policyHash, benchmarkId, minContributionRows }: Terms,
  folder: string | undefined,
): Promise<ContributionRecord> {
  // Before any secret is made, so that a contribution that does not fit leaves no folder.
  const checked = await check(config, randomBytes(32));
  requireRows(checked.root.rows, minContributionRows);
  if (folder) await mkdir(folder, { recursive: true, mode: 0o700 });
  const secret = (name: string) =>
    folder ? secretFile(join(folder, SECRETS, `${name}.hex`)) : Promise.resolve(randomBytes(32));
  const contributionSecret = await secret('contribution');
  const { data, root } = await check(config, contributionSecret);
  const sealed = await seal({ data, contributionSecret }, await secret('data-key'));
  if (folder) await writeWhole(join(folder, SEALED), sealed);
  const contribution: Contribution = {
    modelId,
    contributor,
    payeesRoot: payeesTree(payees).payeesRoot,
    dataRoot: root.dataRoot,
    rows: root.rows,
    ciphertextHash: ciphertextHash(sealed),
    policyHash,
    benchmarkId,
    salt: bytesToHex(await secret('salt')),
  };
  const { chainId, rounds } = client.deployment;
  const { roundId } = await commitmentOf(client, contribution);
  const record = { version: 1, chainId, rounds, roundId, contribution, payees } as const;
  if (folder) await writeRecord(join(folder, RECORD), record);
  return record;
}

/**
 * The record of a folder, if it is that of what is given: another one's place is not taken.
 *
 * @throws HokusaiError `RECORD_OTHER` (configuration)
 */
async function resumed(client: ChainClient, given: Given, folder: string): Promise<ContributionRecord> {
  const record = await readRecord(folder);
  requireSameChain(client, record);
  const { root } = await check(given.config, await secretFile(join(folder, SECRETS, 'contribution.hex')));
  const { contribution } = record;
  const sealed = ciphertextHash(await readFile(join(folder, SEALED)));
  const same: readonly (readonly [string, boolean])[] = [
    ['model', contribution.modelId === given.modelId],
    ['contributor', contribution.contributor === given.contributor],
    ['payees', contribution.payeesRoot === payeesTree(given.payees).payeesRoot],
    ['data', contribution.dataRoot === root.dataRoot],
    ['ciphertext', contribution.ciphertextHash === sealed],
  ];
  const other = same.filter(([, equal]) => !equal).map(([name]) => name);
  if (other.length === 0) return record;
  throw new HokusaiError(
    'configuration',
    'RECORD_OTHER',
    `${folder} holds a contribution with another ${other.join(', ')}.`,
    {
      details: { folder, other },
      next: 'Name another folder by --folder; this one is needed for as long as its round lasts.',
    },
  );
}

/** With fewer rows it could not be opened, and its bond would be lost. */
function requireRows(rows: number, minContributionRows: number): void {
  if (rows >= minContributionRows) return;
  throw new HokusaiError(
    'terminal',
    'CONTRIBUTION_SMALL',
    `The contribution has ${rows} rows; the model takes ${minContributionRows} or more.`,
    { details: { rows, minContributionRows }, next: 'Add rows; nothing was sent or written.' },
  );
}

/** What a contributor keeps of a contribution: without it nothing can be opened. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, getAddress, type Hex, isAddress } from 'viem';
import { z } from 'zod';
import type { ChainClient } from '../chain/connect.ts';
import type { Contribution } from '../chain/round.ts';
import { HokusaiError } from '../errors.ts';
import { type Payee, payeesTree } from '../payees.ts';
import { writeWhole } from '../write-whole.ts';

const zHex = z.string().regex(/^0x([0-9a-f]{2})*$/i, 'expected hexadecimal digits') as unknown as z.ZodType<Hex>;
const zWord = z.string().regex(/^0x[0-9a-f]{64}$/i, 'expected 32 bytes') as unknown as z.ZodType<Hex>;
const zAddress = z
  .string()
  .refine((text) => isAddress(text), 'expected an address')
  .transform((text) => getAddress(text));
const zWeight = z
  .union([z.string().regex(/^\d{1,39}$/, 'expected a whole number'), z.int().min(0)])
  .transform((weight) => BigInt(weight));

const zRecord = z.strictObject({
  version: z.literal(1),
  chainId: z.int(),
  rounds: zAddress,
  roundId: zWord,
  contribution: z.strictObject({
    modelId: zWord,
    contributor: zAddress,
    payeesRoot: zWord,
    dataRoot: zWord,
    rows: z.int(),
    ciphertextHash: zWord,
    policyHash: zWord,
    benchmarkId: zWord,
    salt: zWord,
  }),
  payees: z.array(z.strictObject({ payee: zAddress, weight: zWeight })).min(1),
  /** The contributor's, where it has signed for a relayer. */
  signature: zHex.optional(),
});

/** All of a contribution but its rows and keys. Its salt hides it until `open`. */
export interface ContributionRecord {
  readonly version: 1;
  readonly chainId: number;
  readonly rounds: Address;
  readonly roundId: Hex;
  readonly contribution: Contribution;
  readonly payees: readonly Payee[];
  readonly signature?: Hex | undefined;
}

/** Files of a contribution's folder. */
export const RECORD = 'contribution.json';
export const SEALED = 'contribution.sealed';
export const KEY = 'key.age';
export const SIGNED = 'signed.json';
export const SECRETS = 'secrets';

/** Writes a record so that it outlives a crash, readable by its owner alone. */
export const writeRecord = (file: string, record: ContributionRecord): Promise<void> =>
  writeWhole(
    file,
    `${JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? String(value) : value), 2)}\n`,
    { mode: 0o600 },
  );

/**
 * Reads the record of a folder, or one in a file of its own.
 *
 * @throws HokusaiError (configuration) `RECORD_MISSING`, `RECORD_MALFORMED` with all problems
 */
export async function readRecord(path: string): Promise<ContributionRecord> {
  const file = (await isFolder(path)) ? join(path, RECORD) : path;
  const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HokusaiError('configuration', 'RECORD_MISSING', `${file} cannot be read: ${error.code}.`, {
      details: { file, reason: error.code },
      next: 'Name the folder that `hokusai contribute commit` made, or, where it can do without, the round’s id.',
    });
  });
  const parsed = zRecord.safeParse(jsonOf(source));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: keys, message }) => `${keys.join('.')}: ${message}`);
  throw new HokusaiError('configuration', 'RECORD_MALFORMED', `${file}: ${problems.join('; ')}.`, {
    details: { file, problems },
    next: 'Restore it from a copy: without it the contribution cannot be opened.',
  });
}

const isFolder = async (path: string) => existsSync(path) && (await stat(path)).isDirectory();

function jsonOf(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

/**
 * A record belongs to one contract of one chain.
 *
 * @throws HokusaiError `RECORD_OTHER` (configuration)
 */
export function requireSameChain({ deployment }: ChainClient, { chainId, rounds }: ContributionRecord): void {
  if (chainId === deployment.chainId && rounds === deployment.rounds) return;
  throw new HokusaiError(
    'configuration',
    'RECORD_OTHER',
    `The contribution is for ${rounds} on chain ${chainId}, the deployment is ${deployment.rounds} on chain ${deployment.chainId}.`,
    { details: { chainId, rounds }, next: 'Name the deployment that it was committed on.' },
  );
}

/**
 * Payees from a file: JSON, `[{"payee": "0x…", "weight": "3"}]`, or CSV with the columns `address` and `weight`.
 *
 * @throws HokusaiError (configuration) `PAYEES_FILE`, and `PAYEES_INVALID` with all problems
 */
export async function readPayees(file: string): Promise<Payee[]> {
  const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw payeesFile(file, [`it cannot be read: ${error.code}`]);
  });
  const payees = source.trimStart().startsWith('[') ? payeesOfJson(file, source) : payeesOfCsv(file, source);
  // Says all that is wrong with addresses and weights.
  payeesTree(payees);
  return payees;
}

function payeesOfJson(file: string, source: string): Payee[] {
  const parsed = z
    .array(z.strictObject({ payee: z.string(), weight: zWeight }))
    .min(1)
    .safeParse(jsonOf(source));
  if (parsed.success) return parsed.data as Payee[];
  throw payeesFile(
    file,
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
  );
}

function payeesOfCsv(file: string, source: string): Payee[] {
  const [header, ...lines] = source.split(/\r?\n/).map((line) => line.trim());
  if (header !== 'address,weight') throw payeesFile(file, ['line 1 is not address,weight']);
  const rows = lines.map((line, i) => ({ line, at: i + 2 })).filter(({ line }) => line !== '');
  const problems = rows
    .filter(({ line }) => !/^0x[0-9a-f]{40},\d{1,39}$/i.test(line))
    .map(({ at }) => `line ${at} is not an address, a comma and a whole number`);
  if (problems.length > 0) throw payeesFile(file, problems);
  return rows.map(({ line }) => {
    const [payee, weight] = line.split(',') as [Address, string];
    return { payee, weight: BigInt(weight) };
  });
}

const payeesFile = (file: string, problems: readonly string[]) =>
  new HokusaiError('configuration', 'PAYEES_FILE', `${file}: ${problems.slice(0, 10).join('; ')}.`, {
    details: { file, problems },
    next: 'Write [{"payee": "0x…", "weight": "1"}, …], or a CSV file whose first line is address,weight.',
  });

/** Evidence that a validator signed two votes of one round, from files. */
import { readFile } from 'node:fs/promises';
import type { Address, Hex } from 'viem';
import { z } from 'zod';
import type { ChainClient } from '../chain/connect.ts';
import type { Evidence } from '../chain/round.ts';
import { recoverVoter, STATUSES, voteContent } from '../chain/vote.ts';
import { HokusaiError } from '../errors.ts';

const zHash = z.string().regex(/^0x[0-9a-f]{64}$/, 'expected 32 bytes, 0x and 64 hexadecimal digits');
/** Anything that can be signed: a validator may have signed what is no field element. */
const zUint256 = z
  .string()
  .regex(/^(0|[1-9]\d{0,77})$/, 'expected a whole number, in quotes')
  .transform(BigInt)
  .refine((value) => value < 2n ** 256n, 'expected less than 2^256');

/** One vote with its signature, as a file holds it; numbers as decimal text. An attestation has all of its values. */
const zEvidence = z.strictObject({
  vote: z.strictObject({
    status: z.enum(STATUSES),
    baselinePredictionsRoot: zUint256,
    candidateCommitment: zUint256,
    candidatePredictionsRoot: zUint256,
    trainingSetRoot: zHash,
    metricsHash: zHash,
  }),
  signature: z.string().regex(/^0x[0-9a-f]{130}$/, 'expected 65 bytes, 0x and 130 hexadecimal digits'),
});

/**
 * Two pieces of evidence, and who signed both.
 *
 * @throws HokusaiError `EVIDENCE_FILE` (configuration) with all problems of both files; (terminal) `VOTE_SIGNATURE`,
 *   `DOUBLE_VOTE_NONE`
 */
export async function readDoubleVote(
  { deployment: { chainId, rounds } }: ChainClient,
  roundId: Hex,
  files: readonly [string, string],
): Promise<{ voter: Address; first: Evidence; second: Evidence }> {
  const [first, second] = await readEvidence(files);
  const voter = await recoverVoter(chainId, rounds, roundId, first.vote, first.signature);
  const other = await recoverVoter(chainId, rounds, roundId, second.vote, second.signature);
  if (voter === other && voteContent(first.vote) !== voteContent(second.vote)) return { voter, first, second };
  const message =
    voter === other
      ? `Both files hold the same vote of ${voter}.`
      : `One is signed by ${voter}, the other by ${other}.`;
  throw new HokusaiError('terminal', 'DOUBLE_VOTE_NONE', message, {
    details: { roundId, voter, other },
    next: 'Bring two signatures of one validator over two different votes of this round.',
  });
}

async function readEvidence(files: readonly [string, string]): Promise<readonly [Evidence, Evidence]> {
  const problems: string[] = [];
  const read = async (file: string): Promise<Evidence | undefined> => {
    const content = await jsonOf(file).catch((error: Error) => {
      problems.push(`${file}: ${error.message}`);
    });
    if (content === undefined) return undefined;
    const parsed = zEvidence.safeParse(content);
    if (parsed.success) return parsed.data as Evidence;
    for (const { path, message } of parsed.error.issues) {
      problems.push(`${file}: ${path.join('.') || 'the whole'}: ${message}`);
    }
    return undefined;
  };
  const [first, second] = [await read(files[0]), await read(files[1])];
  if (first && second) return [first, second];
  throw new HokusaiError('configuration', 'EVIDENCE_FILE', `${problems.join('; ')}.`, {
    details: { files, problems },
    next: 'Write {"vote": {…}, "signature": "0x…"}, as `hokusai validator prove-double-vote --help` shows it.',
  });
}

const jsonOf = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

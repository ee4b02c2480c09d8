/** Gives the key to the data to the committee that was drawn, and to nobody before. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Address } from 'viem';
import type { ChainClient } from '../chain/connect.ts';
import { policy, round } from '../chain/round.ts';
import { committeeRecipients } from '../chain/validator-registry.ts';
import { HokusaiError } from '../errors.ts';
import { ciphertextHash } from '../seal.ts';
import { secretFile } from '../secrets.ts';
import { encryptTo } from '../validator/recipient.ts';
import { writeWhole } from '../write-whole.ts';
import { KEY, readRecord, requireSameChain, SEALED, SECRETS } from './record.ts';

export interface Delivery {
  /** The two files to hand to the committee. */
  readonly key: string;
  readonly sealed: string;
  /** Who can decrypt the key. */
  readonly members: readonly Address[];
  /** Who registered nothing that anything can be encrypted to. */
  readonly leftOut: readonly Address[];
  readonly threshold: number;
  /** By the chain's clock, when their votes are due. */
  readonly voteDeadline: number;
}

/**
 * Encrypts the data key of a folder's contribution to the committee of its round.
 *
 * @throws HokusaiError `DELIVER_TOO_EARLY` (retryable), `DELIVER_TOO_LATE`, `DELIVER_NOBODY`, `SEAL_BROKEN` (terminal)
 */
export async function deliver(client: ChainClient, folder: string): Promise<Delivery> {
  const record = await readRecord(folder);
  requireSameChain(client, record);
  const { roundId, contribution } = record;
  const { state, committee, voteDeadline } = await round(client, roundId);
  if (state !== 'VOTING') throw wrongTime(roundId, state);
  const sealed = join(folder, SEALED);
  if (ciphertextHash(await readFile(sealed)) !== contribution.ciphertextHash) {
    throw new HokusaiError('terminal', 'SEAL_BROKEN', `${sealed} is not the file that was committed to.`, {
      details: { sealed },
      next: 'Restore it from a copy: with another file the round ends as UNAVAILABLE, and the bond is lost.',
    });
  }
  const { threshold } = await policy(client, contribution.policyHash);
  const drawn = await committeeRecipients(client, committee);
  const usable = drawn.filter((each) => each.usable);
  const leftOut = drawn.filter((each) => !each.usable).map(({ member }) => member);
  if (usable.length === 0) {
    throw new HokusaiError('terminal', 'DELIVER_NOBODY', 'Nobody of the committee can be given the key.', {
      details: { roundId, leftOut },
      next: 'Let the round expire, which refunds it; these validators registered no age recipient.',
    });
  }
  const dataKey = await secretFile(join(folder, SECRETS, 'data-key.hex'));
  const key = join(folder, KEY);
  await writeWhole(
    key,
    await encryptTo(
      usable.map(({ ageRecipient }) => ageRecipient),
      dataKey,
    ),
  );
  return { key, sealed, members: usable.map(({ member }) => member), leftOut, threshold, voteDeadline };
}

function wrongTime(roundId: string, state: string): HokusaiError {
  const early = state === 'NONE' || state === 'COMMITTED' || state === 'OPEN';
  return early
    ? new HokusaiError('retryable', 'DELIVER_TOO_EARLY', `The round is ${state}: its committee is not drawn yet.`, {
        details: { roundId, state },
        next: state === 'OPEN' ? 'Draw it first.' : 'Commit, open and draw it first.',
      })
    : new HokusaiError('terminal', 'DELIVER_TOO_LATE', `The round is ${state}: nobody votes in it any more.`, {
        details: { roundId, state },
        next: 'Keep the key to yourself.',
      });
}

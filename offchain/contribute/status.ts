/** Where a round stands, whose turn it is and what comes next, in words. */
import type { Address, Hex } from 'viem';
import { dateText, duration, ether, tokenText } from '../chain/act.ts';
import { type ChainClient, reach } from '../chain/connect.ts';
import { abi } from '../chain/contracts.ts';
import { pausedUntil, policy, round } from '../chain/round.ts';
import { view } from '../chain/send.ts';
import { members } from '../chain/validator-registry.ts';
import type { Status } from '../chain/vote.ts';
import { waitingFor } from '../model/show.ts';
import type { Answer } from '../verb.ts';

/** Names of `VoidReason` in IRounds.sol, in its order, in words. */
const VOID_REASONS = [
  'it was cancelled',
  'it was not opened in its turn',
  'its turn passed while it could not be opened',
  'nobody drew it in time',
  'it was neither settled nor rejected in time',
  'a row was in the contribution and in the benchmark',
  'without validators who signed two votes there was no quorum',
  'the model’s owner vetoed it',
] as const;

const REJECTED: Readonly<Record<Status, string>> = {
  SCORED: 'it was accepted',
  BELOW_GATE: 'the gain is not certain enough to be paid',
  UNAVAILABLE: 'validators could not have or decrypt the data; the bond is lost',
  ROOT_MISMATCH: 'the data was not what was committed to; the bond is lost',
  OVERLAP: 'rows of the benchmark are in the contribution',
  SCHEMA: 'the data does not fit the model’s schema',
  PII: 'the data holds personal data',
  TOO_FEW_ROWS: 'too few rows are new to the model',
  TRAINING_FAILED: 'the training did not end in a model',
};

type Round = Awaited<ReturnType<typeof round>>;

/** What the lines are made of. Times are by the chain's clock. */
interface Seen {
  readonly client: ChainClient;
  readonly roundId: Hex;
  readonly round: Round;
  readonly clock: number;
  /** The date of a time by the chain's clock, and how far it is. */
  readonly when: (time: number) => string;
}

/** What to do next, and by whom; in words and, for machines, in one. */
interface Standing {
  readonly lines: readonly string[];
  readonly next: string | null;
  readonly deadline?: number;
}

/** @param account whose withdrawal is looked up; the sponsor's unless given */
export async function roundStatus(client: ChainClient, roundId: Hex, account?: Address): Promise<Answer> {
  const [found, clock, block, paused] = await Promise.all([
    round(client, roundId),
    view(client, { contract: 'rounds', functionName: 'clock', args: [] }),
    reach(client.publicClient, () => client.publicClient.getBlock()),
    pausedUntil(client),
  ]);
  const now = Number(block.timestamp);
  const when = (time: number) => {
    const date = dateText(now + time - clock);
    return time >= clock ? `${date}, in ${duration(time - clock)}` : `${date}, ${duration(clock - time)} ago`;
  };
  const seen = { client, roundId, round: found, clock, when };
  const standing = await describe(seen);
  const who = account ?? found.sponsor;
  const withdrawable =
    found.state === 'NONE'
      ? 0n
      : await view(client, { contract: 'rounds', functionName: 'withdrawable', args: [roundId, who] });
  const lines = [
    `round ${roundId}: ${found.state}`,
    ...(paused === undefined ? [] : pauseLines(paused)),
    ...standing.lines,
    ...(withdrawable > 0n ? [`${who} can withdraw ${ether(withdrawable)}.`] : []),
  ];
  const { next, deadline } = standing;
  return {
    text: lines.join('\n'),
    json: { roundId, ...found, clock, pausedUntil: paused ?? null, next, deadline, account: who, withdrawable },
  };
}

const pauseLines = (until: number): string[] => [
  `⏸ Paused, until ${dateText(until)} at the latest: nothing is committed, opened, settled or finalised meanwhile, and no`,
  'deadline comes nearer. Dates are as if it ended now.',
];

function describe(seen: Seen): Standing | Promise<Standing> {
  const { round: r } = seen;
  switch (r.state) {
    case 'NONE':
      return { lines: ['Nothing was committed under this id.'], next: 'commit' };
    case 'COMMITTED':
      return queued(seen);
    case 'OPEN':
      return opened(seen);
    case 'VOTING':
      return voting(seen);
    case 'SETTLED':
      return settled(seen);
    case 'FINALISED':
      return finalised(seen);
    case 'REJECTED':
      return { lines: [`Rejected as ${r.status}: ${REJECTED[r.status]}.`], next: null };
    case 'VOIDED':
      return voided(seen);
  }
}

async function queued({ client, roundId, round: r, clock, when }: Seen): Promise<Standing> {
  const waiting = await waitingFor(client, r.modelId);
  const [turn, endsAt] = await view(client, { contract: 'rounds', functionName: 'turn', args: [r.modelId] });
  const place = waiting.indexOf(roundId);
  if (turn !== roundId) {
    return {
      lines: [`It waits: ${place} are before it in the queue, the next is ${turn}. It can be cancelled.`],
      next: 'wait',
    };
  }
  if (endsAt === 0) {
    const slot = await view(client, { contract: 'rounds', functionName: 'slot', args: [r.modelId] });
    return { lines: [`It is the next, once round ${slot} is over. It can be cancelled.`], next: 'wait' };
  }
  if (clock > endsAt) {
    return { lines: [`Its turn ended ${when(endsAt)}: anybody can \`expire\` it.`], next: 'expire', deadline: endsAt };
  }
  return {
    lines: ['It is its turn: the contributor opens it,', `by ${when(endsAt)}, or the bond is lost.`],
    next: 'open',
    deadline: endsAt,
  };
}

async function opened({ client, round: r, clock, when }: Seen): Promise<Standing> {
  if (clock > r.deadline) {
    return {
      lines: [`Nobody drew it by ${when(r.deadline)}: anybody can \`expire\` it, which refunds it.`],
      next: 'expire',
      deadline: r.deadline,
    };
  }
  const block = await reach(client.publicClient, () => client.publicClient.getBlockNumber());
  const ready = BigInt(r.anchorBlock) + 2n;
  const how = block >= ready ? 'now' : `after block ${ready}; the last one is ${block}`;
  return {
    lines: [`It is open. Anybody draws fold and committee, ${how},`, `by ${when(r.deadline)}.`],
    next: 'draw',
    deadline: r.deadline,
  };
}

async function voting(seen: Seen): Promise<Standing> {
  const { client, round: r, clock, when } = seen;
  const { threshold, settleDuration } = await policy(client, r.policyHash);
  const committee = await members(client, r.committee);
  const votes = committee.map((member, seat) => {
    const has = (seats: number) => (seats & (1 << seat)) !== 0;
    return `  ${member} ${has(r.revealed) ? 'has shown its vote' : has(r.committed) ? 'has committed its vote' : 'has not voted'}`;
  });
  const lines = [`${threshold} of ${r.seats} validators have to agree:`, ...votes];
  const all = r.committed === 2 ** r.seats - 1;
  const shown = r.revealed === r.committed;
  const last = r.deadline + settleDuration;
  const phase = (text: string, deadline: number, next: string): Standing => ({
    lines: [...lines, `${text}, by ${when(deadline)}.`],
    next,
    deadline,
  });
  if (!all && clock <= r.voteDeadline) {
    return phase('The committee commits its votes: give it the key with `deliver`', r.voteDeadline, 'deliver');
  }
  if (!shown && clock <= r.revealDeadline) return phase('The committee shows its votes', r.revealDeadline, 'wait');
  if (clock <= last && bits(r.revealed) < threshold) {
    return phase('Too few votes were shown to end it: it can be expired after its time, which ends', last, 'wait');
  }
  if (clock <= r.deadline) return phase('Who can, settles with a proof or rejects', r.deadline, 'wait');
  if (clock <= last) return phase('What fell below the gate is rejected by anybody', last, 'wait');
  return {
    lines: [...lines, `Its time was over ${when(last)}: anybody can \`expire\` it, which refunds it.`],
    next: 'expire',
    deadline: last,
  };
}

const bits = (set: number): number => set.toString(2).replaceAll('0', '').length;

async function settled({ client, roundId, round: r, clock, when }: Seen): Promise<Standing> {
  const tokens = await tokenText(client);
  const { reserved } = await award(client, r.modelId, roundId);
  const gain = `Accepted: +${r.deltaOneBps / 100} points, at least +${r.payableBps / 100} with certainty, worth ${tokens(reserved)}.`;
  if (clock >= r.finalisableAt) return { lines: [gain, 'Anybody can `finalise` it now.'], next: 'finalise' };
  return {
    lines: [gain, `Fraud can still be proven, and the owner can veto it, until ${when(r.finalisableAt)}.`],
    next: 'wait',
    deadline: r.finalisableAt,
  };
}

async function finalised({ client, roundId, round: r }: Seen): Promise<Standing> {
  const tokens = await tokenText(client);
  const { reserved, vestingDuration } = await award(client, r.modelId, roundId);
  const vests = vestingDuration > 0 ? `, which vest over ${duration(vestingDuration)}` : '';
  const gain = `Accepted: +${r.deltaOneBps / 100} points. Its payees can \`claim\` their shares of ${tokens(reserved)}${vests}.`;
  return { lines: [gain], next: 'claim' };
}

const award = (client: ChainClient, modelId: Hex, roundId: Hex) =>
  view(client, { contract: 'rewards', functionName: 'awardOf', args: [modelId, roundId] });

/** The reason is in the log alone. */
async function voided({ client, roundId, round: r }: Seen): Promise<Standing> {
  const { publicClient, deployment } = client;
  const [log] = await reach(publicClient, () =>
    publicClient.getContractEvents({
      address: deployment.rounds,
      abi: abi('Rounds'),
      eventName: 'RoundVoided',
      args: { roundId },
      fromBlock: BigInt(r.anchorBlock),
    }),
  );
  const reason = VOID_REASONS[log?.args.reason ?? -1] ?? 'the node no longer knows why';
  return { lines: [`Void: ${reason}.`], next: null };
}

/** The steps of a contribution that send one transaction each, or, like `sign`, none. */
import { join } from 'node:path';
import type { Address, Hex } from 'viem';
import { acting, ether, ON_CHAIN, ON_CHAIN_HELP, reading, SENDING, SENDING_HELP, tokenText } from '../chain/act.ts';
import type { ChainClient, Sender } from '../chain/connect.ts';
import { claim, open, round, withdraw } from '../chain/round.ts';
import { type Sent, view } from '../chain/send.ts';
import { signContribution } from '../chain/sign-contribution.ts';
import { HokusaiError } from '../errors.ts';
import { payeesTree } from '../payees.ts';
import { hex, id, place, required, text, usage, type Verb, verb } from '../verb.ts';
import { readPayees, readRecord, requireSameChain, SIGNED, writeRecord } from './record.ts';

export const FOLDER = required(place('FOLDER', text));
export const ROUND = required(place('FOLDER|ROUND_ID', text));
export const CHAIN = '--rpc https://node --deployment deployments/chain-1';
export const ACT = `${CHAIN} --keystore me.json`;

/** The round that a folder, or an id, names. */
export async function roundIdOf(client: ChainClient, target: string): Promise<Hex> {
  const given = id.read(target);
  if (given) return given;
  const record = await readRecord(target);
  requireSameChain(client, record);
  return record.roundId;
}

/** Who is paid: those named, or the account that sends. */
export async function payeesOf(
  name: string,
  given: { payee?: Address | undefined; payees?: string | undefined },
  own: Address,
) {
  if (given.payee && given.payees) throw usage(name, ['--payee and --payees exclude each other']);
  if (given.payees) return readPayees(given.payees);
  return [{ payee: given.payee ?? own, weight: 1n }];
}

export const openVerb = verb({
  summary: 'reveal the commitment in its turn, in a later block than the commit',
  help: `By the contributor; or by anybody with the contributor's signature, which \`hokusai contribute sign\` makes.

  FOLDER               of \`commit\`, or the file of \`sign\`, which holds the signature
  --signature 0x…      of the contributor, where another account sends
${SENDING_HELP}

Example: hokusai contribute open runs/contributions/0123456789ab ${ACT}`,
  takes: { folder: FOLDER, signature: hex, ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const record = await readRecord(given.folder);
      requireSameChain(client, record);
      const { roundId, contribution } = record;
      const signature = given.signature ?? record.signature ?? '0x';
      const sent = await open(client, contribution, signature);
      const next = `Next, three blocks later: hokusai contribute draw ${roundId}`;
      return { text: `round ${roundId} is open. ${next}`, json: { roundId }, sent: [sent] };
    }),
});

export const sign = verb({
  summary: 'allow somebody else to open it, who then pays for the gas (contributor)',
  help: `Writes the contribution with an EIP-712 signature over it to FOLDER/${SIGNED}, for a relayer, who opens it with
\`hokusai contribute open ${SIGNED}\`. It shows no data; hand it over when the turn has come. Sends nothing.

${ON_CHAIN_HELP}
  --keystore FILE      of the contributor; its password is in the file that HOKUSAI_KEYSTORE_PASSWORD_FILE names

Example: hokusai contribute sign runs/contributions/0123456789ab ${ACT}`,
  takes: { folder: FOLDER, ...ON_CHAIN, keystore: required(text) },
  perform: async (given) => {
    const client = await reading(given);
    const record = await readRecord(given.folder);
    requireSameChain(client, record);
    const { openKeystore, readPassword } = await import('../chain/keystore.ts');
    const account = await openKeystore(given.keystore, await readPassword());
    const { roundId, contribution } = record;
    if (account.address !== contribution.contributor) {
      throw new HokusaiError(
        'configuration',
        'NOT_CONTRIBUTOR',
        `${account.address} is not the contributor ${contribution.contributor}.`,
        { details: { roundId }, next: 'Sign with the contributor’s keystore.' },
      );
    }
    const signature = await signContribution(account, record.chainId, record.rounds, contribution);
    const file = join(given.folder, SIGNED);
    await writeRecord(file, { ...record, signature });
    return {
      text: `${signature}\nWritten with the contribution to ${file}.`,
      json: { roundId, file, signature },
    };
  },
});

export const claimVerb = verb({
  summary: 'mint your share of a final round’s reward (payee)',
  help: `  --payees FILE        the list that was committed to, where there is no folder and more than one payee
${SENDING_HELP}

Example: hokusai contribute claim runs/contributions/0123456789ab ${ACT}`,
  takes: { round: ROUND, payees: text, ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const own = client.account.address;
      const roundId = await roundIdOf(client, given.round);
      const payees = id.read(given.round)
        ? await payeesOf('contribute claim', given, own)
        : (await readRecord(given.round)).payees;
      const tree = payeesTree(payees);
      const index = tree.indexOf(own);
      if (index < 0) {
        throw new HokusaiError('configuration', 'PAYEE_UNKNOWN', `${own} is not among the payees.`, {
          details: { roundId, payees: tree.payees.length },
          next: 'Claim with the keystore of a payee.',
        });
      }
      const { modelId } = await round(client, roundId);
      const { reserved } = await view(client, {
        contract: 'rewards',
        functionName: 'awardOf',
        args: [modelId, roundId],
      });
      const share = tree.shareOf(reserved, index);
      const tokens = await tokenText(client);
      note(`claim: ${tokens(share)} minted for you.`);
      const sent = await claim(client, { modelId, roundId, ...tree.proofOf(index) });
      return { text: `${tokens(share)} for ${own}.`, json: { roundId, share }, sent: [sent] };
    }),
});

/** A step that takes a round and nothing else. */
export const step = (
  name: string,
  summary: string,
  about: string,
  done: string,
  act: (client: Sender, roundId: Hex) => Promise<Sent>,
): Verb =>
  verb({
    summary,
    help: `${about}\n\n${SENDING_HELP}\n\nExample: hokusai contribute ${name} 0x… ${ACT}`,
    takes: { round: ROUND, ...SENDING },
    perform: (given, note) =>
      acting(given, note, async (client) => {
        const roundId = await roundIdOf(client, given.round);
        return { text: `round ${roundId}: ${done}.`, json: { roundId }, sent: [await act(client, roundId)] };
      }),
  });

export const withdrawVerb = verb({
  summary: 'be paid what an ended round owes you: refund, or share of the fee',
  help: `By the sponsor, by validators whose vote the round ended with, and by who ended it.

${SENDING_HELP}

Example: hokusai contribute withdraw 0x… ${ACT}`,
  takes: { round: ROUND, ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const roundId = await roundIdOf(client, given.round);
      const own = client.account.address;
      const due = await view(client, { contract: 'rounds', functionName: 'withdrawable', args: [roundId, own] });
      const sent = await withdraw(client, roundId);
      return { text: `${ether(due)} for ${own}.`, json: { roundId, amount: due }, sent: [sent] };
    }),
});

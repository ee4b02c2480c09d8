/** `hokusai validator`: what a validator does in the registry, and what it loses there. */
import { existsSync } from 'node:fs';
import { generateX25519Identity } from 'age-encryption';
import {
  acting,
  dateText,
  duration,
  ether,
  ON_CHAIN,
  ON_CHAIN_HELP,
  reading,
  SENDING,
  SENDING_HELP,
} from '../chain/act.ts';
import type { Sender } from '../chain/connect.ts';
import { proveDoubleVote } from '../chain/round.ts';
import type { Sent } from '../chain/send.ts';
import {
  addStake,
  pause,
  register,
  resume,
  setRecipient,
  unbond,
  unbondingDelay,
  validator,
  withdraw,
} from '../chain/validator-registry.ts';
import { address, amount, type Command, id, place, required, text, type Verb, verb } from '../verb.ts';
import { readDoubleVote } from './double-vote.ts';
import { createIdentity, type Identity, isRecipient, readIdentity, recipientOf } from './recipient.ts';

const ACT = '--rpc https://node --deployment deployments/chain-1 --keystore validator.json';
const IDENTITY_HELP = `  --identity FILE      age identity that data keys are encrypted to; made where there is none. Keep it: what was
                       encrypted to it is lost without it`;

/** Recipient of the identity in a file, which is made where there is none; by a dry run in memory alone. */
async function recipientIn(file: string, dryRun: boolean): Promise<string> {
  if (existsSync(file)) return recipientOf(await readIdentity(file));
  return dryRun ? recipientOf((await generateX25519Identity()) as Identity) : createIdentity(file);
}

const registered = verb({
  summary: 'register with an age identity and a stake',
  help: `From then on models may draw it or name it. Registered once, for good.

${IDENTITY_HELP}
  --stake ETHER        what equivocation forfeits (default 0; nobody without a stake is drawn by lot)
${SENDING_HELP}

Example: hokusai validator register --identity identity.txt --stake 1 ${ACT}`,
  takes: { identity: required(text), stake: amount, ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const recipient = await recipientIn(given.identity, given.dryRun);
      const stake = given.stake ?? 0n;
      const sent = await register(client, recipient, stake);
      const text = `validator ${sent.result}, ${client.account.address}, with ${ether(stake)} at stake; keys go to ${recipient}.`;
      return { text, json: { id: sent.result, recipient, stake }, sent: [sent] };
    }),
});

const show = verb({
  summary: 'what the registry says of a validator',
  help: `${ON_CHAIN_HELP}

Example: hokusai validator show 0x… --rpc https://node --deployment deployments/chain-1`,
  takes: { validator: required(place('ADDRESS', address)), ...ON_CHAIN },
  perform: async (given) => {
    const client = await reading(given);
    const found = await validator(client, given.validator);
    const usable = await isRecipient(found.ageRecipient);
    const leaves = found.withdrawableAt > 0 ? [`its stake is free at ${dateText(found.withdrawableAt)}`] : [];
    const lines = [
      `validator ${found.id}, ${given.validator}: ${found.state}`,
      `${ether(found.stake)} at stake; ${found.listedAt > 0 ? `drawn since block ${found.listedSince}` : 'not drawn by lot'}`,
      `keys go to ${found.ageRecipient}${usable ? '' : ', which is no age recipient: it gets no keys'}`,
      ...leaves,
    ];
    return { text: lines.join('\n'), json: { validator: given.validator, ...found, usable } };
  },
});

const stake = verb({
  summary: 'add to the stake',
  help: `Repeated, it adds again.

${SENDING_HELP}

Example: hokusai validator stake 0.5 ${ACT}`,
  takes: { ether: required(place('ETHER', amount)), ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const sent = await addStake(client, given.ether);
      return { text: `${ether(given.ether)} more at stake.`, json: { amount: given.ether }, sent: [sent] };
    }),
});

const recipient = verb({
  summary: 'have keys of rounds drawn from now on encrypted to another identity',
  help: `${IDENTITY_HELP}
${SENDING_HELP}

Example: hokusai validator recipient --identity new-identity.txt ${ACT}`,
  takes: { identity: required(text), ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const next = await recipientIn(given.identity, given.dryRun);
      return { text: `keys go to ${next}.`, json: { recipient: next }, sent: [await setRecipient(client, next)] };
    }),
});

/** A step that takes nothing. */
const step = (name: string, summary: string, done: string, act: (client: Sender) => Promise<Sent>): Verb =>
  verb({
    summary,
    help: `${SENDING_HELP}\n\nExample: hokusai validator ${name} ${ACT}`,
    takes: SENDING,
    perform: (given, note) =>
      acting(given, note, async (client) => ({ text: `${done}.`, json: {}, sent: [await act(client)] })),
  });

const unbondVerb = verb({
  summary: 'begin to leave: the stake is free after the unbonding delay',
  help: `${SENDING_HELP}

Example: hokusai validator unbond ${ACT}`,
  takes: SENDING,
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const delay = await unbondingDelay(client);
      const text = `Leaving: the stake is free in ${duration(delay)}. Then: hokusai validator withdraw`;
      return { text, json: { delay }, sent: [await unbond(client)] };
    }),
});

const doubleVote = verb({
  summary: 'take the stake of a validator that signed two votes of one round (anybody)',
  help: `Half of the stake, the smaller one, is yours, the rest is burnt; a settled round that has no quorum without it is void.
A file holds one vote and the signature over it, which attestations show, too:

  {"vote": {"status": "SCORED", "baselinePredictionsRoot": "123", "candidateCommitment": "456",
    "candidatePredictionsRoot": "789", "trainingSetRoot": "0x…", "metricsHash": "0x…"}, "signature": "0x…"}

${SENDING_HELP}

Example: hokusai validator prove-double-vote 0x… first.json second.json ${ACT}`,
  takes: {
    roundId: required(place('ROUND_ID', id)),
    first: required(place('FIRST.json', text)),
    second: required(place('SECOND.json', text)),
    ...SENDING,
  },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const { roundId } = given;
      const { voter, first, second } = await readDoubleVote(client, roundId, [given.first, given.second]);
      const { stake } = await validator(client, voter);
      if (stake === 0n) note(`⚠ ${voter} has nothing at stake: there is nothing to be had.`);
      const share = stake / 2n;
      const sent = await proveDoubleVote(client, roundId, first, second);
      const text = `${voter} signed two votes and loses ${ether(stake)}. ${ether(share)} for you.`;
      return { text, json: { roundId, validator: voter, stake, share }, sent: [sent] };
    }),
});

export const VALIDATOR: Command = {
  about: 'What a validator does in the registry. Every verb that sends takes --dry-run; all take --json.',
  verbs: {
    register: registered,
    show,
    stake,
    recipient,
    pause: step('pause', 'be drawn no more; votes in rounds already drawn go on', 'Paused', pause),
    resume: step('resume', 'be drawn again', 'Active again', resume),
    unbond: unbondVerb,
    withdraw: step('withdraw', 'get the stake back after the unbonding delay', 'The stake is paid back', withdraw),
    'prove-double-vote': doubleVote,
  },
};

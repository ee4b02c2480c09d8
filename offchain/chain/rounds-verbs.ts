/** `hokusai rounds`: what the guardian does to all rounds at once. */

import { type Command, verb } from '../verb.ts';
import { acting, dateText, ON_CHAIN, ON_CHAIN_HELP, reading, SENDING, SENDING_HELP } from './act.ts';
import { pause, pausedUntil, unpause } from './round.ts';

const ACT = '--rpc https://node --deployment deployments/chain-1 --keystore guardian.json';

const show = verb({
  summary: 'whether they are paused, and until when at the latest',
  help: `${ON_CHAIN_HELP}

Example: hokusai rounds show --rpc https://node --deployment deployments/chain-1`,
  takes: ON_CHAIN,
  perform: async (given) => {
    const until = await pausedUntil(await reading(given));
    const text = until === undefined ? 'Not paused.' : `Paused, until ${dateText(until)} at the latest.`;
    return { text, json: { pausedUntil: until ?? null } };
  },
});

const pauseVerb = verb({
  summary: 'stop new rounds, settlements and the clock, for 14 days at most (guardian)',
  help: `Stops commit, open, settle and finalise of all models, and the clock by which deadlines are measured. Votes, rejections,
refunds, claims and withdrawals go on. Not within 14 days of the last pause's end.

${SENDING_HELP}

Example: hokusai rounds pause ${ACT}`,
  takes: SENDING,
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const sent = await pause(client);
      const until = await pausedUntil(client);
      const text = until === undefined ? 'Paused.' : `Paused, until ${dateText(until)} at the latest.`;
      return { text, json: { pausedUntil: until ?? null }, sent: [sent] };
    }),
});

const unpauseVerb = verb({
  summary: 'end a pause (guardian)',
  help: `The clock goes on where it stood. There is no other pause for 14 days.

${SENDING_HELP}

Example: hokusai rounds unpause ${ACT}`,
  takes: SENDING,
  perform: (given, note) =>
    acting(given, note, async (client) => ({ text: 'The pause is over.', json: {}, sent: [await unpause(client)] })),
});

export const ROUNDS: Command = {
  about: 'What the guardian does to all rounds at once. Every verb that sends takes --dry-run; all take --json.',
  verbs: { show, pause: pauseVerb, unpause: unpauseVerb },
};

/** `hokusai contribute`: what who brings data does, from the estimate to the claim. */
import type { Hex } from 'viem';
import { acting, ether, ON_CHAIN, ON_CHAIN_HELP, reading, SENDING, SENDING_HELP } from '../chain/act.ts';
import type { ChainClient } from '../chain/connect.ts';
import { cancel, draw, expire, finalise, policy, proveOverlap } from '../chain/round.ts';
import type { Payee } from '../payees.ts';
import { address, type Command, id, place, required, text, usage, verb, whole } from '../verb.ts';
import { deliver } from './deliver.ts';
import { roundStatus } from './status.ts';
import {
  ACT,
  CHAIN,
  claimVerb,
  FOLDER,
  openVerb,
  payeesOf,
  ROUND,
  roundIdOf,
  sign,
  step,
  withdrawVerb,
} from './steps.ts';

const CONFIG = place('hokusai.yaml', text);
const MODEL = required(id);

const estimate = verb({
  summary: 'what it costs, can pay and can be expected to gain, before anything is sent',
  help: `Checks the contribution. With a model on a chain, reads what it asks for and promises: the deposit, the gas of your own
steps at the present price, the reward, the queue, and what the benchmark can tell. With a sample that the model's owner
has published, trains models with the contribution and without it on this machine, and says which gain, which chance of
passing the gate and which reward to expect. Nothing is sent, and no row leaves the machine.

  hokusai.yaml         names the contribution and the schema; its policy is assumed where there is no --model
  --model MODEL_ID     whose model, with
${ON_CHAIN_HELP}
  --sample FILE        CSV with rows that the owner has published: with labels, like the benchmark, not of it
  --benchmark-rows N   of the benchmark that is assumed (default: the chain's, else policy.min_rows)

Example: hokusai contribute estimate hokusai.yaml --sample published.csv
         hokusai contribute estimate hokusai.yaml --model 0x… ${CHAIN}`,
  takes: { config: CONFIG, model: id, sample: text, benchmarkRows: whole(20, 4096), rpc: text, deployment: text },
  // What reads and seals tables is loaded where it is needed: the other verbs start in half the time.
  perform: async ({ config, model, rpc, deployment, ...given }) => {
    const problems = [
      ...(model === undefined && given.sample === undefined ? ['--model or --sample is missing'] : []),
      ...(model !== undefined && rpc === undefined ? ['--rpc is missing'] : []),
      ...(model !== undefined && deployment === undefined ? ['--deployment is missing'] : []),
    ];
    if (problems.length > 0) throw usage('contribute estimate', problems);
    const { estimateContribution } = await import('./estimate.ts');
    const { loadConfig } = await import('../config/load.ts');
    const at = model && { client: await reading({ rpc: rpc!, deployment: deployment! }), modelId: model };
    return estimateContribution(loadConfig(config), { ...given, ...(at && { at }) });
  },
});

const commit = verb({
  summary: 'check and seal the data, keep what opens it, and take a place in the queue',
  help: `Nothing of the data is shown. What opens it is written to the folder before anything is sent: keep the folder until
the round is over, and its secrets/ to yourself. Given again, it goes on where it stopped.

  --model MODEL_ID     whose model
  --payee 0x…          who is paid (default: the account that sends); or
  --payees FILE        who is paid how much: JSON [{"payee": "0x…", "weight": "3"}], or CSV with the line address,weight
  --contributor 0x…    who may open it, where another account sends and pays (default: the account that sends)
  --folder FOLDER      where it is kept (default: one in OUTPUT_DIR/contributions/)
${SENDING_HELP}

Example: hokusai contribute commit hokusai.yaml --model 0x… ${ACT}`,
  takes: { config: CONFIG, model: MODEL, payee: address, payees: text, contributor: address, folder: text, ...SENDING },
  perform: async (given, note) => {
    const { commitContribution } = await import('./commit.ts');
    const { loadConfig } = await import('../config/load.ts');
    const config = loadConfig(given.config);
    return acting(given, note, async (client) => {
      const sender = client.account.address;
      const payees = await payeesOf('contribute commit', given, sender);
      const contributor = given.contributor ?? sender;
      const committed = await commitContribution(
        client,
        { config, modelId: given.model, contributor, payees, folder: given.folder },
        Boolean(given.dryRun),
      );
      const { record, folder, deposit, state, sent } = committed;
      await warnOfVoters(client, record.contribution.policyHash, payees, note);
      const told = sent ? `, ${ether(deposit)} deposited` : `: it was committed before, and is ${state}`;
      const next = given.dryRun ? '' : ` Next: hokusai contribute open ${folder}`;
      return {
        text: `round ${record.roundId}${told}.${next}`,
        // Without the salt, which hides the rest until `open`.
        json: { roundId: record.roundId, folder, deposit, state },
        sent: sent ? [sent] : [],
      };
    });
  },
});

/** Who votes cannot claim. */
async function warnOfVoters(
  client: ChainClient,
  policyHash: Hex,
  payees: readonly Payee[],
  note: (text: string) => void,
) {
  const { validators } = await policy(client, policyHash);
  const both = payees.filter(({ payee }) => validators.includes(payee));
  for (const { payee } of both) note(`⚠ ${payee} is a validator of this model: if it votes, its share is lost.`);
}

const deliverVerb = verb({
  summary: 'encrypt the key to the data to the committee that was drawn',
  help: `Writes FOLDER/key.age, which each member of the committee can decrypt with its age identity, and says to whom. Hand
it over together with FOLDER/contribution.sealed before the votes are due. Sends nothing.

${ON_CHAIN_HELP}

Example: hokusai contribute deliver runs/contributions/0123456789ab ${CHAIN}`,
  takes: { folder: FOLDER, ...ON_CHAIN },
  perform: async (given) => {
    const delivery = await deliver(await reading(given), given.folder);
    const { key, sealed, members, leftOut, threshold } = delivery;
    const lines = [
      ...leftOut.map((member) => `⚠ ${member} registered no age recipient, and is left out.`),
      ...(members.length < threshold
        ? [`⚠ Only ${members.length} can decrypt it, and ${threshold} have to agree.`]
        : []),
      ...members.map((member) => `  ${member} can decrypt it`),
      `Hand over ${sealed} and ${key}.`,
    ];
    return { text: lines.join('\n'), json: { ...delivery } };
  },
});

const status = verb({
  summary: 'where a round stands, whose turn it is, and what comes next',
  help: `  --account 0x…        whose withdrawal to look up (default: the sponsor's)
${ON_CHAIN_HELP}

Example: hokusai contribute status 0x… ${CHAIN}`,
  takes: { round: ROUND, account: address, ...ON_CHAIN },
  perform: async (given) => {
    const client = await reading(given);
    return roundStatus(client, await roundIdOf(client, given.round), given.account);
  },
});

const overlap = verb({
  summary: 'void a settled round because a row of it is in the benchmark (who holds both)',
  help: `Opens the contribution, finds a row whose features are in the benchmark too, and shows its digest in both trees, during
the delay. Half of the bond is yours, and the round pays nothing. Nothing else of the two files is shown.

  hokusai.yaml         names the schema and the benchmark that the round was drawn on
  --sealed FILE        the contribution as it was delivered, contribution.sealed
  --key FILE           its key, key.age
  --identity FILE      age identity that the key is encrypted to
  --secret FILE        the owner's benchmark secret (default: OUTPUT_DIR/secrets/benchmark.hex)
${SENDING_HELP}

Example: hokusai contribute prove-overlap 0x… hokusai.yaml --sealed contribution.sealed --key key.age
           --identity identity.txt ${ACT}`,
  takes: {
    round: required(place('ROUND_ID', id)),
    config: CONFIG,
    sealed: required(text),
    key: required(text),
    identity: required(text),
    secret: text,
    ...SENDING,
  },
  perform: async (given, note) => {
    const { findOverlap } = await import('./overlap.ts');
    const { loadConfig } = await import('../config/load.ts');
    const config = loadConfig(given.config);
    return acting(given, note, async (client) => {
      const { rows, overlap, bond } = await findOverlap(client, given.round, config, given);
      const share = bond / 2n;
      const sent = await proveOverlap(client, given.round, overlap);
      const text = `Round ${given.round} is void: ${rows} of its rows are in the benchmark. ${ether(share)} for you.`;
      return { text, json: { roundId: given.round, rows, share }, sent: [sent] };
    });
  },
});

export const CONTRIBUTE: Command = {
  about: `What who brings data does, in this order. Every verb that sends takes --dry-run; all take --json.`,
  verbs: {
    estimate,
    commit,
    open: openVerb,
    sign,
    draw: step(
      'draw',
      'draw fold and committee, three blocks after it was opened (anybody)',
      'From a block that nobody knew when it was opened. Where it is over 256 blocks ago another is chosen: draw again.',
      'drawn. Next: hokusai contribute deliver FOLDER',
      draw,
    ),
    deliver: deliverVerb,
    status,
    finalise: step(
      'finalise',
      'make an accepted round final, once its delay is over (anybody)',
      'Advances the model’s head, and lets the payees claim.',
      'final',
      finalise,
    ),
    claim: claimVerb,
    withdraw: withdrawVerb,
    cancel: step(
      'cancel',
      'take it out of the queue before its turn, with all that was paid (sponsor)',
      'Before its turn, or in it while it cannot be opened.',
      'cancelled. Next: hokusai contribute withdraw',
      cancel,
    ),
    expire: step(
      'expire',
      'end a phase whose time is over (anybody)',
      'A turn that was missed, a wait for the draw, a vote: who was not at fault is refunded.',
      'expired',
      expire,
    ),
    'prove-overlap': overlap,
  },
};

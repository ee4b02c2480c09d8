/** `hokusai model`: what the owner of a model does. */
import { acting, ether, ON_CHAIN, ON_CHAIN_HELP, reading, SENDING, SENDING_HELP, tokenText } from '../chain/act.ts';
import { allocateBudget, round, skip, veto } from '../chain/round.ts';
import { addresses, amount, type Command, decimal, id, place, required, text, verb, whole } from '../verb.ts';
import { cancelledFirst, showModel } from './show.ts';

const CONFIG = place('hokusai.yaml', text);
const MODEL_ID = required(place('MODEL_ID', id));
/** Loaded where it is needed: it brings training and circuits along, without which the other verbs start faster. */
const registering = async () => ({ ...(await import('./register.ts')), ...(await import('../config/load.ts')) });

const COMMITTEE = { validators: addresses, committee: whole(1, 16), minStake: amount };
const COMMITTEE_HELP = `  --validators 0x…,0x… who evaluates, by name; or
  --committee N        so many, drawn by lot from the registry for each round
  --min-stake ETHER    what each of them has at stake at least (default 0)`;
const ACT = '--rpc https://node --deployment deployments/chain-1 --keystore owner.json';

const power = verb({
  summary: 'how many benchmark rows a gain takes to be seen, before anything is registered',
  help: `Rows on which a true gain is accepted with the power asked for, and the chance of it on the rows that there are.
Of accuracy by the share of rows that change; of any metric by how much the gain of a run has varied. Touches no chain.

  hokusai.yaml         takes alpha, rounds a fold and the benchmark's rows from there
  --rows N             of the benchmark
  --gain POINTS        percentage points of accuracy (default 1)
  --discordant PERCENT of the rows that the better model changes, for better or worse (default 4)
  --alpha A            chance of a false gain in all rounds of a fold together (default 0.05)
  --rounds-per-fold K  by which alpha is divided (default 20)
  --power P            at least 0.5 (default 0.8)
  --like RUN_DIR       a run, accepted or not, whose gain varies like the one that is asked for; of its metric

Example: hokusai model power --rows 2471 --rounds-per-fold 1
         hokusai model power --like runs/0123456789ab --gain 2`,
  takes: {
    config: CONFIG,
    rows: whole(1, 1e9),
    gain: decimal(0.0001, 99),
    discordant: decimal(0.0001, 100),
    alpha: decimal(0.000001, 0.5),
    roundsPerFold: whole(1, 1000),
    power: decimal(0.5, 0.999999),
    like: text,
  },
  perform: async (given) => (await import('./power.ts')).answerPower(given),
});

const register = verb({
  summary: 'register a project’s model, with circuit, policy, benchmark and head',
  help: `Trains the head, commits to it and to the benchmark, and registers both with the policy of the configuration. The
secrets behind the commitments are made in OUTPUT_DIR/secrets/, by a dry run too: keep them; validators need them, and
contributors must not have them.

${COMMITTEE_HELP}
  --zkey FILE          proving key of the score circuit; without it that of HOKUSAI_KEYS_DIR, or on a local chain the
                       development key
${SENDING_HELP}

Example: hokusai model register my-model/hokusai.yaml --committee 3 --min-stake 1 ${ACT}`,
  takes: { config: CONFIG, ...COMMITTEE, zkey: text, ...SENDING },
  perform: async (given, note) => {
    const { committeeOf, loadConfig, registerProject } = await registering();
    const config = loadConfig(given.config);
    const committee = committeeOf(config, given);
    return acting(given, note, async (client) => {
      const { sent, ...registered } = await registerProject(client, config, committee, given.zkey);
      const { modelId, rows, secrets } = registered;
      const text = `model ${modelId}\nbenchmark of ${rows} rows; secrets in ${secrets}. Next: hokusai model budget ${modelId} TOKENS.`;
      return { text, json: registered, sent };
    });
  },
});

const show = verb({
  summary: 'what the chain says of a model: head, policy, folds, budget, queue',
  help: `${ON_CHAIN_HELP}

Example: hokusai model show 0x… --rpc https://node --deployment deployments/chain-1`,
  takes: { modelId: MODEL_ID, ...ON_CHAIN },
  perform: async (given) => showModel(await reading(given), given.modelId),
});

const budget = verb({
  summary: 'let a model’s rounds pay more tokens (the reward token’s owner)',
  help: `Adds to what the model's rounds may pay. Repeated, it adds again.

${SENDING_HELP}

Example: hokusai model budget 0x… 5000 ${ACT}`,
  takes: { modelId: MODEL_ID, tokens: required(place('TOKENS', amount)), ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const tokens = await tokenText(client);
      note(`budget: ${tokens(given.tokens)} of the token's cap.`);
      const sent = await allocateBudget(client, given.modelId, given.tokens);
      const text = `${tokens(given.tokens)} more for rounds of ${given.modelId}.`;
      return { text, json: { modelId: given.modelId, amount: given.tokens }, sent: [sent] };
    }),
});

const policy = verb({
  summary: 'replace the policy by that of a configuration (owner)',
  help: `For contributions committed from now on. Circuit, and unless given committee and stake, stay as they are.

${COMMITTEE_HELP}
${SENDING_HELP}

Example: hokusai model policy 0x… my-model/hokusai.yaml ${ACT}`,
  takes: { modelId: MODEL_ID, config: CONFIG, ...COMMITTEE, ...SENDING },
  perform: async (given, note) => {
    const { committeeOf, loadConfig, replacePolicy } = await registering();
    const config = loadConfig(given.config);
    const { validators, committee, minStake } = given;
    const asked = validators ?? committee ?? minStake;
    const chosen = asked === undefined ? undefined : committeeOf(config, given);
    return acting(given, note, async (client) => {
      const sent = await replacePolicy(client, given.modelId, config, chosen);
      const text = `policy ${sent.result} for contributions from now on.`;
      return { text, json: { modelId: given.modelId, policyHash: sent.result }, sent: [sent] };
    });
  },
});

const benchmark = verb({
  summary: 'replace the benchmark by that of a configuration (owner)',
  help: `For contributions committed from now on. A fold that was spent stays spent.

${SENDING_HELP}

Example: hokusai model benchmark 0x… my-model/hokusai.yaml ${ACT}`,
  takes: { modelId: MODEL_ID, config: CONFIG, ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const { replaceBenchmark } = await registering();
      const { foldId, rows, sent } = await replaceBenchmark(client, given.modelId, given.config);
      const text = `benchmark ${sent.result} with fold ${foldId} of ${rows} rows, for contributions from now on.`;
      return { text, json: { modelId: given.modelId, benchmarkId: sent.result, foldId, rows }, sent: [sent] };
    }),
});

const vetoed = verb({
  summary: 'void a settled round during its delay, and refund it (owner)',
  help: `The sponsor gets fee and bond back, the validators are paid, and the owner pays the fee for it.

${SENDING_HELP}

Example: hokusai model veto 0x… ${ACT}`,
  takes: { roundId: required(place('ROUND_ID', id)), ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const { evaluationFee } = await round(client, given.roundId);
      const sent = await veto(client, given.roundId, evaluationFee);
      const text = `Round ${given.roundId} is void. It cost the fee of ${ether(evaluationFee)}.`;
      return { text, json: { roundId: given.roundId, evaluationFee }, sent: [sent] };
    }),
});

const skipped = verb({
  summary: 'pass over cancelled contributions at the head of the queue (anybody)',
  help: `Rarely needed: \`open\` passes over them by itself, and only very many in a row cost more gas than fits a block.

  --max N              pass over so many at most, 1 to 10000 (default 100)
${SENDING_HELP}

Example: hokusai model skip 0x… --max 50 ${ACT}`,
  takes: { modelId: MODEL_ID, max: whole(1, 10_000), ...SENDING },
  perform: (given, note) =>
    acting(given, note, async (client) => {
      const { modelId, max = 100 } = given;
      const skipped = Math.min(max, await cancelledFirst(client, modelId));
      const sent = await skip(client, modelId, BigInt(max));
      return { text: `${skipped} passed over in the queue of ${modelId}.`, json: { modelId, skipped }, sent: [sent] };
    }),
});

export const MODEL: Command = {
  about: 'What the owner of a model does. Every verb that sends takes --dry-run; all take --json.',
  verbs: { power, register, show, budget, policy, benchmark, veto: vetoed, skip: skipped },
};

/** A model on a local chain, with its validators as processes of their own. */
import { join } from 'node:path';
import { type Address, type Hex, numberToHex } from 'viem';
import type { CacheOptions } from '../cache/cache.ts';
import { connect } from '../chain/connect.ts';
import type { LocalChain } from '../chain/local.ts';
import { allocateBudget, model } from '../chain/round.ts';
import type { Sent } from '../chain/send.ts';
import type { Config } from '../config/load.ts';
import type { ModelLine } from '../line.ts';
import { registerLine } from '../model/register.ts';
import type { ProvingOptions } from '../prove/pool.ts';
import type { RunSecrets } from '../secrets.ts';
import type { DataRoot } from '../table/data-root.ts';
import { startValidator, type Validator } from '../validator/validators.ts';
import type { Executor, StepEvent } from './executor.ts';
import { type Action, journalOf, type Outcome, playRound, type Record } from './local-round.ts';

const TEN_ETHER = numberToHex(10n ** 19n);
/** What each validator has at stake, in wei: 1 ether. */
const STAKE = 10n ** 18n;

/** What a contribution is committed under. */
export interface ModelIds {
  readonly modelId: Hex;
  readonly policyHash: Hex;
  readonly benchmarkId: Hex;
}

/** A registered model whose validators are at work. */
export interface LocalModel extends ModelIds {
  /** Registration, before any round. */
  readonly transactions: readonly Action[];
  /** Plays a round to its end: claimed, or rejected. */
  contribute(name: string, data: Uint8Array, root: DataRoot): Promise<Outcome>;
  stop(): void;
}

export interface LocalModelOptions {
  readonly chain: LocalChain;
  readonly config: Config;
  readonly line: ModelLine;
  readonly secrets: RunSecrets;
  /** Holds the sealed contributions, and a folder for each validator. */
  readonly folder: string;
  readonly executor: Executor;
  /** What other runs have computed: each validator takes its own results alone. */
  readonly cache?: CacheOptions;
  readonly proving?: ProvingOptions;
  readonly onEvent?: (validator: number, event: StepEvent) => void;
  readonly onAction?: (action: Action) => void;
}

/** A validator at work, and the account that it votes with. */
export interface StartedValidator {
  readonly validator: Validator;
  readonly address: Address;
}

/** Registers a model and starts its validators. */
export async function openLocalModel(options: LocalModelOptions): Promise<LocalModel> {
  const { config, onEvent } = options;
  const started: StartedValidator[] = [];
  const stop = () => {
    for (const { validator } of started) validator.stop();
  };
  try {
    for (let i = 1; i <= config.policy.validators; i++) {
      started.push(await startLocalValidator(options, i, (event) => onEvent?.(i, event)));
    }
    started.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
    const { actions, record } = journalOf(options.onAction);
    const ids = await registerLocalModel(options, started, record);
    const contribute = (name: string, data: Uint8Array, root: DataRoot) =>
      playRound(options, { ...ids, validators: started }, { name, data, root });
    return { ...ids, transactions: actions, contribute, stop };
  } catch (error) {
    stop();
    throw error;
  }
}

/** Starts the i-th validator, in the folder that is its own in every run. */
export function startLocalValidator(
  { chain, config, secrets, folder, proving, cache }: LocalModelOptions,
  i: number,
  onEvent: (event: StepEvent) => void,
): Promise<StartedValidator> {
  const own = { folder: join(folder, 'validators', String(i)), password: secrets.password };
  const given = { ...own, url: chain.url, deployment: chain.deployment, secrets: secrets.owner };
  const kept = cache && { cache: { ...cache, party: `validator ${i}` } };
  return startValidator({ configFile: config.file, ...given, ...kept, ...(proving && { proving }) }, onEvent);
}

/** Registers the validators, and a model whose rounds they evaluate, with a budget for a fold's rounds. */
export async function registerLocalModel(
  { chain, config, line, secrets, executor }: LocalModelOptions,
  validators: readonly StartedValidator[],
  record: Record,
): Promise<ModelIds> {
  const { url, deployment, accounts } = chain;
  const owner = await connect({ url, deployment, account: accounts.owner });
  for (const { validator, address } of validators) {
    await owner.publicClient.request({ method: 'hardhat_setBalance', params: [address, TEN_ETHER] } as never);
    record('register', await validator.ask<Sent>({ type: 'register', stake: STAKE }));
  }
  const committee = { validators: validators.map(({ address }) => address), committeeSize: 0, minStake: STAKE };
  const { modelSecret } = secrets.owner;
  const { sent } = await registerLine(owner, { config, line, modelSecret, committee, executor });
  const modelId = sent.result;
  record('registerModel', sent);
  const { maxReward, roundsPerFold } = config.policy;
  record('allocateBudget', await allocateBudget(owner, modelId, maxReward * BigInt(roundsPerFold)));
  const { policyHash, benchmarkId } = await model(owner, modelId);
  return { modelId, policyHash, benchmarkId };
}

// What a wallet shows of a transaction before it is signed: ERC-7730 (version 1) descriptors of the contracts that people
// act on, with the addresses of one deployment. `npm run deploy` leaves them beside it.
import type { AbiFunction, AbiParameter } from 'viem';
import { abi, type Deployment } from '../offchain/chain/contracts.ts';
import { CONTRIBUTION_TYPES } from '../offchain/chain/sign-contribution.ts';
import { STATUSES, VOTE_TYPES } from '../offchain/chain/vote.ts';

type Format = 'raw' | 'amount' | 'addressName' | 'enum' | 'unit';
/** A path into the arguments (`@.value` is the ether sent), and what it is called on a small screen. */
type Field = readonly [path: string, label: string, format?: Format];
type Action = readonly [intent: string, ...fields: Field[]];

const ROUND: Field = ['roundId', 'Round'];
const VOTE: readonly Field[] = [
  ['vote.status', 'Finding', 'enum'],
  ['vote.candidateCommitment', 'Candidate'],
  ['vote.metricsHash', 'Report'],
];
const CONTRIBUTION: readonly Field[] = [
  ['modelId', 'Model'],
  ['contributor', 'Contributor', 'addressName'],
  ['payeesRoot', 'Payees'],
  ['dataRoot', 'Data'],
  ['rows', 'Rows'],
  ['policyHash', 'Policy'],
  ['benchmarkId', 'Benchmark'],
];
const under = (name: string, fields: readonly Field[]): Field[] =>
  fields.map(([path, ...rest]) => [`${name}.${path}`, ...rest]);

/** By contract and function: all that changes something, but what contracts call on each other. */
const ACTIONS = {
  Rounds: {
    commit: [
      'Commit to a contribution',
      ['@.value', 'Deposit', 'amount'],
      ['modelId', 'Model'],
      ['policyHash', 'Policy'],
      ['benchmarkId', 'Benchmark'],
      ['commitment', 'Commitment'],
    ],
    cancel: ['Cancel a contribution', ROUND],
    skip: ['Pass over cancelled entries', ['modelId', 'Model'], ['max', 'At most']],
    open: ['Open a contribution', ...under('contribution', CONTRIBUTION)],
    draw: ['Draw fold and committee', ROUND],
    voteCommit: ['Commit to a vote', ROUND, ['voteHash_', 'Vote hash']],
    voteReveal: ['Reveal a vote', ROUND, ...VOTE],
    settle: ['Settle a round', ROUND, ...VOTE, ['attestationHash', 'Attestation']],
    reject: ['Reject a round', ROUND, ...VOTE],
    expire: ['End a phase that is over', ROUND],
    finalise: ['Finalise a round', ROUND],
    proveOverlap: ['Prove overlapping rows', ROUND, ['overlap.digest', 'Row']],
    proveDoubleVote: ['Prove a double vote', ROUND],
    veto: ['Veto a round', ['@.value', 'Fee', 'amount'], ROUND],
    withdraw: ['Withdraw what is owed', ROUND],
    pause: ['Pause all rounds'],
    unpause: ['End the pause'],
  },
  InferenceRegistry: {
    proveInference: [
      'Prove what a model predicts',
      ['inference.modelCommitment', 'Model'],
      ['inference.foldId', 'Fold'],
      ['inference.predictionsRoot', 'Predictions'],
    ],
  },
  Rewards: {
    allocateBudget: ['Allocate a budget', ['modelId', 'Model'], ['amount', 'Smallest units']],
    claim: ['Claim a reward', ['modelId', 'Model'], ROUND, ['weight', 'Weight']],
  },
  ValidatorRegistry: {
    register: [
      'Register as a validator',
      ['@.value', 'Stake', 'amount'],
      ['rounds', 'Rounds', 'addressName'],
      ['ageRecipient', 'Recipient'],
    ],
    setRecipient: ['Change the recipient', ['ageRecipient', 'Recipient']],
    addStake: ['Add to the stake', ['@.value', 'Stake', 'amount']],
    pause: ['Pause validating'],
    resume: ['Resume validating'],
    unbond: ['Leave the validators'],
    withdraw: ['Withdraw the stake'],
    setUnbondingDelay: ['Set the unbonding delay', ['delay', 'Delay', 'unit']],
  },
} as const satisfies Record<string, Record<string, Action>>;

/** What contracts call on each other, and what wallets never see. */
export const UNSIGNED = {
  Rounds: ['setAuthority'],
  InferenceRegistry: [],
  Rewards: ['reserve', 'keep', 'award'],
  ValidatorRegistry: ['slash', 'setAuthority'],
} as const;

const PARAMS: Partial<Record<Format, object>> = {
  addressName: { types: ['eoa', 'wallet', 'contract'] },
  enum: { $ref: '$.metadata.enums.status' },
  unit: { base: 's' },
};

const shown = ([intent, ...fields]: Action) => ({
  intent,
  fields: fields.map(([path, label, format = 'raw']) => ({
    ...{ path, label, format },
    ...(PARAMS[format] && { params: PARAMS[format] }),
  })),
});

const SCHEMA = 'https://eips.ethereum.org/assets/eip-7730/erc7730-v1.schema.json';
const METADATA = { owner: 'Hokusai', enums: { status: Object.fromEntries(STATUSES.map((name, i) => [i, name])) } };

/** The descriptors by file name, as JSON values. */
export function clearSigning(deployment: Deployment): Record<string, unknown> {
  const { chainId, rounds } = deployment;
  const contracts = Object.entries({
    Rounds: rounds,
    InferenceRegistry: deployment.inferenceRegistry,
    Rewards: deployment.rewards,
    ValidatorRegistry: deployment.validatorRegistry,
  } satisfies Record<keyof typeof ACTIONS, string>).map(([name, address]) => {
    const functions = abi(name as keyof typeof ACTIONS).filter(({ type }) => type === 'function') as AbiFunction[];
    const formats = Object.entries<Action>(ACTIONS[name as keyof typeof ACTIONS]).map(([action, described]) => {
      const found = functions.find((item) => item.name === action)!;
      return [signature(found), shown(described)];
    });
    const contract = { abi: functions, deployments: [{ chainId, address }] };
    return [
      `${name}.json`,
      {
        $schema: SCHEMA,
        context: { $id: `Hokusai ${name}`, contract },
        metadata: METADATA,
        display: { formats: Object.fromEntries(formats) },
      },
    ];
  });
  const messages = {
    Contribution: [CONTRIBUTION_TYPES, shown(['Let somebody open this', ...CONTRIBUTION])],
    Vote: [
      VOTE_TYPES,
      shown(['Sign a vote', ROUND, ...VOTE.map(([path, ...rest]): Field => [path.slice(5), ...rest])]),
    ],
  } as const;
  const signed = Object.entries(messages).map(([primaryType, [types, format]]) => [
    `${primaryType}.json`,
    {
      $schema: SCHEMA,
      context: {
        $id: `Hokusai ${primaryType}`,
        eip712: {
          domain: { name: 'Hokusai Rounds', version: '1', chainId, verifyingContract: rounds },
          deployments: [{ chainId, address: rounds }],
          schemas: [{ primaryType, types: { EIP712Domain: DOMAIN, ...types } }],
        },
      },
      metadata: METADATA,
      display: { formats: { [primaryType]: format } },
    },
  ]);
  return Object.fromEntries([...contracts, ...signed]);
}

const DOMAIN = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
];

/** `claim(bytes32 modelId,…)`: with the names that the fields' paths use, those of tuples too. */
const signature = ({ name, inputs }: AbiFunction): string => `${name}(${named(inputs)})`;

const named = (parameters: readonly AbiParameter[]): string =>
  parameters
    .map((parameter) => {
      const { type, name } = parameter;
      const components =
        'components' in parameter ? `(${named(parameter.components)})${type.slice('tuple'.length)}` : type;
      return `${components} ${name}`;
    })
    .join(',');

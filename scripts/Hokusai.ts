// What is deployed once per chain, as a Hardhat Ignition module. RewardToken belongs to whom its parameters name. The
// AccessManager belongs to the deployer, who can pause Rounds and, with notice, change the unbonding delay of validators
// and give these roles to others; the rest belong to nobody.
import { buildModule } from '@nomicfoundation/hardhat-ignition/modules';
import { toFunctionSelector } from 'viem';

const DAY = 86_400;
/** From the draw to the end of its delay, with all pauses that fit in: who leaves after a vote is at stake until then. */
const UNBONDING_DELAY = 63 * DAY;

/** Roles of the AccessManager; 0 is its admin. */
const ADMIN = 0n;
const GUARDIAN = 1n;
const GOVERNOR = 2n;
/** Seconds from the announcement of what the admin or a governor does to its doing. */
const NOTICE = 3 * DAY;

const selectors = (...functions: string[]) => functions.map((signature) => toFunctionSelector(signature));

export default buildModule('Hokusai', (m) => {
  const admin = m.getAccount(0);
  const accessManager = m.contract('AccessManager', [admin]);
  const libraries = { DeltaOne: m.library('DeltaOne') };
  const modelRegistry = m.contract('ModelRegistry', [], { libraries });
  const circuitRegistry = m.contract('CircuitRegistry');
  const inferenceRegistry = m.contract('InferenceRegistry', [modelRegistry, circuitRegistry]);
  const delay = m.getParameter('unbondingDelay', UNBONDING_DELAY);
  const validatorRegistry = m.contract('ValidatorRegistry', [accessManager, delay]);
  const rewards = m.contract('Rewards', [modelRegistry]);
  const parts = { modelRegistry, circuitRegistry, inferenceRegistry, validatorRegistry, rewards };
  const rounds = m.contract('Rounds', [parts, accessManager], { libraries });

  const name = m.getParameter('tokenName', 'Hokusai Reward');
  const symbol = m.getParameter('tokenSymbol', 'HKR');
  const cap = m.getParameter('tokenCap', 10n ** 26n);
  const owner = m.getParameter('tokenOwner', m.getAccount(0));
  const rewardToken = m.contract('RewardToken', [name, symbol, cap, rewards, owner]);

  const pausing = selectors('function pause()', 'function unpause()');
  const governing = selectors('function setUnbondingDelay(uint40)');
  const configured = [
    m.call(accessManager, 'setTargetFunctionRole', [rounds, pausing, GUARDIAN], { id: 'pausing' }),
    m.call(accessManager, 'setTargetFunctionRole', [validatorRegistry, governing, GOVERNOR], { id: 'governing' }),
    m.call(accessManager, 'grantRole', [GUARDIAN, admin, 0], { id: 'guardian' }),
    m.call(accessManager, 'grantRole', [GOVERNOR, admin, NOTICE], { id: 'governor' }),
  ];
  // Last, because from then on the admin acts with notice.
  m.call(accessManager, 'grantRole', [ADMIN, admin, NOTICE], { id: 'admin', after: configured });
  const registries = { modelRegistry, circuitRegistry, inferenceRegistry, validatorRegistry };
  return { accessManager, ...registries, rewards, rounds, rewardToken };
});

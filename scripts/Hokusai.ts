// What is deployed once per chain, as a Hardhat Ignition module. RewardToken belongs to whom its parameters name, and so does
// the AccessManager, which can change nothing but the unbonding delay of validators; the others belong to nobody.
import { buildModule } from '@nomicfoundation/hardhat-ignition/modules';

/** Rounds last up to 30 days, and so does their delay: who leaves after a vote is at stake until the round is final. */
const UNBONDING_DELAY = 63 * 86_400;

export default buildModule('Hokusai', (m) => {
  const modelRegistry = m.contract('ModelRegistry');
  const circuitRegistry = m.contract('CircuitRegistry');
  const rounds = m.contract('Rounds', [modelRegistry, circuitRegistry]);
  const name = m.getParameter('tokenName', 'Hokusai Reward');
  const symbol = m.getParameter('tokenSymbol', 'HKR');
  const cap = m.getParameter('tokenCap', 10n ** 26n);
  const owner = m.getParameter('tokenOwner', m.getAccount(0));
  const rewardToken = m.contract('RewardToken', [name, symbol, cap, rounds, owner]);
  const accessManager = m.contract('AccessManager', [m.getParameter('admin', m.getAccount(0))]);
  const delay = m.getParameter('unbondingDelay', UNBONDING_DELAY);
  const validatorRegistry = m.contract('ValidatorRegistry', [accessManager, delay]);
  return { modelRegistry, circuitRegistry, rounds, rewardToken, accessManager, validatorRegistry };
});

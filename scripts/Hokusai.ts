// What is deployed once per chain, as a Hardhat Ignition module. RewardToken belongs to whom its parameters name; the other
// three belong to nobody.
import { buildModule } from '@nomicfoundation/hardhat-ignition/modules';

export default buildModule('Hokusai', (m) => {
  const modelRegistry = m.contract('ModelRegistry');
  const circuitRegistry = m.contract('CircuitRegistry');
  const libraries = { DeltaOne: m.library('DeltaOne') };
  const rounds = m.contract('Rounds', [modelRegistry, circuitRegistry], { libraries });
  const name = m.getParameter('tokenName', 'Hokusai Reward');
  const symbol = m.getParameter('tokenSymbol', 'HKR');
  const cap = m.getParameter('tokenCap', 10n ** 26n);
  const owner = m.getParameter('tokenOwner', m.getAccount(0));
  const rewardToken = m.contract('RewardToken', [name, symbol, cap, rounds, owner]);
  return { modelRegistry, circuitRegistry, rounds, rewardToken };
});

// The process in which a local chain lives: serves it, deploys the contracts, says where, and ends with its parent.
import type { NetworkConnection } from 'hardhat/types/network';
import type { Address } from 'viem';
import { CONTRACTS, type ContractKey } from './contracts.ts';
import type { LocalChainJob, LocalChainReply } from './local.ts';

// Ctrl-C reaches this process too. The parent may still need its chain to clean up, and this process ends with it.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit());
if (!process.connected) process.exit();
process.once('message', (job: LocalChainJob) => serve(job).then(reply, fail));
// Hardhat's server has no other way to say that its port is taken.
process.once('uncaughtException', fail);

async function serve({ root, port, chainId, privateKeys }: LocalChainJob): Promise<LocalChainReply> {
  const { createHardhatRuntimeEnvironment } = await import('hardhat/hre');
  const { default: ignition } = await import('@nomicfoundation/hardhat-ignition-viem');
  const { default: Hokusai } = await import('../../scripts/Hokusai.ts');
  const hre = await createHardhatRuntimeEnvironment({ plugins: [ignition] }, {}, root);
  // The server makes its own connection; this is where it can be had, to deploy on the same chain.
  const connecting = Promise.withResolvers<NetworkConnection>();
  hre.hooks.registerHandlers('network', {
    async newConnection(context, next) {
      const connection = await next(context);
      connecting.resolve(connection as NetworkConnection);
      return connection;
    },
  });
  const balance = 10n ** 24n;
  const accounts = privateKeys.map((privateKey) => ({ privateKey, balance }));
  const server = await hre.network.createServer({ override: { chainId, accounts } }, '127.0.0.1', port);
  const address = await server.listen();
  const { ignition: deployer } = await connecting.promise;
  // On a simulated network Ignition keeps its journal in memory: nothing is left in deployments/.
  const deployed = await deployer.deploy(Hokusai);
  const keys = Object.keys(CONTRACTS) as ContractKey[];
  return {
    ok: true,
    url: `http://127.0.0.1:${address.port}`,
    addresses: Object.fromEntries(keys.map((key) => [key, deployed[key].address])) as Record<ContractKey, Address>,
  };
}

function reply(message: LocalChainReply): void {
  process.send!(message);
}

function fail(error: NodeJS.ErrnoException): void {
  process.send!({ ok: false, code: error.code, message: error.message } satisfies LocalChainReply, () =>
    process.exit(1),
  );
}

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import hardhatToolboxViem from '@nomicfoundation/hardhat-toolbox-viem';
import { defineConfig } from 'hardhat/config';
import type { HardhatPlugin } from 'hardhat/types/plugins';

/** The compiler comes from the npm package, locked like any other: nothing is downloaded at build time. */
const compiler = (runs: number) => ({
  version: '0.8.37',
  path: fileURLToPath(import.meta.resolve('solc/soljson.js')),
  settings: {
    optimizer: { enabled: true, runs },
    evmVersion: 'cancun',
    viaIR: true,
    // What the hash at the end of each bytecode is of; services such as Sourcify verify sources by it.
    outputSelection: { '*': { '*': ['metadata'] } },
  },
});

/** Compiles on all processors: by itself Hardhat leaves one idle, which of two is half. */
const parallelBuild: HardhatPlugin = {
  id: 'hokusai-parallel-build',
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        build: (context, files, options, next) =>
          next(context, files, { ...options, concurrency: availableParallelism() }),
      }),
    }),
  },
};

export default defineConfig({
  plugins: [hardhatToolboxViem, parallelBuild],
  solidity: {
    compilers: [compiler(10_000)],
    // For speed alone it would be larger than a contract may be.
    overrides: {
      'contracts/Rounds.sol': compiler(50),
      // Its handler is large and deployed nowhere: the older pipeline compiles it in a tenth of the time.
      'test/contracts/Rounds.t.sol': { ...compiler(1), settings: { ...compiler(1).settings, viaIR: false } },
    },
    // Deployed as it is, like a contract of ours: whom the registry of validators answers to.
    npmFilesToBuild: ['@openzeppelin/contracts/access/manager/AccessManager.sol'],
  },
  // A fixed seed: a failure can be had again, and a passing run stays one.
  test: {
    solidity: {
      fuzz: { runs: 1_000, seed: '0x686f6b75736169' },
      // Deep enough for some rounds, one after another.
      invariant: { runs: Number(process.env.INVARIANT_RUNS ?? 16), depth: 256, failOnRevert: true },
    },
  },
  // Ignition writes deployments/chain-<id>/ below this folder; scripts/Hokusai.ts is its module.
  paths: { ignition: '.', tests: { nodejs: 'test/contracts', solidity: 'test/contracts' } },
});

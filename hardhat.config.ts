import { fileURLToPath } from 'node:url';
import hardhatToolboxViem from '@nomicfoundation/hardhat-toolbox-viem';
import { defineConfig } from 'hardhat/config';

export default defineConfig({
  plugins: [hardhatToolboxViem],
  solidity: {
    // The compiler comes from the npm package, locked like any other: nothing is downloaded at build time.
    compilers: [
      {
        version: '0.8.37',
        path: fileURLToPath(import.meta.resolve('solc/soljson.js')),
        settings: { optimizer: { enabled: true, runs: 10_000 }, evmVersion: 'cancun', viaIR: true },
      },
    ],
  },
  paths: { tests: { nodejs: 'test/contracts', solidity: 'test/contracts' } },
});

/** Runs `hokusai data` in a process of its own, and says what it took. */
import { DATA } from '../../offchain/data/verbs.ts';
import { perform } from '../../offchain/verb.ts';

await perform('data', DATA, process.argv.slice(2), () => {});
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMB: maxRSS / 1e3 }));

/** Runs `hokusai data` in a process of its own, and says what it took, part by part. */
import { PARTS } from '../../offchain/data/part.ts';
import { DATA } from '../../offchain/data/verbs.ts';
import { perform } from '../../offchain/verb.ts';

const parts: Record<string, number> = {};
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
let since = 0;
PARTS.subscribe({
  start: () => {
    since = cpuSeconds();
  },
  end() {},
  asyncStart() {},
  asyncEnd: ({ part }) => {
    parts[part] = (parts[part] ?? 0) + cpuSeconds() - since;
  },
  error() {},
});
await perform('data', DATA, process.argv.slice(2), () => {});
const all = cpuSeconds();
const rest = Object.values(parts).reduce((left, seconds) => left - seconds, all);
const peakMB = process.resourceUsage().maxRSS / 1e3;
console.log(JSON.stringify({ cpuSeconds: all, peakMB, parts: { ...parts, 'start and rest': rest } }));

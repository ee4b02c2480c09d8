/**
 * Measures, and prints each figure beside a peer's.
 *
 *   npm run bench -- prove [FAMILY ...] [--json]
 *   npm run bench -- data [--rows N] [--json]
 *   npm run bench -- train [MODEL ...] [--rows N] [--json]
 *   npm run bench -- cache|gas|metrics|miss|pii [--json]
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchCache } from './bench/cache.ts';
import { benchData } from './bench/data.ts';
import { benchGas } from './bench/gas.ts';
import { benchMetrics } from './bench/metrics.ts';
import { benchMiss } from './bench/miss.ts';
import { benchPii } from './bench/pii.ts';
import { benchProve, FAMILIES } from './bench/prove.ts';
import { benchTrain, TRAINED } from './bench/train.ts';

/** One measured figure. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Rows that the figure is for, where it depends on them. */
  readonly rows?: number;
  /** What ours is compared with, and ours divided by the peer's. */
  readonly peer?: string;
  readonly ratio?: number;
  /** Where it comes from, where this run did not measure it. */
  readonly source?: string;
}

/** What can be measured, and the parts that can be named. */
const BENCHES: Record<
  string,
  { parts: readonly string[]; run(parts: readonly string[], rows?: number): AsyncIterable<Figure> }
> = {
  prove: { parts: Object.keys(FAMILIES), run: benchProve },
  cache: { parts: [], run: benchCache },
  gas: { parts: [], run: benchGas },
  data: { parts: [], run: (_, rows) => benchData(rows) },
  metrics: { parts: [], run: benchMetrics },
  miss: { parts: [], run: benchMiss },
  pii: { parts: [], run: benchPii },
  train: { parts: Object.keys(TRAINED), run: benchTrain },
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rows: { type: 'string' } },
  allowPositionals: true,
});
const [name = '', ...parts] = positionals;
const bench = BENCHES[name];
if (!bench || parts.some((part) => !bench.parts.includes(part))) {
  console.error(
    'Usage: npm run bench -- NAME [PART ...] [--json], with all parts where none is named, and NAME among:',
  );
  for (const [known, { parts }] of Object.entries(BENCHES)) console.error(`  ${known} ${parts.join(' ')}`.trimEnd());
  process.exit(2);
}

if (!values.json) {
  const [cpu] = cpus();
  console.log(
    `${cpus().length} x ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}\n`,
  );
}
for await (const figure of bench.run(parts, values.rows === undefined ? undefined : Number(values.rows))) {
  if (values.json) console.log(JSON.stringify(figure));
  else console.log(line(figure));
}

function line({ name, value, unit, rows, peer, ratio, source }: Figure): string {
  const number = Number.isInteger(value) ? String(value) : value.toPrecision(3);
  const beside = peer ? `   ${ratio?.toPrecision(2)} x ${peer}` : source ? `   (${source})` : '';
  return `${name.padEnd(40)} ${number.padStart(10)} ${unit.padEnd(12)} ${rows ? `${rows} rows` : ''}${beside}`;
}

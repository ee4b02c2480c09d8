/**
 * Measures, and prints each figure beside a peer's.
 *
 *   npm run bench -- NAME [--json] [--rows N]      NAME: prove, gas, data, miss, pii; N: of data's table
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchData } from './bench/data.ts';
import { benchGas } from './bench/gas.ts';
import { benchMiss } from './bench/miss.ts';
import { benchPii } from './bench/pii.ts';
import { benchProve } from './bench/prove.ts';

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

const BENCHES: Record<string, (rows?: number) => AsyncIterable<Figure>> = {
  prove: benchProve,
  gas: benchGas,
  data: benchData,
  miss: benchMiss,
  pii: benchPii,
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rows: { type: 'string' } },
  allowPositionals: true,
});
const bench = BENCHES[positionals[0] ?? ''];
if (!bench || positionals.length !== 1) {
  console.error(
    `Usage: npm run bench -- NAME [--json] [--rows N], with NAME among: ${Object.keys(BENCHES).join(', ')}`,
  );
  process.exit(2);
}

if (!values.json) {
  const [cpu] = cpus();
  console.log(
    `${cpus().length} x ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}\n`,
  );
}
for await (const figure of bench(values.rows === undefined ? undefined : Number(values.rows))) {
  if (values.json) console.log(JSON.stringify(figure));
  else console.log(line(figure));
}

function line({ name, value, unit, rows, peer, ratio, source }: Figure): string {
  const number = Number.isInteger(value) ? String(value) : value.toPrecision(3);
  const beside = peer ? `   ${ratio?.toPrecision(2)} x ${peer}` : source ? `   (${source})` : '';
  return `${name.padEnd(40)} ${number.padStart(10)} ${unit.padEnd(12)} ${rows ? `${rows} rows` : ''}${beside}`;
}

/**
 * Compiles the circuits and derives their development keys.
 *
 *   npm run circuits                     write circuits/compiled/ and circuits/circuits.json
 *   npm run circuits -- --check [NAME]   compile again and compare with what is checked in; write nothing
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { sha256 } from '../offchain/canonical.ts';
import {
  CIRCUITS,
  CIRCUITS_FOLDER,
  type CircuitName,
  type CircuitRecord,
  circuitRecords,
} from '../offchain/prove/circuits.ts';
import { compile } from '../offchain/prove/compile.ts';
import { sha256OfFile, writeDevelopmentKey } from '../offchain/prove/key-file.ts';
import { circuitId, developmentVerificationKey } from '../offchain/prove/keys.ts';
import { readR1cs } from '../offchain/prove/r1cs.ts';

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in CIRCUITS));
if (unknown.length > 0) {
  console.error(`No circuit is called ${unknown.join(', ')}. There are: ${Object.keys(CIRCUITS).join(', ')}.`);
  process.exit(2);
}
const names = (positionals.length > 0 ? positionals : Object.keys(CIRCUITS)) as CircuitName[];

const compress = (bytes: Uint8Array) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 9,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

const folder = mkdtempSync(join(tmpdir(), 'hokusai-circuits-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const records: Partial<Record<CircuitName, CircuitRecord>> = {};
for (const name of names) {
  const started = performance.now();
  const keyFile = join(folder, `${name}.zkey`);
  const { r1cs, wasm } = await compile(CIRCUITS[name], CIRCUITS_FOLDER);
  const system = readR1cs(r1cs);
  await writeDevelopmentKey(r1cs, keyFile);
  records[name] = {
    constraints: system.constraints.length,
    signals: system.signals,
    publicSignals: system.publicSignals,
    r1cs: sha256(r1cs),
    wasm: sha256(wasm),
    developmentKey: await sha256OfFile(keyFile),
    developmentCircuitId: circuitId(developmentVerificationKey(system)),
  };
  console.log(
    `${name}: ${system.constraints.length} constraints, ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  if (!values.check) {
    mkdirSync(join(CIRCUITS_FOLDER, 'compiled'), { recursive: true });
    writeFileSync(join(CIRCUITS_FOLDER, 'compiled', `${name}.r1cs.br`), compress(r1cs));
    writeFileSync(join(CIRCUITS_FOLDER, 'compiled', `${name}.wasm.br`), compress(wasm));
  }
}

if (values.check) {
  const onRecord = circuitRecords();
  const changed = names.filter((name) => JSON.stringify(onRecord[name]) !== JSON.stringify(records[name]));
  for (const name of changed)
    console.error(
      `${name} differs.\n  on record ${JSON.stringify(onRecord[name])}\n  made      ${JSON.stringify(records[name])}`,
    );
  if (changed.length > 0) process.exit(1);
} else {
  const kept = positionals.length > 0 ? circuitRecords() : {};
  writeFileSync(join(CIRCUITS_FOLDER, 'circuits.json'), `${JSON.stringify({ ...kept, ...records }, null, 2)}\n`);
}

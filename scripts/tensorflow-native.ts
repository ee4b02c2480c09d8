/**
 * Builds the native back-end of TensorFlow.js, for `training.backend: native`.
 *
 *   npm run tensorflow:native      Linux on x86-64; needs g++ and unzip, downloads 300 MB and keeps 900
 *
 * Its own installer downloads from a host that many networks have not got. Here the JavaScript and the sources of what
 * calls TensorFlow come from npm, and TensorFlow itself is taken out of the wheel that PyPI has, whose code never runs
 * but for its libraries. All is checked against hashes: the lock file's in scripts/tensorflow-native, and the wheel's below.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nativeFolder } from '../offchain/train/native-tensorflow.ts';

const WHEEL = {
  url: 'https://files.pythonhosted.org/packages/d0/f4/058dc567de1ac67120a85119f19fe6288f45f6b08db8c03dfb38fa664874/tensorflow_cpu-2.15.1-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
  sha256: 'ba9503db2c5357ea21938555323581fbdabf3d051b6bc1b5f73c5b0ae034d077',
};
/** What is taken out of it. */
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const HEADERS = ['tensorflow/include/tensorflow/*', 'tensorflow/include/tsl/*'];

/** What Node 23 took out of node:util, and TensorFlow.js calls. */
const SHIM = "const u = require('node:util'); u.isNullOrUndefined ??= (v) => v == null; u.isArray ??= Array.isArray;";

if (process.platform !== 'linux' || process.arch !== 'x64') {
  fail(2, 'It is for Linux on x86-64; elsewhere training.backend: wasm trains.');
}
const folder = nativeFolder();
const parts = `${folder}.${process.pid}`;
process.on('exit', () => rmSync(parts, { recursive: true, force: true }));
await build(parts);
await rm(folder, { recursive: true, force: true });
await rename(parts, folder);
console.log(`Built ${folder}. training.backend: native trains with it.`);

async function build(into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  const locked = join(import.meta.dirname, 'tensorflow-native');
  for (const name of ['package.json', 'package-lock.json']) await copyFile(join(locked, name), join(into, name));
  run('npm', ['ci', '--ignore-scripts', '--loglevel=error'], into);
  const home = join(into, 'node_modules/@tensorflow/tfjs-node');
  const wheel = join(into, 'tensorflow.whl');
  await writeFile(wheel, await downloaded());
  run('unzip', ['-q', wheel, ...LIBRARIES.map((name) => `tensorflow/${name}`), ...HEADERS], into);
  await rm(wheel);
  await mkdir(join(home, 'deps/lib'), { recursive: true });
  for (const name of LIBRARIES) await rename(join(into, 'tensorflow', name), join(home, 'deps/lib', name));
  await mkdir(join(home, 'lib/napi-v8'), { recursive: true });
  const sources = (await readdir(join(home, 'binding'))).filter((name) => name.endsWith('.cc'));
  run('g++', [...flagsOf(into, home), ...sources.map((name) => `binding/${name}`), ...linked()], home);
  await rm(join(into, 'tensorflow'), { recursive: true });
  // It has to load before it takes the place of another.
  run(process.execPath, ['-e', `${SHIM} require('@tensorflow/tfjs-node')`], into);
  await writeFile(join(into, 'built'), '');
}

function flagsOf(into: string, home: string): string[] {
  const headers = [join(into, 'node_modules/node-api-headers/include'), join(into, 'tensorflow/include'), home];
  const always = ['-shared', '-fPIC', '-O2', '-std=c++17', '-w', '-DNAPI_VERSION=8'];
  return [...always, '-o', 'lib/napi-v8/tfjs_binding.node', ...headers.map((at) => `-I${at}`)];
}

function linked(): string[] {
  return ['-Ldeps/lib', ...LIBRARIES.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN/../../deps/lib'];
}

async function downloaded(): Promise<Uint8Array> {
  console.error('Downloading TensorFlow (207 MB) …');
  const answer = await fetch(WHEEL.url).catch((error) => fail(75, `${WHEEL.url} cannot be fetched: ${error}`));
  if (!answer.ok) fail(75, `${WHEEL.url} answers ${answer.status}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== WHEEL.sha256) fail(1, `The wheel's SHA-256 is ${found}, expected ${WHEEL.sha256}.`);
  return bytes;
}

function run(command: string, parameters: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(command, parameters, { cwd, stdio: ['ignore', 2, 2] });
  if (error) fail(2, `${command} is not on the PATH. Install it, or go on with training.backend: wasm.`);
  if (status !== 0) fail(1, `${command} failed, see above.`);
}

function fail(code: number, message: string): never {
  console.error(message);
  process.exit(code);
}

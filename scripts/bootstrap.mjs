/**
 * Runs a script of this project on a machine with Node 20 or later and nothing else: fetches Node 22 from the npm
 * package `node` where the present one is older, installs the locked dependencies where they are missing or stale,
 * and hands over. Plain JavaScript, because it must run before anything is there.
 *
 *   node scripts/bootstrap.mjs SCRIPT [ARGUMENT...]
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_22 = 'node@22.23.3';
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split('.').map(Number);
const recent = major > 22 || (major === 22 && minor >= 18);

if (!recent) {
  process.exit(
    await handOver('npx', [
      '--yes',
      `--package=${NODE_22}`,
      '--',
      'node',
      fileURLToPath(import.meta.url),
      ...process.argv.slice(2),
    ]),
  );
}

install();
build();
process.exit(await handOver(process.execPath, process.argv.slice(2)));

/** `npm ci`, unless node_modules is what this lock file and this Node asked for last time. */
function install() {
  const wanted = `${sha256(['package-lock.json'])} node ${major} ${process.platform} ${process.arch}\n`;
  once('node_modules/.hokusai-installed', wanted, 'Installing the locked dependencies (npm ci) …', () => {
    const { status } = spawnSync('npm', ['ci', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
    if (status === 0) return;
    console.error('npm ci failed (above). Check the connection to the npm registry, and run the same command again.');
    process.exit(75);
  });
}

/**
 * `hardhat build`, unless the contracts are as they were last time: everything that talks to a chain reads their ABIs. What
 * only tests deploy is left to the tests.
 */
function build() {
  const sources = ['hardhat.config.ts', ...readdirSync(join(root, 'contracts')).map((name) => `contracts/${name}`)];
  once('artifacts/.hokusai-built', `${sha256(sources.sort())}\n`, 'Compiling the contracts …', () => {
    const hardhat = join(root, 'node_modules/hardhat/dist/src/cli.js');
    const { status } = spawnSync(process.execPath, [hardhat, 'build', '--no-tests'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0) process.exit(1);
  });
}

/** Does a task unless the stamp says that it was done for the same thing. */
function once(stamp, wanted, message, task) {
  const file = join(root, stamp);
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) return;
  console.error(message);
  task();
  writeFileSync(file, wanted);
}

function sha256(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** Runs a program in our place: its output, its signals and its exit code are ours. */
function handOver(command, parameters) {
  const child = spawn(command, parameters, { stdio: 'inherit' });
  // The terminal sends Ctrl-C to the child too; we stay until it has cleaned up.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

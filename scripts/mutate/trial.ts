// A copy of the project whose contracts are replaced by mutants, and its tests run on them.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Target } from './targets.ts';

/** Code as the compiler gives it, and as artifacts keep it. */
interface Code {
  readonly object: string;
  readonly linkReferences: object;
}
export type Contracts = Record<string, Record<string, { readonly evm: { readonly bytecode: Code } }>>;
/** Offset in a file, in bytes. */
export interface Place {
  readonly file: string;
  readonly start: number;
}
interface Output {
  readonly errors?: readonly { readonly severity: string; readonly sourceLocation?: Place }[];
  readonly sources: Record<string, { readonly ast: unknown }>;
  readonly contracts?: Contracts;
}

const solc = createRequire(import.meta.url)('solc') as { compile(input: string, callbacks: object): string };
/** As the trial's chain is told: mutants are compiled in haste, and so are large. */
const CONFIG = `import networkHelpers from '@nomicfoundation/hardhat-network-helpers';
import viem from '@nomicfoundation/hardhat-viem';
import viemAssertions from '@nomicfoundation/hardhat-viem-assertions';
import { defineConfig } from 'hardhat/config';
const network = { type: 'edr-simulated', allowUnlimitedContractSize: true } as const;
export default defineConfig({ plugins: [networkHelpers, viem, viemAssertions], networks: { default: network } });
`;
/** A mutant that runs on and on is killed by that. */
const LONGEST = 120_000;

const read = (file: string) => readFileSync(file.startsWith('@') ? `node_modules/${file}` : file, 'utf8');

function compileSources(sources: Record<string, string>, settings: object, outputSelection: object): Output {
  const content = Object.fromEntries(Object.entries(sources).map(([file, text]) => [file, { content: text }]));
  const input = {
    ...{ language: 'Solidity', sources: content },
    settings: { evmVersion: 'cancun', ...settings, outputSelection },
  };
  const found = (file: string) => ({ contents: sources[file] ?? read(file) });
  return JSON.parse(solc.compile(JSON.stringify(input), { import: found })) as Output;
}

/** The compiler's syntax tree. */
export const syntaxOf = (file: string): unknown =>
  compileSources({ [file]: read(file) }, { stopAfter: 'parsing' }, { [file]: { '': ['ast'] } }).sources[file]!.ast;

/** Sources with some replaced, as the target's contracts; or where in them the compiler finds errors, which is soon told. */
export function compile(target: Target, replaced: Record<string, string> = {}): Contracts | readonly Place[] {
  const roots = Object.fromEntries(target.contracts.map(([file]) => [file, read(file)]));
  const places = (selection: object) => {
    const { contracts, errors = [] } = compileSources({ ...roots, ...replaced }, target.settings, selection);
    const failed = errors.filter(({ severity }) => severity === 'error');
    return failed.length > 0 ? failed.map((error) => error.sourceLocation ?? { file: '', start: 0 }) : contracts!;
  };
  const checked = places({});
  if (Array.isArray(checked)) return checked;
  const members = ['evm.bytecode.object', 'evm.bytecode.linkReferences'];
  return places(Object.fromEntries(target.contracts.map(([file, name]) => [file, { [name]: members }])));
}

/** Everything that the tests of contracts read. */
export function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hokusai-mutants-'));
  for (const path of ['artifacts', 'circuits', 'offchain', 'test', 'package.json']) {
    cpSync(path, join(folder, path), { recursive: true, filter: (file) => basename(file) !== 'build-info' });
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'hardhat.config.ts'), CONFIG);
  return folder;
}

/** Lets the copy's tests deploy these, with the mutant of this number in force; none for zero. */
export function install(folder: string, contracts: Contracts, number: number): void {
  for (const [file, named] of Object.entries(contracts)) {
    for (const [name, { evm }] of Object.entries(named)) {
      const artifact = join(folder, 'artifacts', file, `${name}.json`);
      const bytecode = `0x${evm.bytecode.object.slice(0, -64)}${number.toString(16).padStart(64, '0')}`;
      const code = { bytecode, linkReferences: evm.bytecode.linkReferences };
      writeFileSync(artifact, JSON.stringify({ ...JSON.parse(readFileSync(artifact, 'utf8')), ...code }));
    }
  }
}

/** The first test that fails, if any does: the first file alone, as the others seldom run. What measures gas is left out. */
export async function firstFailure(folder: string, tests: readonly string[]): Promise<string | undefined> {
  return (await failureOf(folder, tests.slice(0, 1))) ?? (await failureOf(folder, tests.slice(1)));
}

async function failureOf(folder: string, files: readonly string[]): Promise<string | undefined> {
  if (files.length === 0) return undefined;
  const options = [
    '--test',
    '--experimental-test-isolation=none',
    '--test-reporter=tap',
    '--test-skip-pattern=/costs|gas of/',
  ];
  // The same modules are loaded for each mutant, which takes longer than most tests.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache') };
  const child = spawn(process.execPath, [...options, ...files], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST);
  const ended = new Promise<number | null>((done) => child.once('close', done));
  let failed: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    failed = /^\s*not ok \d+ - (.*)$/.exec(line)?.[1];
    if (failed) break;
  }
  // What is still to come does not matter any more.
  if (failed) child.kill('SIGKILL');
  const status = await ended;
  clearTimeout(timer);
  return failed ?? (status === 0 ? undefined : `${basename(files[0]!)} ended with ${status ?? 'a signal'}`);
}

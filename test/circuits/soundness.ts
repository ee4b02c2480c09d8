/**
 * Tools that test whether a circuit's constraints mean what its source says, for any template.
 *
 * The witness calculator and `assert()` prove nothing: a dishonest prover runs his own. So a liar's witness is made by
 * compiling a changed source, in which every signal keeps its name, and is then held against the honest constraints.
 */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import * as snarkjs from 'snarkjs';
import type { HokusaiError } from '../../offchain/errors.ts';
import { CIRCUITS_FOLDER } from '../../offchain/prove/circuits.ts';
import { type Compiled, compile, type Main, type Optimisation } from '../../offchain/prove/compile.ts';
import { fromLittleEndian, inverse, mod, R } from '../../offchain/prove/field.ts';
import { type Combination, type R1cs, readR1cs } from '../../offchain/prove/r1cs.ts';

export type Inputs = Readonly<Record<string, string | readonly string[] | readonly (readonly string[])[]>>;

/** A compiled circuit: its constraints, and the name of each signal that they speak of. */
export interface Circuit {
  readonly compiled: Compiled;
  readonly r1cs: R1cs;
  /** Name of each signal of the witness; signal 0 is the constant 1. */
  readonly names: readonly string[];
}

/** A change of one line of one source file. */
export interface Change {
  readonly file: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

const built = new Map<string, Promise<Circuit>>();

/** The circuit of the sources as they are, compiled once. */
export function honestCircuit(main: Main): Promise<Circuit> {
  const key = JSON.stringify(main);
  if (!built.has(key)) built.set(key, build(main));
  return built.get(key)!;
}

/**
 * Compiles a circuit, with changed sources where `changes` says so.
 *
 * @param calculator without it the circuit has no witness of its own, and can only `believe` another's
 */
export async function build(
  main: Main,
  changes: readonly Change[] = [],
  optimisation?: Optimisation,
  calculator?: boolean,
): Promise<Circuit> {
  const folder = await mkdtemp(join(tmpdir(), 'hokusai-mutant-'));
  try {
    for (const file of await sources()) {
      const lines = (await readFile(join(CIRCUITS_FOLDER, file), 'utf8')).split('\n');
      for (const change of changes) if (change.file === file) lines[change.line - 1] = change.after;
      await writeFile(join(folder, file), lines.join('\n'));
    }
    const compiled = await compile(main, folder, optimisation, calculator);
    const r1cs = readR1cs(compiled.r1cs);
    const byLabel = new Map(compiled.sym.split('\n').map((line) => [line.split(',')[0], line.split(',')[3]]));
    return { compiled, r1cs, names: Array.from(r1cs.labels, (label) => byLabel.get(String(label)) ?? 'one') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The witness that the circuit's own calculator makes. */
export async function witness({ compiled }: Circuit, inputs: Inputs): Promise<bigint[]> {
  const file = { type: 'mem' as const, data: new Uint8Array() };
  await snarkjs.wtns.calculate(inputs, compiled.wasm, file);
  // Header of the wtns format: 12 bytes, section 1 of 12 + 40 bytes, then section 2, the values.
  const start = 12 + 12 + 40 + 12;
  return Array.from({ length: (file.data.length - start) / 32 }, (_, i) => fromLittleEndian(file.data, start + 32 * i));
}

/** The values that a liar, built with `O0`, gives to each signal, by the signal's name. */
export type Lie = ReadonlyMap<string, bigint>;

/** What a liar makes of the inputs. */
export async function lie(liar: Circuit, inputs: Inputs): Promise<Lie> {
  const values = await witness(liar, inputs);
  return new Map(liar.names.map((name, i) => [name, values[i]!]));
}

/** A witness for a circuit with a liar's values for the signals of the same names. */
export function believe({ names }: Circuit, told: Lie): bigint[] {
  return names.map((name) => {
    const value = told.get(name);
    if (value === undefined) throw new Error(`The liar has no signal ${name}.`);
    return value;
  });
}

/** The signals that are inputs of the main component. */
const inputsOf = ({ r1cs, names }: Circuit): number[] =>
  [...names.keys()].slice(r1cs.outputs + 1, r1cs.publicSignals + r1cs.privateInputs + 1);

function evaluate({ signals, values }: Combination, w: readonly bigint[]): bigint {
  let sum = 0n;
  for (const [k, signal] of signals.entries()) sum += values[k]! * w[signal]!;
  return sum;
}

/** The constraints that a witness violates. */
export const violations = ({ r1cs }: Circuit, w: readonly bigint[]): number[] =>
  r1cs.constraints.flatMap(([a, b, c], i) => (mod(evaluate(a, w) * evaluate(b, w) - evaluate(c, w)) === 0n ? [] : [i]));

/**
 * The signals that the constraints do not pin to their value once the inputs are given: those that the Jacobian of the
 * constraints at `w`, with the inputs held fixed, leaves a direction. Empty means that no signal can be moved by any small
 * step.
 *
 * Once more with what is pinned held fixed too, until nothing more is: a bit that is masked by 0, x (x - 0) = 0, has no
 * gradient, but pins x.
 */
export function freeSignals(circuit: Circuit, w: readonly bigint[]): string[] {
  const { r1cs, names } = circuit;
  // Short constraints first: long ones are then reduced by short pivots, in a third of the time.
  const terms = (constraint: R1cs['constraints'][number]) =>
    constraint.reduce((sum, { signals }) => sum + signals.length, 0);
  const constraints = [...r1cs.constraints].sort((one, other) => terms(one) - terms(other));
  const pinned = new Set([0, ...inputsOf(circuit)]);
  for (let before = -1; before < pinned.size; ) {
    before = pinned.size;
    const pivots = new Map<number, Map<number, bigint>>();
    for (const constraint of constraints) eliminate(gradient(constraint, w, pinned), pivots);
    // A row holds no pivots of rows before it: from the last one on, those behind it are decided.
    for (const [signal, row] of [...pivots].reverse()) {
      if ([...row.keys()].every((column) => column === signal || pinned.has(column))) pinned.add(signal);
    }
  }
  return names.filter((_, signal) => !pinned.has(signal));
}

/** What a constraint a b = c says of a small step from `w` in the signals that are not pinned. */
function gradient([a, b, c]: R1cs['constraints'][number], w: readonly bigint[], pinned: ReadonlySet<number>) {
  const row = new Map<number, bigint>();
  const add = (into: Map<number, bigint>, { signals, values }: Combination, factor: bigint) => {
    for (const [k, signal] of signals.entries()) {
      if (!pinned.has(signal)) setOrDrop(into, signal, mod((into.get(signal) ?? 0n) + values[k]! * factor));
    }
    return into;
  };
  const [left, right] = [mod(evaluate(a, w)), mod(evaluate(b, w))];
  add(add(add(row, a, right), b, left), c, R - 1n);
  if (left !== 0n || right !== 0n || row.size > 0) return row;
  // Both factors are 0. Where one is a multiple of the other, what has to be 0 is a square.
  const [first, second] = [add(new Map(), a, 1n), add(new Map(), b, 1n)];
  const [column] = first.keys();
  if (column === undefined || !second.has(column)) return row;
  const factor = mod((R - first.get(column)!) * inverse(second.get(column)!));
  return add(new Map(first), b, factor).size === 0 ? first : row;
}

function setOrDrop(row: Map<number, bigint>, column: number, value: bigint): void {
  if (value === 0n) row.delete(column);
  else row.set(column, value);
}

/** One step of Gaussian elimination: reduces a row by the pivots so far, and makes what is left of it a pivot. */
function eliminate(row: Map<number, bigint>, pivots: Map<number, Map<number, bigint>>): void {
  for (;;) {
    const column = [...row.keys()].find((key) => pivots.has(key));
    if (column === undefined) break;
    const factor = row.get(column)!;
    for (const [key, value] of pivots.get(column)!) setOrDrop(row, key, mod((row.get(key) ?? 0n) - factor * value));
  }
  const [column] = row.keys();
  if (column === undefined) return;
  const scale = inverse(row.get(column)!);
  pivots.set(column, new Map([...row].map(([key, value]) => [key, (value * scale) % R])));
}

// An anonymous component on the right is no expression: the compiler accepts neither `<--` nor a sum with it, and what
// it computes is constrained by its own template.
const STATEMENT = /^\s*[^/\s].*(<==(?!\s*\w+\(.*\)\()|===)/;

/** Changes that weaken a source: each `<==` becomes `<--`, each `===` is dropped. */
export async function weakenings(files: readonly string[]): Promise<Change[]> {
  return (await statements(files)).map(({ file, line, text }) => ({
    file,
    line,
    before: text,
    after: text.includes('<==') ? text.replace('<==', '<--') : ' '.repeat(text.length),
  }));
}

/** Changes that make a source lie consistently: each `<==` assigns 1 too much, and all that follows from it is computed. */
export async function falsehoods(files: readonly string[]): Promise<Change[]> {
  return (await statements(files))
    .filter(({ text }) => text.includes('<=='))
    .map(({ file, line, text }) => ({
      file,
      line,
      before: text,
      // Four spaces of indentation less: the compiler names anonymous components by their offset in the file.
      after: text.replace('<==', '<== 1 +').slice(4),
    }));
}

/** Changes that let a source accept whatever it is given: each `===` is dropped. */
export const gullible = async (files: readonly string[]): Promise<Change[]> =>
  (await weakenings(files)).filter(({ after }) => after.trim() === '');

/** All sources of the circuits. */
const sources = async (): Promise<string[]> =>
  (await readdir(CIRCUITS_FOLDER)).filter((name) => name.endsWith('.circom'));

/** A change of the one line that reads as it says, of equal length: anonymous components are named by their offset. */
async function located({ file, before: text, after }: Pick<Change, 'file' | 'before' | 'after'>): Promise<Change> {
  const lines = (await readFile(join(CIRCUITS_FOLDER, file), 'utf8')).split('\n');
  const found = lines.flatMap((line, i) => (line.trim() === text ? [i + 1] : []));
  assert.equal(found.length, 1, `${file}: ${text}`);
  const [line] = found as [number];
  assert.ok(after.length <= lines[line - 1]!.length, `${file}: ${after}`);
  return { file, line, before: text, after: after.padEnd(lines[line - 1]!.length) };
}

async function statements(files: readonly string[]): Promise<{ file: string; line: number; text: string }[]> {
  const found = [];
  for (const file of files) {
    const lines = (await readFile(join(CIRCUITS_FOLDER, file), 'utf8')).split('\n');
    for (const [i, text] of lines.entries()) if (STATEMENT.test(text)) found.push({ file, line: i + 1, text });
  }
  return found;
}

/** Private inputs that a family of inferences hands on to its chain and does not read: what the chain is given is the input. */
export const HANDED_ON = Object.fromEntries(
  ['first', 'last', 'done', 'rowsBefore', 'part', 'active'].map((name) => [
    `chain.${name} <== ${name};`,
    'only the chain reads it',
  ]),
);

/** What `describeSoundness` is told of a template. */
export interface Subject {
  /** Small, with the constraints of the large classes. */
  readonly main: Main;
  /** Sources whose statements are weakened and falsified. */
  readonly files: readonly string[];
  /** Inputs of honest provers, which leave no signal free; the first is what liars tell otherwise. */
  readonly honest: readonly Inputs[];
  /** What a prover could wish for, each with the name of the attack. */
  readonly dishonest: Readonly<Record<string, Inputs>>;
  /** Lines of the sources that a prover could compute otherwise on the first honest inputs, each with the name of the attack. */
  readonly forged?: Readonly<Record<string, Pick<Change, 'file' | 'before' | 'after'>>>;
  /** Inputs that a witness is computed of, and others that it is said to be of, each with the name of the attack. */
  readonly disguised?: Readonly<Record<string, { readonly told: Inputs; readonly shown: Inputs }>>;
  /** The ends of the names of signals that are free, each with the reason why that does no harm. */
  readonly free?: Readonly<Record<string, string>>;
  /** Lines that may be weakened, each with the reason why that does no harm. */
  readonly harmless?: Readonly<Record<string, string>>;
  /** Fewest lies and mutants that the sources are known to give. */
  readonly least: { readonly lies: number; readonly mutants: number };
}

/** Whether the mutants of a source are tried too, each of which is compiled: `npm run test:long`. */
const LONG = process.env.LONG === '1';

/**
 * What every template has to pass: honest witnesses hold and leave no signal free, no lie holds, moved in many signals
 * together, and (in the long run of the tests) each weakened constraint is noticed by one of the two.
 */
export function describeSoundness(name: string, subject: Subject): void {
  const { main, files, honest, dishonest, forged = {}, disguised = {}, free = {}, harmless = {}, least } = subject;
  const unpinned = (circuit: Circuit, w: readonly bigint[]) =>
    freeSignals(circuit, w).filter((signal) => !Object.keys(free).some((end) => signal.endsWith(end)));

  describe(`soundness of ${name}`, () => {
    let circuit: Circuit;
    let believer: Circuit;
    let lies: [name: string, told: Lie][];

    before(async () => {
      circuit = await honestCircuit(main);
      const trusting = await gullible(await sources());
      believer = await build(main, trusting, 'O0');
      lies = [];
      for (const [attack, inputs] of Object.entries(dishonest)) lies.push([attack, await lie(believer, inputs)]);
      await forAll(Object.entries(forged), async ([attack, change]) => {
        const forger = await build(main, [await located(change), ...trusting], 'O0');
        lies.push([attack, await lie(forger, honest[0]!)]);
      });
      for (const [attack, { told, shown }] of Object.entries(disguised)) {
        const [witnessed, truth] = [await lie(believer, told), await lie(believer, shown)];
        const names = inputsOf(circuit).map((signal) => circuit.names[signal]!);
        lies.push([attack, new Map([...witnessed, ...names.map((name) => [name, truth.get(name)!] as const)])]);
      }
      if (!LONG) return;
      const truth = await lie(believer, honest[0]!);
      await forAll(await falsehoods(files), async (change) => {
        const liar = await build(main, [change, ...trusting], 'O0').catch(notAnArray);
        if (!liar) return;
        const told = await lie(liar, honest[0]!);
        // A line of another size class is in no signal.
        if (!sameValues(told, truth)) lies.push([`one too much in ${place(change)}`, told]);
      });
    });

    it('accepts the honest witness, and the liars can tell the truth too', async () => {
      for (const inputs of honest) {
        assert.deepEqual(violations(circuit, await witness(circuit, inputs)), []);
        assert.deepEqual(violations(circuit, believe(circuit, await lie(believer, inputs))), []);
      }
    });

    it('leaves no signal free, so the outputs follow from the inputs', async () => {
      for (const inputs of honest) assert.deepEqual(unpinned(circuit, await witness(circuit, inputs)), []);
    });

    it('rejects every dishonest witness, moved in many signals together', () => {
      assert.ok(lies.length >= (LONG ? least.lies : Object.keys({ ...dishonest, ...forged, ...disguised }).length));
      for (const [attack, told] of lies) assert.notDeepEqual(violations(circuit, believe(circuit, told)), [], attack);
    });

    const kills = 'kills every mutant of the source: a dropped constraint lets a lie through or a signal free';
    it(kills, { skip: !LONG && 'npm run test:long' }, async () => {
      const survivors: string[] = [];
      const truths = await Promise.all(honest.map((inputs) => lie(believer, inputs)));
      const { compiled: whole } = await build(main, [], 'O1', false);
      const changes = await weakenings(files);
      const own = changes.map(({ before }) => before.trim());
      for (const line of Object.keys(harmless)) assert.ok(own.includes(line), line);
      let mutants = 0;
      await forAll(changes, async (change) => {
        if (change.before.trim() in harmless) return;
        // Without a calculator of its own, and with the linear constraints left in, it compiles four times as fast.
        const mutant = await build(main, [change], 'O1', false);
        // A line of another size class is in no constraint.
        if (Buffer.compare(mutant.compiled.r1cs, whole.r1cs) === 0) return;
        mutants++;
        if (truths.some((truth) => unpinned(mutant, believe(mutant, truth)).length > 0)) return;
        for (const [, told] of lies) if (violations(mutant, believe(mutant, told)).length === 0) return;
        survivors.push(place(change));
      });
      assert.deepEqual(survivors, []);
      assert.ok(mutants >= least.mutants, String(mutants));
    });
  });
}

/** A whole array that is assigned at once cannot be one too much. */
function notAnArray(error: HokusaiError): undefined {
  if (error.code !== 'CIRCUIT_COMPILE' || !error.message.includes('not allowed by the operator')) throw error;
}

const sameValues = (one: Lie, other: Lie): boolean => [...one].every(([name, value]) => other.get(name) === value);

/** Runs `task` for all items, two at a time. */
async function forAll<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
  };
  await Promise.all([worker(), worker()]);
}

const place = ({ file, line, before: text }: Change) => `${file}:${line}: ${text.trim()}`;

/**
 * Changes one operator, constant, condition or statement of a contract at a time, and lists the changes that no test
 * notices. contracts/mutants.md says what came of it.
 *
 *   npm run mutate -- [--file GLOB] [--sample N] [--list] [--again] [--json]
 *
 *   --file GLOB   mutants of these contracts only
 *   --sample N    N of them, evenly spaced
 *   --list        only lists them
 *   --again       tries survivors once more and nothing else, for after a test was added
 *   --json        prints all that is kept of each
 *
 * What came of a mutant is kept in cache/mutants.json for as long as its contract stays the same: a run that was stopped
 * goes on where it was.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, matchesGlob } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutantsOf } from './mutate/operators.ts';
import { TARGETS, type Target } from './mutate/targets.ts';
import { type Contracts, compile, copyProject, firstFailure, install, type Place, syntaxOf } from './mutate/trial.ts';
import { weave } from './mutate/weave.ts';

/** `invalid` does not compile and `same` compiles to the same code: neither counts. `by` is the test that failed first. */
type Outcome =
  | { readonly verdict: 'survived' | 'invalid' | 'same' }
  | { readonly verdict: 'killed'; readonly by: string };

interface Candidate {
  readonly file: string;
  readonly source: Buffer;
  readonly target: Target;
  readonly mutant: Mutant;
}

const KEPT = 'cache/mutants.json';
/** More make the code larger than a block can deploy. */
const TOGETHER = 24;
const { values: options } = parseArgs({
  options: {
    file: { type: 'string', default: 'contracts/*.sol' },
    sample: { type: 'string' },
    list: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const chosen = spaced(
  TARGETS.flatMap(candidatesOf),
  options.sample ? Number(options.sample) : Number.POSITIVE_INFINITY,
);
if (options.list) for (const candidate of chosen) console.log(lineOf(candidate));
else await tryAll();

function candidatesOf(target: Target): Candidate[] {
  const files = target.sources.filter((file) => matchesGlob(file, options.file));
  return files.flatMap((file) => {
    const source = readFileSync(file);
    return mutantsOf(source, syntaxOf(file)).map((mutant) => ({ file, source, target, mutant }));
  });
}

function spaced<T>(all: readonly T[], most: number): T[] {
  const size = Math.min(most, all.length);
  return Array.from({ length: size }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / size)]!);
}

async function tryAll(): Promise<void> {
  const kept = new Map<string, Outcome>(existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, 'utf8')) : []);
  const folder = copyProject();
  try {
    for (const of of Map.groupBy(chosen, ({ target }) => target).values()) await tryThese(of, kept, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
  summarise(kept);
}

async function tryThese(all: readonly Candidate[], kept: Map<string, Outcome>, folder: string): Promise<void> {
  const open = all.filter((candidate) => {
    const outcome = kept.get(keyOf(candidate));
    return options.again ? outcome?.verdict === 'survived' : !outcome;
  });
  const keep = (candidate: Candidate, outcome: Outcome) => {
    kept.set(keyOf(candidate), outcome);
    mkdirSync('cache', { recursive: true });
    writeFileSync(KEPT, JSON.stringify([...kept], undefined, 1));
    if (!options.json) console.log(`${lineOf(candidate)}: ${outcome.verdict}`);
  };
  for (const [i, group] of groups(open).entries()) {
    const { contracts, valid, invalid } = compileGroup(group);
    for (const candidate of invalid) keep(candidate, { verdict: 'invalid' });
    if (i === 0) await requirePasses(group[0]!, folder);
    for (const candidate of valid) {
      install(folder, contracts, group.indexOf(candidate) + 1);
      const by = await firstFailure(folder, candidate.target.tests(candidate.file, candidate.mutant.scope));
      keep(candidate, by ? { verdict: 'killed', by } : { verdict: 'survived' });
    }
  }
}

/** A contract that fails as it is would seem to kill every mutant. */
async function requirePasses({ target, file }: Candidate, folder: string): Promise<void> {
  install(folder, compile(target) as Contracts, 0);
  const failed = await firstFailure(folder, target.tests(file, ''));
  if (failed) throw new Error(`${file} is not changed, and yet fails: ${failed}`);
}

/** What is compiled together: those in bodies by the dozen, others alone. */
function groups(all: readonly Candidate[]): Candidate[][] {
  const inBodies = all.filter(({ mutant }) => mutant.body);
  const many = Array.from({ length: Math.ceil(inBodies.length / TOGETHER) }, (_, i) =>
    inBodies.slice(TOGETHER * i, TOGETHER * (i + 1)),
  );
  return [...many, ...all.filter(({ mutant }) => !mutant.body).map((candidate) => [candidate])];
}

/** A mutant's number is its place in the group, from one. Those in which the compiler finds errors are left out. */
function compileGroup(group: readonly Candidate[]) {
  const invalid = new Set<Candidate>();
  for (;;) {
    const valid = group.filter((candidate) => !invalid.has(candidate));
    const woven = [...Map.groupBy(valid, ({ file }) => file)].map(([file, of]) => {
      const numbered = of.map((candidate) => ({ number: group.indexOf(candidate) + 1, mutant: candidate.mutant }));
      return { file, ...weave(of[0]!.source, numbered) };
    });
    const replaced = Object.fromEntries(woven.map(({ file, text }) => [file, text.toString()]));
    const contracts = compile(group[0]!.target, replaced);
    if (!Array.isArray(contracts)) return { contracts: contracts as Contracts, valid, invalid };
    const before = invalid.size;
    for (const place of contracts as Place[]) {
      const { strands } = woven.find(({ file }) => file === place.file) ?? { strands: [] };
      const strand = strands.find(({ start, end }) => start <= place.start && place.start < end);
      if (strand) invalid.add(group[strand.number - 1]!);
    }
    if (invalid.size === before) {
      if (valid.length > 1) throw new Error(`mutants do not compile together: ${JSON.stringify(contracts)}`);
      for (const candidate of valid) invalid.add(candidate);
    }
  }
}

/** The same for as long as the contract is the same. */
function keyOf({ file, source, mutant: { start, end, replacement } }: Candidate): string {
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 16);
  return `${file} ${hash} ${start}-${end} ${replacement}`;
}

function lineOf({ file, source, mutant: { start, end, replacement, operator, scope } }: Candidate): string {
  const line = source.subarray(0, start).toString().split('\n').length;
  const from = source.subarray(start, end).toString().replace(/\s+/g, ' ');
  return `${file}:${line} ${scope}, ${operator}: ${from} → ${replacement || 'nothing'}`;
}

function summarise(kept: ReadonlyMap<string, Outcome>): void {
  const outcomes = chosen.map((candidate) => ({ candidate, ...kept.get(keyOf(candidate))! }));
  if (options.json) {
    for (const { candidate, ...outcome } of outcomes) {
      const { file, mutant } = candidate;
      console.log(JSON.stringify({ file, ...mutant, ...outcome }));
    }
    return;
  }
  for (const [file, of] of Map.groupBy(outcomes, ({ candidate }) => basename(candidate.file))) {
    const count = (verdict: Outcome['verdict']) => of.filter((outcome) => outcome.verdict === verdict).length;
    const [killed, survived] = [count('killed'), count('survived')];
    console.log(`${file.padEnd(24)} ${killed} of ${killed + survived} killed`);
  }
  for (const { candidate, verdict } of outcomes) if (verdict === 'survived') console.log(lineOf(candidate));
}

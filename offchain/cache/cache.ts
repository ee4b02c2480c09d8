/**
 * What steps gave, kept between runs by the hash of all that it follows from. An entry is a file of the user's own that
 * nobody else could have written, and is believed only as long as its bytes have the hash that it begins with.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Canonical, canonicalJson, sha256 } from '../canonical.ts';
import { HokusaiError } from '../errors.ts';
import { cacheFolder } from '../prove/circuits.ts';
import { codeHash } from './code-hash.ts';

/** What is kept of a step. */
export interface Kept {
  readonly step: string;
  /** Which run made it, `run 0123456789ab`. */
  readonly by: string;
  /** How long that took. */
  readonly seconds: number;
  /** Canonical JSON. */
  readonly output: string;
  /** Bytes that the output names by their hashes. */
  readonly blobs: readonly Uint8Array[];
}

export interface CacheOptions {
  readonly folder: string;
  /** Most bytes that are kept. */
  readonly bytes: number;
  /** Whose results these are, where several parties of a machine must not take each other's word. */
  readonly party?: string;
}

/** Where results are kept. */
export const resultsFolder = (): string => join(cacheFolder(), 'results');

const zHeader = z.strictObject({
  key: z.string(),
  step: z.string(),
  by: z.string(),
  seconds: z.number().min(0),
  output: z.int().min(0),
  blobs: z.array(z.int().min(0)),
});

/** Readable and writable by others. */
const OTHERS = 0o077;
const HASH = /^[0-9a-f]{64}$/;
/** What is left of the limit's bytes after an eviction, so that not every run has to evict. */
const KEPT_SHARE = 0.9;
/** A file that a process which was killed has left, in milliseconds. */
const STALE = 3_600_000;

/**
 * Opens the cache, made where there is none.
 *
 * @throws HokusaiError CACHE_UNSAFE (configuration) where somebody else owns the folder or may write in it; CACHE_UNUSABLE
 */
export async function openCache(options: CacheOptions): Promise<Cache> {
  const { folder } = options;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await lstat(folder);
    if (!found.isDirectory() || !isOurs(found.uid)) throw unsafe(folder, 'is not a folder of yours');
    if ((found.mode & 0o022) !== 0) throw unsafe(folder, 'can be written to by others');
    if ((found.mode & OTHERS) !== 0) await chmod(folder, 0o700);
  } catch (error) {
    throw error instanceof HokusaiError ? error : unusable(folder, error);
  }
  return new Cache(options);
}

/** Where there are no users, as on Windows, the folder's own permissions have to do. */
const isOurs = (uid: number): boolean => process.getuid === undefined || uid === process.getuid();

const unsafe = (folder: string, problem: string): HokusaiError =>
  new HokusaiError('configuration', 'CACHE_UNSAFE', `The cache ${folder} ${problem}: nothing is taken from it.`, {
    details: { folder },
    next: 'Take write access from others (chmod 700) after `hokusai cache clear`, or name another folder by HOKUSAI_CACHE_DIR.',
  });

const unusable = (folder: string, cause: unknown): HokusaiError => {
  const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).name;
  return new HokusaiError('retryable', 'CACHE_UNUSABLE', `The cache ${folder} cannot be used: ${reason}.`, {
    details: { folder, reason },
    next: 'Nothing is lost: what could be taken from it is computed anew.',
    cause,
  });
};

/** What is remembered, and by whom. */
interface Remembered {
  readonly step: string;
  readonly inputs: Canonical;
  readonly by: string;
  readonly onTaken?: ((kept: Kept) => void) | undefined;
}

export class Cache {
  readonly options: CacheOptions;
  #grown = false;

  /** Use {@link openCache}. */
  constructor(options: CacheOptions) {
    this.options = options;
  }

  /** What a step is kept under: its name, its inputs, and the program that does it. */
  key(step: string, inputs: Canonical): string {
    return sha256(Buffer.from(canonicalJson({ step, inputs, party: this.options.party ?? '', code: codeHash() })));
  }

  /** An entry whose bytes are as they were written; nothing where there is none, or one that is not to be believed. */
  async take(key: string): Promise<Kept | undefined> {
    const file = this.#file(key);
    const bytes = await readOwn(file);
    const kept = bytes && parse(bytes, key);
    // When it was last used, by which it is evicted. Another process may evict it right now.
    if (kept) await utimes(file, new Date(), new Date()).catch(() => {});
    return kept;
  }

  /**
   * Keeps a result. Readers see all of it or nothing, and of two writers the last one.
   *
   * @throws HokusaiError CACHE_UNUSABLE
   */
  async keep(key: string, kept: Kept): Promise<void> {
    const { folder, bytes: most } = this.options;
    const { step, by, seconds, output, blobs } = kept;
    const text = Buffer.from(output);
    const header = { key, step, by, seconds, output: text.length, blobs: blobs.map(({ length }) => length) };
    const rest = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), text, ...blobs]);
    // What would take most of the room alone would drive out all others.
    if (rest.length > most / 2) return;
    const temporary = join(folder, `${key}.${randomUUID()}.tmp`);
    try {
      // Not synced to disk: what a power failure leaves of it has another hash.
      await writeFile(temporary, Buffer.concat([Buffer.from(`${sha256(rest)}\n`), rest]), { mode: 0o600, flag: 'wx' });
      await rename(temporary, this.#file(key));
      this.#grown = true;
    } catch (error) {
      await rm(temporary, { force: true });
      throw unusable(folder, error);
    }
  }

  /** Brings the cache below its limit where this process has added to it: what was not used for longest goes first. */
  async evict(): Promise<void> {
    if (!this.#grown) return;
    this.#grown = false;
    const { folder, bytes: most } = this.options;
    const entries = await entriesOf(folder);
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    if (bytes <= most) return;
    for (const { name, bytes: size } of entries.sort((a, b) => a.used - b.used)) {
      if (bytes <= KEPT_SHARE * most) return;
      await rm(join(folder, name), { force: true });
      bytes -= size;
    }
  }

  /** What `fn` gives, where there is no run with a journal yet; taken from here where it is here. */
  async remember<T extends Canonical>(
    { step, inputs, by, onTaken = () => {} }: Remembered,
    fn: () => Promise<T>,
  ): Promise<T> {
    const key = this.key(step, inputs);
    const kept = await this.take(key);
    if (kept) {
      onTaken(kept);
      return JSON.parse(kept.output);
    }
    const began = performance.now();
    const output = await fn();
    const seconds = (performance.now() - began) / 1000;
    // A cache that cannot be written to is told by the run's first step.
    await this.keep(key, { step, by, seconds, output: canonicalJson(output), blobs: [] }).catch(() => {});
    return output;
  }

  #file(key: string): string {
    if (!HASH.test(key)) throw new RangeError(`${key} is no key of the cache`);
    return join(this.options.folder, key);
  }
}

/** A file of the cache. */
export interface Entry {
  readonly name: string;
  readonly bytes: number;
  /** When it was last taken or written, in milliseconds since 1970. */
  readonly used: number;
}

/** All entries; what killed processes have left is removed. */
export async function entriesOf(folder: string): Promise<Entry[]> {
  const names = await readdir(folder).catch(() => []);
  const entries: Entry[] = [];
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (!found) continue;
    if (HASH.test(name)) entries.push({ name, bytes: found.size, used: found.mtimeMs });
    else if (name.endsWith('.tmp') && Date.now() - found.mtimeMs > STALE) await rm(join(folder, name), { force: true });
  }
  return entries;
}

/** The bytes of a file that this user alone can have written, and read. */
async function readOwn(file: string): Promise<Buffer | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (!handle) return undefined;
  try {
    const { uid, mode } = await handle.stat();
    return isOurs(uid) && (mode & OTHERS) === 0 ? await handle.readFile() : undefined;
  } catch {
    // A folder, or a disk that fails: the step is run instead.
    return undefined;
  } finally {
    await handle.close();
  }
}

/** An entry whose hash is right and whose key is the one that was asked for. */
function parse(bytes: Buffer, key: string): Kept | undefined {
  const rest = bytes.subarray(65);
  if (bytes.toString('latin1', 0, 65) !== `${sha256(rest)}\n`) return undefined;
  const end = rest.indexOf('\n');
  const header = zHeader.parse(JSON.parse(rest.toString('utf8', 0, end)));
  if (header.key !== key) return undefined;
  const { step, by, seconds } = header;
  const behind = rest.subarray(end + 1);
  const output = behind.toString('utf8', 0, header.output);
  let start = header.output;
  const blobs = header.blobs.map((length) => {
    start += length;
    return behind.subarray(start - length, start);
  });
  return { step, by, seconds, output, blobs };
}

/** How many entries of which steps there are, without their contents. */
export async function readHeaders(folder: string): Promise<(Entry & Pick<Kept, 'step' | 'by'>)[]> {
  const all: (Entry & Pick<Kept, 'step' | 'by'>)[] = [];
  for (const entry of await entriesOf(folder)) {
    const bytes = await readOwn(join(folder, entry.name));
    const kept = bytes && parse(bytes, entry.name);
    all.push({ ...entry, step: kept?.step ?? 'damaged', by: kept?.by ?? '' });
  }
  return all;
}

import { open, readdir, readFile, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { storageError } from '../run/journal.ts';
import { makeFolder, syncFolder, writeWhole } from '../write-whole.ts';
import { missing, outside, type Store, type StoredFile, WORK } from './store.ts';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** A table in a folder of a file system that has link(2), which fails where the name is taken. */
export class FileStore implements Store {
  readonly location: string;
  readonly scratch: string;

  constructor(folder: string) {
    this.location = folder;
    this.scratch = resolve(folder);
  }

  async list(folder: string): Promise<StoredFile[]> {
    return this.#telling(async () => {
      const top = join(this.scratch, folder);
      const found = await readdir(top, { recursive: true, withFileTypes: true }).catch((error) => {
        if (codeOf(error) === 'ENOENT') return [];
        throw error;
      });
      const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const stored = await Promise.all(files.map((file) => this.#describe(file)));
      return stored.filter((file) => file !== undefined).sort((a, b) => (a.path < b.path ? -1 : 1));
    });
  }

  /** undefined where it has gone since it was listed. */
  async #describe(file: string): Promise<StoredFile | undefined> {
    try {
      const { size, mtimeMs } = await stat(file);
      const path = relative(this.scratch, file).split(sep).join('/');
      return { path, bytes: size, modified: Math.floor(mtimeMs) };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  get(path: string): Promise<Uint8Array | undefined> {
    return this.#telling(() =>
      readFile(this.#at(path)).catch((error) => {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }),
    );
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#telling(() => writeWhole(this.#at(path), bytes));
  }

  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    return this.#telling(async () => {
      try {
        await writeWhole(this.#at(path), bytes, { replace: false });
        return true;
      } catch (error) {
        // mkdir says the same of a file where a folder has to be.
        if (codeOf(error) === 'EEXIST' && (error as NodeJS.ErrnoException).syscall === 'link') return false;
        throw error;
      }
    });
  }

  putFile(path: string, file: string): Promise<void> {
    return this.#telling(async () => {
      const target = this.#at(path);
      await makeFolder(dirname(target));
      const handle = await open(file, 'r+');
      await handle.sync().finally(() => handle.close());
      await rename(file, target);
      await syncFolder(dirname(target));
    });
  }

  async localFile(path: string): Promise<{ file: string; bytes: number }> {
    const file = this.#at(path);
    const stored = await this.#telling(() => this.#describe(file));
    if (!stored) throw missing(this.location, path);
    const [top, real] = await this.#telling(() => Promise.all([realpath(this.scratch), realpath(file)]));
    if (!real.startsWith(top + sep)) throw outside(this.location, path);
    return { file, bytes: stored.bytes };
  }

  delete(path: string): Promise<void> {
    return this.#telling(async () => {
      const file = this.#at(path);
      await rm(file, { force: true });
      if (!basename(dirname(file)).startsWith(WORK)) return;
      await rmdir(dirname(file)).catch((error) => {
        if (codeOf(error) !== 'ENOTEMPTY') throw error;
      });
    });
  }

  #at(path: string): string {
    return join(this.scratch, path);
  }

  async #telling<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw storageError(error, this.location);
    }
  }
}

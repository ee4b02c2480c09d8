/** Where the files of a table lie. All that Delta Lake needs of a place is that it can put a file if it is absent. */
import { tmpdir } from 'node:os';
import { HokusaiError } from '../errors.ts';

export interface StoredFile {
  /** From the table's folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** Paths are relative to the table, with slashes. Every write is on disk, or acknowledged, when its promise resolves. */
export interface Store {
  /** As the user named it, for messages. */
  readonly location: string;
  /** A local folder for what is not finished: that of the table where it has one, lest files are moved between disks. */
  readonly scratch: string;
  /** All files below a folder, sorted by path; none where there is no such folder. */
  list(folder: string): Promise<StoredFile[]>;
  get(path: string): Promise<Uint8Array | undefined>;
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** @returns false where the file is there already, which then stays as it is */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Takes a local file over, which is gone afterwards. */
  putFile(path: string, file: string): Promise<void>;
  /** A local file with the contents of a stored one. @throws HokusaiError LAKE_FILE_MISSING (terminal), LAKE_PATH (configuration) */
  localFile(path: string): Promise<{ file: string; bytes: number }>;
  delete(path: string): Promise<void>;
}

/** Folders of this name hold what was not finished. Names that begin with a dot are no data to any reader of Delta. */
export const WORK = '.work-';

/** The error for a path, or a link, that leaves the table: a table from elsewhere must not show files of this machine. */
export const outside = (location: string, path: string): HokusaiError =>
  new HokusaiError('configuration', 'LAKE_PATH', `${location} names a file outside of its folder.`, {
    details: { location, path },
    next: 'Copy the table with its files: clones that point to others are not read.',
  });

/** The error for a file that the log names and the store does not have. */
export const missing = (location: string, path: string): HokusaiError =>
  new HokusaiError('terminal', 'LAKE_FILE_MISSING', `${location}: ${path} is gone, which the log names.`, {
    details: { location, path },
    next: 'Read a newer version: vacuum has taken it away, or restore it from a copy.',
  });

/** Where nothing is written to the table. */
export const LOCAL_SCRATCH = tmpdir();

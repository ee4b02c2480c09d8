import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { HokusaiError } from '../errors.ts';

export const FORMATS = ['csv', 'json', 'ndjson', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];
export type Compression = 'none' | 'gzip' | 'zstd';

/** A file of a table. */
export interface Source {
  readonly file: string;
  readonly format: Format;
  readonly compression: Compression;
  readonly bytes: number;
}

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.txt': 'csv',
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.parquet': 'parquet',
};
const PACKED = new Set(['.gz', '.zst']);
const MAX_FILES = 10_000;

/**
 * The files that a path means: itself, all tables in and below a directory, or all that a pattern with `*`, `**`, `?`
 * and `[a-z]` matches; sorted by path. Links are not followed: what is committed to is what the path shows.
 *
 * @throws HokusaiError `configuration`: SOURCE_UNREADABLE, SOURCE_LINK, SOURCE_EMPTY, SOURCE_TOO_MANY,
 *   SOURCE_FORMATS when files are of several formats
 */
export function findSources(path: string, format?: Format): Source[] {
  const files = filesOf(path).sort();
  if (files.length === 0) {
    throw new HokusaiError('configuration', 'SOURCE_EMPTY', `${path}: no table there`, {
      details: { path, extensions: Object.keys(EXTENSIONS) },
      next: 'Name a file, a directory with tables, or a pattern in quotes that matches some.',
    });
  }
  const sources = files.map((file) => sourceOf(file, format));
  const found = [...new Set(sources.map((source) => source.format))];
  if (found.length > 1) {
    throw new HokusaiError(
      'configuration',
      'SOURCE_FORMATS',
      `${path}: tables of several formats: ${found.join(', ')}`,
      {
        details: { path, formats: found },
        next: 'Give files of one format, for example by a pattern such as "DIR/*.csv".',
      },
    );
  }
  return sources;
}

function filesOf(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) throw link(path);
  if (stat?.isDirectory()) return within(path, () => true);
  if (stat || !/[*?[]/.test(path)) return [path];
  const fixed = path.slice(0, path.search(/[*?[]/));
  const base = fixed.endsWith(sep) ? fixed : dirname(fixed);
  const pattern = patternOf(relative(base, path));
  if (!lstatSync(base, { throwIfNoEntry: false })?.isDirectory()) return [];
  return within(base, (name) => pattern.test(name));
}

/** Files in and below a directory that look like tables, but no hidden ones. No link is followed out of it. */
function within(directory: string, matches: (name: string) => boolean, base = directory): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const file = join(directory, entry.name);
    if (/^[._]/.test(entry.name)) continue;
    if (entry.isSymbolicLink()) throw link(file);
    if (entry.isDirectory()) files.push(...within(file, matches, base));
    else if (entry.isFile() && formatOf(file) !== undefined && matches(relative(base, file))) files.push(file);
    if (files.length > MAX_FILES) throw tooMany(directory);
  }
  return files;
}

/** A pattern as a regular expression; each wildcard but `**` stays within a name. */
function patternOf(glob: string): RegExp {
  const parts = glob.split(/(\*\*\/|\*\*|\*|\?|\[[^\]/]+\])/).map((part, i) => {
    if (i % 2 === 0) return part.replace(/[\\^$.|+(){}[\]]/g, '\\$&');
    if (part === '**/') return '(?:.*/)?';
    if (part.startsWith('[')) return part.replace('[!', '[^').replaceAll('\\', '\\\\');
    return { '**': '.*', '*': '[^/]*', '?': '[^/]' }[part]!;
  });
  return new RegExp(`^${parts.join('')}$`);
}

function sourceOf(file: string, format: Format | undefined): Source {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (cause) {
    throw unreadable(file, (cause as NodeJS.ErrnoException).code ?? String(cause));
  }
  try {
    const stat = lstatSync(file);
    if (!stat.isFile()) throw unreadable(file, 'is no regular file');
    const head = Buffer.alloc(4096);
    const length = readSync(descriptor, head, 0, head.length, 0);
    const compression = compressionOf(head);
    const found =
      head.toString('latin1', 0, 4) === 'PAR1' ? 'parquet' : (format ?? formatOf(file) ?? sniff(head, length));
    return { file: resolve(file), format: found, compression, bytes: stat.size };
  } finally {
    closeSync(descriptor);
  }
}

function compressionOf(head: Buffer): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.readUInt32LE() === 0xfd2fb528 ? 'zstd' : 'none';
}

function formatOf(file: string): Format | undefined {
  const extension = extname(file).toLowerCase();
  if (PACKED.has(extension)) return formatOf(file.slice(0, -extension.length));
  return EXTENSIONS[extension];
}

/** Of a file whose name says nothing. */
function sniff(head: Buffer, length: number): Format {
  const first = head.toString('latin1', 0, length).replace(/^(?:\xef\xbb\xbf)?\s*/, '')[0];
  if (first === '[') return 'json';
  return first === '{' ? 'ndjson' : 'csv';
}

function unreadable(file: string, reason: string): HokusaiError {
  const why = { ENOENT: 'does not exist', EACCES: 'may not be read' }[reason] ?? reason;
  return new HokusaiError('configuration', 'SOURCE_UNREADABLE', `${file} ${why}`, {
    details: { file, reason },
    next: 'Name a file or directory that this user may read, or put a pattern in quotes.',
  });
}

function link(file: string): HokusaiError {
  return new HokusaiError('configuration', 'SOURCE_LINK', `${file} is a symbolic link, which is not followed`, {
    details: { file },
    next: 'Name the file that it leads to.',
  });
}

function tooMany(directory: string): HokusaiError {
  return new HokusaiError('configuration', 'SOURCE_TOO_MANY', `${directory} holds more than ${MAX_FILES} tables`, {
    details: { directory, limit: MAX_FILES },
    next: 'Name a smaller directory, or join the files.',
  });
}

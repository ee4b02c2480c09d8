/** Models of several files: read from one folder alone, and made one file of, which is hashed, kept and published. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { HokusaiError } from '../errors.ts';

/** A file to read. */
interface Found {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Files of a folder, in the order of their names here.
 *
 * @param names relative to the folder, as a file of somebody's has them
 * @param limit of all together, in bytes
 * @throws HokusaiError `configuration` BASELINE_INVALID with every name that leads out of the folder, or to no file;
 *   BASELINE_TOO_LARGE
 */
export async function readWithin(folder: string, names: readonly string[], limit: number): Promise<Buffer[]> {
  const found = await Promise.all(names.map((name) => locate(folder, name)));
  const problems = found.filter((one) => typeof one === 'string');
  if (problems.length > 0) throw invalid(folder, problems);
  const files = found as Found[];
  refuseTooLarge(
    folder,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    limit,
  );
  return Promise.all(files.map(({ path }) => readFile(path)));
}

/** The file, or what is wrong with its name. */
async function locate(folder: string, name: string): Promise<Found | string> {
  const within = (root: string, path: string) => {
    const way = relative(root, path);
    return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
  };
  const path = join(folder, name);
  if (name.includes('\0') || !within(folder, path)) return `${JSON.stringify(name)} leads out of its folder`;
  const found = await stat(path).catch(() => undefined);
  if (!found) return `${name} is missing`;
  if (!found.isFile()) return `${name} is no file`;
  // A link, too, might lead to what is not the model's.
  if (!within(await realpath(folder), await realpath(path))) return `${name} leads out of its folder`;
  return { path, bytes: found.size };
}

/** @throws HokusaiError `configuration` BASELINE_TOO_LARGE */
export function refuseTooLarge(file: string, bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new HokusaiError(
    'configuration',
    'BASELINE_TOO_LARGE',
    `The baseline ${file} has ${bytes} bytes; at most ${limit} are taken.`,
    { details: { file, bytes, limit }, next: 'Make it smaller.' },
  );
}

export const invalid = (name: string, problems: readonly string[]): HokusaiError =>
  new HokusaiError(
    'configuration',
    'BASELINE_INVALID',
    `The baseline ${name} cannot be used: ${problems.join('; ')}.`,
    {
      details: { name, problems },
      next: 'docs/frameworks.md says which models are read, and what they have to predict.',
    },
  );

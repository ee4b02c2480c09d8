import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';

const OFFCHAIN = dirname(import.meta.dirname);
/** Of programs that run elsewhere, and of the packages that they are locked to. */
const BESIDE = ['.py', '.lock'];

let known: string | undefined;

/**
 * SHA-256 of all that decides what a step gives, beside its inputs: this program's own files, the versions of its
 * dependencies, and of the Node that runs it. A version number alone would have to be thought of.
 */
export function codeHash(): string {
  known ??= codeHashOf(OFFCHAIN);
  return known;
}

/** The same of a folder of code, with the package.json beside it. */
export function codeHashOf(folder: string): string {
  const hash = createHash('sha256');
  const { dependencies } = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8'));
  hash.update(JSON.stringify([dependencies, process.versions.node, process.arch]));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && [extname(import.meta.filename), ...BESIDE].includes(extname(entry.name)))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(`\n${relative(folder, file)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

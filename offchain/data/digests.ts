import type { Hex } from 'viem';
import { dataRootFrom, packedRoot } from '../data-root.ts';
import type { Hashes } from '../rows-tree.ts';
import { type Database, literal } from './database.ts';
import type { Profiled } from './profile.ts';

/** Which columns tell rows apart. */
export interface RowForm {
  readonly label?: string | undefined;
  readonly ignored: readonly string[];
}

/**
 * The digests of all rows: SHA-256 over canonical JSON of an object from column name to canonical text, as `canonicalRow`
 * has it; missing cells and ignored columns are left out.
 *
 * @returns a table of `row`, `digest` and `features`, the latter without the label; hexadecimal digits
 */
export async function digestRows(db: Database, { names, cells }: Profiled, form: RowForm): Promise<string> {
  const table = db.name('digests');
  const used = names.map((name, at) => ({ name, at })).filter(({ name }) => !form.ignored.includes(name));
  const members = used.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const digest = (part: typeof members) => {
    const texts = part.map(({ name, at }) => `${literal(`${JSON.stringify(name)}:`)} || canonical_string(k${at})`);
    return `sha256('{' || concat_ws(',', ${texts.join(', ')}) || '}')`;
  };
  const features = members.filter(({ name }) => name !== form.label);
  const both = features.length === members.length ? 'digest AS features' : `${digest(features)} AS features`;
  await db.run(`CREATE TABLE ${table} AS SELECT row, ${digest(members)} AS digest, ${both} FROM ${cells}`);
  return table;
}

const AT_ONCE = 16_384;

/** A column of digests as the words that a tree is made of: 32 bytes for each row. */
export async function packDigests(db: Database, table: string, column: 'digest' | 'features'): Promise<Hashes> {
  const [[rows]] = (await db.rows<[number]>(`SELECT count(*) FROM ${table}`)) as [[number]];
  const packed = new Uint32Array(8 * rows);
  const bytes = new Uint8Array(packed.buffer);
  for (let from = 0; from < rows; from += AT_ONCE) {
    const [[hex]] = (await db.rows<[string]>(
      `SELECT string_agg(${column}, '') FROM ${table} WHERE rowid >= ${from} AND rowid < ${from + AT_ONCE}`,
    )) as [[string]];
    bytes.set(Buffer.from(hex, 'hex'), 32 * from);
  }
  return packed;
}

export interface Roots {
  readonly dataRoot: Hex;
  readonly rowsRoot: Hex;
  readonly featuresRoot: Hex;
  /** Distinct ones. */
  readonly rows: number;
}

/** The roots over a table of digests: those of `dataRootOf` over the same rows, to the bit. */
export async function rootsOf(db: Database, digests: string, secret: Uint8Array): Promise<Roots> {
  const { root: rowsRoot, rows } = packedRoot(await packDigests(db, digests, 'digest'), secret);
  const { root: featuresRoot } = packedRoot(await packDigests(db, digests, 'features'), secret);
  return { dataRoot: dataRootFrom(rowsRoot, featuresRoot, rows), rowsRoot, featuresRoot, rows };
}

import { createHash } from 'node:crypto';

/** What can be hashed: no floats, no `undefined`, no dates. */
export type Canonical = string | number | boolean | null | readonly Canonical[] | { readonly [key: string]: Canonical };

/**
 * Canonical JSON (RFC 8785) of strings, safe integers, booleans, null, arrays and plain objects. Keys are sorted by
 * UTF-16 code units, as the RFC says and as `sort()` does; `JSON.stringify` writes strings as the RFC wants them.
 *
 * @throws RangeError for a number that is not a safe integer: a float's digits are not something to hash
 */
export function canonicalJson(value: Canonical): string {
  if (typeof value === 'number' && (!Number.isSafeInteger(value) || Object.is(value, -0))) {
    throw new RangeError(`${value} has no canonical form: only safe integers are hashed`);
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const object = value as { readonly [key: string]: Canonical };
  const members = Object.keys(object).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key]!)}`).join(',')}}`;
}

/** In hexadecimal digits. */
export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

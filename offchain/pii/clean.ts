import { hash } from 'node:crypto';
import type { PiiSpan } from './finder.ts';
import type { Action } from './options.ts';
import type { Recogniser } from './recogniser.ts';

/** A cleaned cell whose row is to be refused. */
export const REJECTED = Symbol('rejected');

const BLOCK = 64;

/** HMAC-SHA-256 of texts under a key of at most 64 bytes, in hex: two one-shot hashes of prepared pads cost half of `createHmac`. */
export function hmacSha256(key: Uint8Array): (text: string) => string {
  const pad = (byte: number) => Buffer.alloc(BLOCK, byte).map((mask, at) => mask ^ (key[at] ?? 0));
  const inner = pad(0x36);
  const outer = Buffer.concat([pad(0x5c), Buffer.alloc(32)]);
  return (text) => {
    hash('sha256', Buffer.concat([inner, Buffer.from(text)]), 'buffer').copy(outer, BLOCK);
    return hash('sha256', outer, 'hex');
  };
}

/** Hides letters and digits; how long it is and how it is divided stays. */
const mask = (value: string): string => value.replace(/[\p{L}\p{M}\p{N}]/gu, '*');

/** Applies actions to cells. */
export class Cleaner {
  readonly #hmac: ((text: string) => string) | undefined;
  readonly #canonical: ReadonlyMap<string, Recogniser['canonical']>;

  /** @param key - of the contributor; there is one where an action is `hash` */
  constructor(recognisers: readonly Recogniser[], key: Uint8Array | undefined) {
    this.#hmac = key && hmacSha256(key);
    this.#canonical = new Map(recognisers.map(({ type, canonical }) => [type, canonical]));
  }

  /**
   * A cell with its spans dealt with. A cell that is one value becomes null, its hash or its mask; in a text its place is
   * marked by its type in brackets, which keeps what is around it apart.
   */
  clean(value: string, spans: readonly PiiSpan[], actionOf: (type: string) => Action): string | null | typeof REJECTED {
    if (spans.some(({ type }) => actionOf(type) === 'reject')) return REJECTED;
    const [only] = spans;
    if (only && spans.length === 1 && only.end - only.start === value.trim().length) {
      return this.#whole(value, only, actionOf(only.type));
    }
    let cleaned = '';
    let at = 0;
    for (const span of spans) {
      cleaned +=
        value.slice(at, span.start) + this.#part(value.slice(span.start, span.end), span.type, actionOf(span.type));
      at = span.end;
    }
    return cleaned + value.slice(at);
  }

  #whole(value: string, { type, start, end }: PiiSpan, action: Action): string | null {
    if (action === 'remove') return null;
    return action === 'hash' ? this.#hash(value.slice(start, end), type) : action === 'mask' ? mask(value) : value;
  }

  #part(value: string, type: string, action: Action): string {
    if (action === 'remove') return `[${type}]`;
    return action === 'hash' ? `[${type}:${this.#hash(value, type)}]` : action === 'mask' ? mask(value) : value;
  }

  #hash(value: string, type: string): string {
    return this.#hmac!(this.#canonical.get(type)?.(value) ?? value);
  }
}

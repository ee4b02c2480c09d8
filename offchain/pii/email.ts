import { ANCHOR, type Recogniser } from './recogniser.ts';

/** RFC 5321's bounds. */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
/** Of what RFC 5322 allows, without what delimits addresses in real text, such as `=` and `/`. */
const LOCAL = /[\p{L}\p{N}._%+&'’-]/u;
/** What may not start a local part here, a quotation mark among them. */
const LEADING = /^[.'’&%-]+/;
const DOMAIN =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})(?![\p{L}\p{N}]|-\p{L})/uy;
/** What file names such as `icon@2x.png` end in. */
const FILE = /\.(?:png|jpe?g|gif|svg|webp|ico|css|js|ts|json|html?|pdf|zip|tar|gz|txt)$/i;

/** The local part that ends at an offset; empty if there is none. */
function localBefore(text: string, at: number, from: number): string {
  let start = at;
  while (start > from && at - start < MAX_LOCAL && LOCAL.test(text[start - 1]!)) start--;
  const local = text.slice(start, at).replace(LEADING, '');
  return local.endsWith('.') || local.includes('..') ? '' : local;
}

/** Start and end of the address whose `@` is at an offset, if it is one's. */
function around(text: string, at: number, from: number): [start: number, end: number] | undefined {
  const local = localBefore(text, at, from);
  if (!local) return undefined;
  DOMAIN.lastIndex = at + 1;
  if (!DOMAIN.test(text)) return undefined;
  const end = DOMAIN.lastIndex;
  if (end - at > MAX_DOMAIN || FILE.test(text.slice(at, end))) return undefined;
  return [at - local.length, end];
}

export const email: Recogniser = {
  ...{ type: 'email', anchors: ANCHOR.AT, lengths: [0, 0], tellsColumn: true },
  columns: / (?:e ?mails?|mail|e ?mail address|mail address) /,
  find(text, from, to, found) {
    for (let at = text.indexOf('@', from); at >= 0 && at < to; at = text.indexOf('@', at + 1)) {
      const span = around(text, at, from);
      if (span) found(span[0], span[1], 0.95);
    }
  },
  whole(cell) {
    const at = cell.indexOf('@');
    const span = at > 0 && at <= MAX_LOCAL ? around(cell, at, 0) : undefined;
    return span?.[0] === 0 && span[1] === cell.length ? 1 : 0;
  },
  canonical: (value) => value.normalize('NFKC').toLowerCase(),
};

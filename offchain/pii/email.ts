import { ANCHOR, type Recogniser } from './recogniser.ts';

/** RFC 5321's bounds. */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
/** Of what RFC 5322 allows, without what delimits addresses in real text, such as `=` and `/`. */
const LOCAL = charactersOf("abcdefghijklmnopqrstuvwxyz0123456789._%+&'-");
const DOMAIN = charactersOf('abcdefghijklmnopqrstuvwxyz0123456789.-');
/** Labels and a top level of letters. */
const LABELS = /^(?:[^.-](?:[^.]{0,61}[^.-])?\.){1,8}(?:[A-Za-z\u00c0-\uffff]{2,24}|xn--[a-z0-9-]{2,59})$/;
/** The user of every git server. */
const SERVICE = 'git';
/** What may not start a local part here, a quotation mark among them. */
const LEADING = /^[.'’&%-]+/;
/** What file names such as `icon@2x.png` end in. */
const FILE = /\.(?:png|jpe?g|gif|svg|webp|ico|css|js|ts|json|html?|pdf|zip|tar|gz|txt)$/i;

function charactersOf(lowerCase: string): Uint8Array {
  const allowed = new Uint8Array(128);
  for (const character of lowerCase + lowerCase.toUpperCase()) allowed[character.charCodeAt(0)] = 1;
  return allowed;
}

/** Letters beyond ASCII are allowed everywhere, general punctuation nowhere. */
const isAllowed = (text: string, at: number, allowed: Uint8Array): boolean => {
  const code = text.charCodeAt(at);
  return code < 128 ? allowed[code] === 1 : code >= 0xc0 && (code < 0x2000 || code > 0x206f);
};

/** The local part that ends at an offset; empty if there is none. */
function localBefore(text: string, at: number, from: number): string {
  let start = at;
  while (start > from && at - start < MAX_LOCAL && isAllowed(text, start - 1, LOCAL)) start--;
  const local = text.slice(start, at).replace(LEADING, '');
  return local === SERVICE || local.endsWith('.') || local.includes('..') ? '' : local;
}

/** Where the domain ends that starts at an offset; -1 if there is none. */
function endOfDomain(text: string, start: number): number {
  let end = start;
  while (end < text.length && end - start <= MAX_DOMAIN && isAllowed(text, end, DOMAIN)) end++;
  while (end > start && '.-'.includes(text[end - 1]!)) end--;
  const domain = text.slice(start, end);
  return LABELS.test(domain) && !FILE.test(domain) ? end : -1;
}

/** Start and end of the address whose `@` is at an offset, if it is one's. */
function around(text: string, at: number, from: number): [start: number, end: number] | undefined {
  const local = localBefore(text, at, from);
  const end = local ? endOfDomain(text, at + 1) : -1;
  return end < 0 ? undefined : [at - local.length, end];
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

import { saying } from './id-number.ts';
import { ANCHOR, type Found, type Recogniser, saysBefore } from './recogniser.ts';

/** How keys and tokens of well-known issuers start, and what follows. */
const ISSUED = [
  '(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}',
  'gh[pousr]_[A-Za-z0-9]{36,251}',
  'github_pat_[A-Za-z0-9_]{60,90}',
  'glpat-[A-Za-z0-9_-]{20,60}',
  'xox[abeoprs]-[A-Za-z0-9-]{10,200}',
  'xapp-\\d-[A-Za-z0-9-]{20,200}',
  '[rs]k_(?:live|test)_[A-Za-z0-9]{16,247}',
  'whsec_[A-Za-z0-9]{24,64}',
  'AIza[A-Za-z0-9_-]{35}',
  'ya29\\.[A-Za-z0-9_-]{20,300}',
  'GOCSPX-[A-Za-z0-9_-]{28}',
  'sk-(?:proj-|ant-[a-z0-9]{2,8}-|svcacct-)?[A-Za-z0-9_-]{20,200}',
  'hf_[A-Za-z0-9]{30,40}',
  'npm_[A-Za-z0-9]{36}',
  'pypi-[A-Za-z0-9_-]{50,250}',
  'SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{32,64}',
  'SK[0-9a-f]{32}',
  'AC[0-9a-f]{32}',
  'dop_v1_[0-9a-f]{64}',
  'shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}',
  'eyJ[A-Za-z0-9_-]{8,2000}\\.eyJ[A-Za-z0-9_-]{4,4000}\\.[A-Za-z0-9_-]{0,2000}',
  '\\d{8,10}:AA[A-Za-z0-9_-]{33}',
  'AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}',
];
/** Their first characters, which are looked at first because most tokens have none of them at the start of a word. */
const KNOWN = new RegExp(`(?=[AgxrswyhGnpSde\\d])(?<![A-Za-z0-9_])(?:${ISSUED.join('|')})(?![A-Za-z0-9_])`, 'g');
/** Letters, digits and what base64 has. */
const RUN = /(?<![A-Za-z0-9_+/=-])[A-Za-z0-9_+/-]{20,256}={0,2}(?![A-Za-z0-9_+/=-])/g;
/** Without a word that says so, only what is longer than the addresses of accounts is taken for a key. */
const LONG_RUN = 36;
const SAID = saying(
  'api key|apikey|access key|secret key|secret|token|auth|authorization|bearer|password|passwd|pwd|credentials?|' +
    'private key|client secret|signing key|encryption key',
);
/** So near before a run that they speak of it; of what may as well be a digest or an identifier, nearer. */
const NEAR = 24;
const VERY_NEAR = 12;
const DIGEST = /^[0-9a-f-]+$/i;
const ASSIGNED =
  /(?:pass(?:word|wd|phrase|code)|pwd|secret|api[ _-]?key|access[ _-]?key|auth[ _-]?token)["']?(?: is ?:?| ?[:=]) ?["']?$/i;
/** What a text has before an assigned value at most. */
const MAX_ASSIGNED = 28;
const VALUE = /[^\s"'<>,;]{6,64}/y;
const COLUMNS =
  / (?:password|passwd|pwd|passphrase|secret|apikey|(?:api|secret|access|private|signing|encryption) key|(?:access|auth|api|refresh|bearer|session) token) /;
const PEM_DASHES = 5;
/** An RSA key of 16,384 bits has 12,700 characters. */
const MAX_PEM = 16_384;
const PEM_LABEL = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/y;
const PEM_END = /-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/y;

/**
 * How many different characters of equal frequency would be as hard to tell apart: two to the power of the collision
 * entropy in bits. From integers, so that it is the same on every machine.
 */
export function varietyOf(text: string): number {
  const counts = new Map<number, number>();
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  let pairs = 0;
  for (const count of counts.values()) pairs += count * count;
  return text.length ** 2 / Math.max(1, pairs);
}

const countOf = (text: string, characters: RegExp): number => text.match(characters)?.length ?? 0;

function scoreOfRun(text: string, start: number, run: string): number {
  if (!/\d/.test(run) || /^0x/.test(run)) return 0;
  const near = DIGEST.test(run) ? VERY_NEAR : NEAR;
  if (saysBefore(text, start, SAID, near) && varietyOf(run) >= 8) return 0.85;
  const mixed = /[a-z]/.test(run) && /[A-Z]/.test(run) && countOf(run, /\d/g) > 3 && countOf(run, /[/_-]/g) < 4;
  return mixed && run.length >= LONG_RUN && varietyOf(run) >= 16 ? 0.55 : 0;
}

/** A private key in PEM that starts before its `BEGIN`, to its last line, or to the end of a text that is cut off. */
function findPem(text: string, begin: number, found: Found): void {
  const start = begin - PEM_DASHES;
  PEM_LABEL.lastIndex = Math.max(0, start);
  if (start < 0 || !PEM_LABEL.test(text)) return;
  const last = text.slice(0, start + MAX_PEM).indexOf('-----END ', start);
  PEM_END.lastIndex = last;
  found(start, last >= 0 && PEM_END.test(text) ? PEM_END.lastIndex : Math.min(text.length, start + MAX_PEM), 1);
}

function findTokens(text: string, from: number, to: number, found: Found): void {
  const token = text.slice(from, to);
  for (const { 0: value, index } of token.matchAll(KNOWN)) found(from + index, from + index + value.length, 0.98);
  for (const { 0: run, index } of token.matchAll(RUN)) {
    const score = scoreOfRun(text, from + index, run);
    if (score > 0) found(from + index, from + index + run.length, score);
  }
}

/** What stands after `password:` and the like, if it has a digit. */
function findAssigned(text: string, from: number, found: Found): void {
  if (!ASSIGNED.test(text.slice(Math.max(0, from - MAX_ASSIGNED), from))) return;
  VALUE.lastIndex = from;
  if (VALUE.test(text)) found(from, VALUE.lastIndex, 0.75);
}

/** Passwords, keys and tokens that let in who knows them. */
export const secret: Recogniser = {
  ...{ type: 'secret', lengths: [2, 64], columns: COLUMNS, tellsColumn: false },
  anchors: ANCHOR.NUMBER | ANCHOR.CODE | ANCHOR.TOKEN | ANCHOR.CAPITAL,
  find(text, from, to, found, anchor) {
    if (anchor === ANCHOR.TOKEN) findTokens(text, from, to, found);
    else if (anchor === ANCHOR.CAPITAL) findPem(text, from, found);
    else if (from > 1 && ' :="\''.includes(text[from - 1]!)) findAssigned(text, from, found);
  },
  whole: (cell) => (/^(?=.*[A-Za-z0-9])\S{4,}$/.test(cell) ? 0.9 : 0),
  canonical: (value) => value,
};

import { ANCHOR, isDigitAt, LONG_TOKEN } from './recogniser.ts';

/** Classes of characters, as bits. */
const SPACE = 1;
const DIGIT = 2;
const UPPER = 4;
const LOWER = 8;
const OTHER = 16;

const CLASS = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code <= 32) return SPACE;
  if (code >= 48 && code <= 57) return DIGIT;
  if (code >= 65 && code <= 90) return UPPER;
  if ((code >= 97 && code <= 122) || code === 95) return LOWER;
  return OTHER;
});
const WORD = DIGIT | UPPER | LOWER;

/** What white space there is beyond ASCII. */
const isWideSpace = (code: number): boolean =>
  code === 0xa0 || code === 0x3000 || code === 0x2028 || code === 0x2029 || (code >= 0x2000 && code <= 0x200a);

/** Takes an anchor: its bit, its start and its end. */
export type Visit = (anchor: number, from: number, to: number) => void;

/** Finds the anchors of a text, in one pass. */
export function eachAnchor(text: string, visit: Visit): void {
  const length = text.length;
  let word = 0;
  /** Classes of the characters so far; 0 outside. */
  let inWord = 0;
  let token = 0;
  let inToken = false;
  let at = false;
  let colon = false;
  for (let i = 0; i <= length; i++) {
    const code = i < length ? text.charCodeAt(i) : 32;
    const kind = code < 128 ? CLASS[code]! : isWideSpace(code) ? SPACE : OTHER;
    if ((kind & WORD) !== 0) {
      if (inWord === 0) word = i;
      inWord |= kind;
    } else {
      if (inWord !== 0) {
        visitWord(text, word, i, inWord, visit);
        inWord = 0;
      }
      if (code === 64) at = true;
      else if (code === 58) colon = true;
      else if (code >= 0xc0 && isCapital(text, i)) visit(ANCHOR.CAPITAL, i, i + 1);
    }
    if (kind !== SPACE) {
      if (!inToken) token = i;
      inToken = true;
    } else if (inToken) {
      if (at) visit(ANCHOR.AT, token, i);
      if (colon) visit(ANCHOR.COLON, token, i);
      if (i - token >= LONG_TOKEN) visit(ANCHOR.TOKEN, token, i);
      inToken = at = colon = false;
    }
  }
}

/** One or two letters, a space and digits are the start of a code as well. */
function visitWord(text: string, from: number, to: number, classes: number, visit: Visit): void {
  const first = CLASS[text.charCodeAt(from)]!;
  if (first === DIGIT) visit(ANCHOR.NUMBER, from, to);
  else if ((classes & DIGIT) !== 0 || (to - from <= 2 && isDigitAt(text, to + 1))) visit(ANCHOR.CODE, from, to);
  if (first === UPPER) visit(ANCHOR.CAPITAL, from, to);
}

/** Of an alphabet with capitals beyond ASCII: Latin, Greek or Cyrillic. */
function isCapital(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code > 0x52f || (code > 0x24f && code < 0x370)) return false;
  const letter = text[at]!;
  return letter !== letter.toLowerCase();
}

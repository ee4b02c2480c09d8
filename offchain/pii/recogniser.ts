/**
 * Where in a text a recogniser is asked: bits. One pass over a text finds its anchors, so that a text without any costs
 * that pass alone.
 */
export const ANCHOR = {
  /** A run of ASCII letters, digits and underscores that starts with a digit. */
  NUMBER: 1,
  /** Such a run that starts with a letter and has a digit. */
  CODE: 2,
  /** A run without white space that has an `@`. */
  AT: 4,
  /** A run without white space that has a `:`. */
  COLON: 8,
  /** A run without white space of at least `LONG_TOKEN` characters. */
  TOKEN: 16,
  /** A word that starts with a capital letter: its first run of ASCII letters, or the letter alone if it is no ASCII. */
  CAPITAL: 32,
} as const;

/** Of UTF-16 code units. A MAC address in Cisco's form has as many. */
export const LONG_TOKEN = 14;

/** Takes what a recogniser has found: UTF-16 offsets in the text, the end exclusive, and a score in (0, 1]. */
export type Found = (start: number, end: number, score: number) => void;

/**
 * Recognises one type of personal data. Others than those that come along implement the same. The work at an anchor has
 * to be bounded, or linear in the anchor's length, and nothing may depend on earlier calls, clock or locale.
 */
export interface Recogniser {
  /** In snake case, as it stands in findings. */
  readonly type: string;
  /** Bits of `ANCHOR`. */
  readonly anchors: number;
  /** Bounds of the length of a NUMBER or CODE at which it is asked. */
  readonly lengths: readonly [shortest: number, longest: number];
  /** Reports what there is at the anchor `text.slice(from, to)`, of this bit; it may look around in the text. */
  find(text: string, from: number, to: number, found: Found, anchor: number): void;
  /** Names of columns that hold it, as `columnWords` writes them. */
  readonly columns: RegExp;
  /**
   * The score of a trimmed cell of such a column that is nothing but a value of this type; 0 if it is none. More lenient
   * than `find`, because the column's name is evidence.
   */
  whole(cell: string): number;
  /**
   * Of a type whose values random digits often pass for: how a cell looks whether or not its check digit is right. A
   * column of such cells of which few are right holds other numbers.
   */
  readonly shape?: RegExp;
  /** Whether most values of a column being so says that the column holds it, whatever its name. */
  readonly tellsColumn: boolean;
  /** One spelling of a value for all its spellings: what is hashed. */
  canonical(value: string): string;
}

/** The words of a column's name, lower-case, with spaces before, between and after: ` date of birth ` for `dateOfBirth`. */
export function columnWords(name: string): string {
  const words = name.replace(/(\p{Ll}|\d)(?=\p{Lu})/gu, '$1 ').match(/[\p{L}\d]+/gu) ?? [];
  return ` ${words.join(' ').toLowerCase()} `;
}

/** Characters before a value in which a word that says what it is counts. */
const CONTEXT = 40;

/** Whether words that say what it is stand before a value, within so many characters and after any other number. */
export function saysBefore(text: string, start: number, words: RegExp, within = CONTEXT): boolean {
  const least = Math.max(0, start - within);
  let from = start;
  while (from > least && !isDigitAt(text, from - 1)) from--;
  // A word that is cut in two is another.
  while (from > 0 && from < start && isWordAt(text, from - 1) && isWordAt(text, from)) from++;
  return from < start && words.test(text.slice(from, start));
}

/** Of characters between hyphens, as identifiers have them. */
const LONGEST_GROUP = 16;

const isWordCode = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;

/** Whether a letter, digit or underscore stands at an offset. */
export const isWordAt = (text: string, at: number): boolean => at >= 0 && isWordCode(text.charCodeAt(at));

export const isDigitAt = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
};

/** Whether a value ends here: no word goes on, no number after a point or slash, and neither after a hyphen. */
export function endsAt(text: string, end: number): boolean {
  if (isWordAt(text, end)) return false;
  const next = text[end];
  return next === '-' ? !isWordAt(text, end + 1) : !((next === '.' || next === '/') && isDigitAt(text, end + 1));
}

/** Whether a value starts here: the mirror image, but that a word without digits may stand before the hyphen. */
export function startsAt(text: string, start: number): boolean {
  if (isWordAt(text, start - 1)) return false;
  const before = text[start - 1];
  if (before !== '-') return !((before === '.' || before === '/') && isDigitAt(text, start - 2));
  let at = start - 2;
  while (isWordAt(text, at) && start - at < LONGEST_GROUP && !isDigitAt(text, at)) at--;
  return !isDigitAt(text, at);
}

/** Letters and digits alone, upper-case. */
export const compact = (value: string): string => value.replace(/[^A-Za-z0-9]/g, '').toUpperCase();

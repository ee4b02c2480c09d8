import { ANCHOR, compact, endsAt, type Recogniser, saysBefore, startsAt } from './recogniser.ts';

/** A kind of number that an authority gives to a person. */
export interface IdNumber {
  readonly type: string;
  /** How it is written, from its first character on; bounded, so that matching takes constant time. */
  readonly pattern: RegExp;
  /** Whether its letters and digits, without separators and in capitals, are one. */
  valid(characters: string): boolean;
  /** Scores where nothing says what it is: written with separators, and without. */
  readonly written: number;
  readonly bare: number;
  /** Words that say what it is before it or as a column's name: alternatives of lower-case words. */
  readonly words: string;
  /** Bounds of the length of its first run of letters and digits. */
  readonly lengths: readonly [shortest: number, longest: number];
  /** Whether most values of a column being so says that the column holds it; by default so. */
  readonly tellsColumn?: boolean;
}

/** Where a word before it or the column's name says what it is. */
const SAID = 0.95;

/** A recogniser of such numbers. */
export function idNumber(kind: IdNumber): Recogniser {
  const { type, valid, written, bare, lengths, pattern, words, tellsColumn = true } = kind;
  const sticky = new RegExp(pattern.source, 'y');
  const entire = new RegExp(`^(?:${pattern.source})$`);
  const said = saying(words);
  return {
    ...{ type, anchors: ANCHOR.NUMBER | ANCHOR.CODE, lengths, shape: entire, tellsColumn, canonical: compact },
    find(text, from, _to, found) {
      sticky.lastIndex = from;
      if (!sticky.test(text)) return;
      const end = sticky.lastIndex;
      if (!startsAt(text, from) || !endsAt(text, end)) return;
      const value = text.slice(from, end);
      const characters = compact(value);
      if (!valid(characters)) return;
      const score = characters.length === value.length ? bare : written;
      found(from, end, score < SAID && saysBefore(text, from, said) ? SAID : score);
    },
    columns: new RegExp(` (?:${words}) `),
    whole: (cell) => (entire.test(cell) && valid(compact(cell)) ? SAID : 0),
  };
}

/** Whether one of these alternatives of lower-case words stands in a text, in whatever case, joined by whatever. */
export const saying = (words: string): RegExp =>
  new RegExp(`(?<![a-z])(?:${words.replaceAll(' ', '[ _-]?')})(?![a-z])`, 'i');

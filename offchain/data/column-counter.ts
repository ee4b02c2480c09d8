import { canonicalText, cellText } from '../table/cell.ts';
import { mix } from './min-hash.ts';
import { hashOf, KIND, kindsOf, type Room } from './room.ts';

/** What a column of a table holds, its cells in canonical form. */
export interface ColumnProfile {
  readonly name: string;
  /** Cells that are not missing. */
  readonly present: number;
  /** Of them, decimal numbers, and of those, whole ones. */
  readonly numbers: number;
  readonly integers: number;
  /** Of the numbers, as doubles. */
  readonly least: number | null;
  readonly most: number | null;
  /** About how many different values there are: within some percent. */
  readonly distinct: number;
  /** UTF-8 bytes of the longest, as it is in the file or canonically, and of all. */
  readonly longest: number;
  readonly bytes: number;
  /** Whether no cell is missing, and whether JSON writes one otherwise than it is, between quotes. */
  readonly complete: boolean;
  readonly escaped: boolean;
  /** Bits of `KIND` of all cells; every bit where a cell is not written canonically, but for zeros at the end of a fraction. */
  readonly kinds: number;
  /** Cells that a spreadsheet would run as a formula: they begin with = + - @ and are no numbers. */
  readonly formulas: number;
  readonly firstFormula: number | null;
}

const [SPACE, PLUS, MINUS, POINT, ZERO, COLON, EQUALS, QUESTION, AT] = [32, 43, 45, 46, 48, 58, 61, 63, 64];
const [LARGE_N, SMALL_N] = [78, 110];
/** A canonical number, as patterns of JavaScript and of SQL write it. */
export const NUMBER = '-?(?:0|[1-9][0-9]*)(?:\\.[0-9]*[1-9])?';
const IS_NUMBER = new RegExp(`^${NUMBER}$`);
/** Of so few digits that all steps of `decimal` are exact; of more, a number is read by Node. */
const EXACT_DIGITS = 15;
const MOST_DIGITS = 64;
const ALL_KINDS = 255;
/** Of the longest spelling of a missing cell. */
const LONGEST_MISSING = 4;

/** Of the number that `decimal` has read: its value, where its canonical form ends, and whether that is a whole one. */
const read = { value: 0, end: 0, whole: true };

/**
 * Reads a number that is written canonically but for zeros at the end of its fraction, into `read`.
 *
 * @returns false for any other text
 */
function decimal(bytes: Buffer, from: number, to: number): boolean {
  const first = bytes[from] === MINUS ? from + 1 : from;
  if (to - first > MOST_DIGITS) return false;
  let point = first;
  let digits = 0;
  for (; point < to && bytes[point] !== POINT; point++) {
    const digit = bytes[point]! - ZERO;
    if (digit < 0 || digit > 9) return false;
    digits = 10 * digits + digit;
  }
  if (point === first || point + 1 === to || (bytes[first] === ZERO && point > first + 1)) return false;
  let [end, scale] = [point, 1];
  for (let at = point + 1, all = digits, power = 10; at < to; at++, power *= 10) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return false;
    all = 10 * all + digit;
    if (digit === 0) continue;
    digits = all;
    scale = power;
    end = at + 1;
  }
  if (digits === 0 && first !== from) return false;
  read.value = first === from ? digits / scale : -digits / scale;
  if (end - first > EXACT_DIGITS) read.value = Number(bytes.toString('latin1', from, end));
  read.end = end;
  read.whole = end === point;
  return true;
}

/** Counts what one column holds, cell by cell. */
export class ColumnCounter {
  #zeros = false;
  #odd = false;
  #present = 0;
  #numbers = 0;
  #integers = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #longest = 0;
  #bytes = 0;
  #escaped = false;
  #kinds = 0;
  #formulas = 0;
  #firstFormula: number | null = null;
  readonly #distinct = new Registers();

  /** Takes the column's cells of so many rows that were divided: each as it is written, `width` cells after the one before. */
  add(
    { bytes, starts, ends, kinds, hashes }: Room,
    first: number,
    width: number,
    rows: number,
    firstRow: number,
  ): void {
    for (let row = 0, cell = first; row < rows; row++, cell += width) {
      const [from, to, found] = [starts[cell]!, ends[cell]!, kinds[cell]!];
      if (from === to) continue;
      if (to - from > this.#longest) this.#longest = to - from;
      this.#kinds |= found;
      if ((found & ~(KIND.DIGIT | KIND.SIGN)) === 0 && decimal(bytes, from, to)) {
        if (read.end !== to) this.#zeros = true;
        const hash = read.end === to ? hashes[cell]! : hashOf(bytes, from, read.end);
        this.#addNumber(read.value, read.whole, read.end - from, hash);
      } else if (isCanonicalText(bytes, from, to, found)) {
        this.#addText(bytes[from]!, found, to - from, hashes[cell]!, firstRow + row);
      } else this.#addOdd(bytes.toString('utf8', from, to), firstRow + row);
    }
  }

  /** How cells differ from their canonical forms: not at all, in numbers by zeros at the end of a fraction alone, or otherwise. */
  get change(): 'none' | 'zeros' | 'other' {
    if (!this.#zeros && !this.#odd) return 'none';
    return !this.#odd && this.#numbers === this.#present ? 'zeros' : 'other';
  }

  /** Of so many rows. */
  profile(name: string, rows: number): ColumnProfile {
    const present = this.#present;
    return {
      ...{ name, present, numbers: this.#numbers, integers: this.#integers },
      ...(this.#numbers === 0 ? { least: null, most: null } : { least: this.#least, most: this.#most }),
      distinct: Math.min(present, this.#distinct.estimate()),
      ...{ longest: this.#longest, bytes: this.#bytes, complete: present === rows, escaped: this.#escaped },
      kinds: this.#odd ? ALL_KINDS : this.#kinds,
      ...{ formulas: this.#formulas, firstFormula: this.#firstFormula },
    };
  }

  #addNumber(number: number, whole: boolean, length: number, hash: number): void {
    this.#numbers++;
    if (whole) this.#integers++;
    if (number < this.#least) this.#least = number;
    if (number > this.#most) this.#most = number;
    this.#addCanonical(length, hash);
  }

  #addText(first: number, kinds: number, length: number, hash: number, row: number): void {
    if ((kinds & KIND.ESCAPED) !== 0) this.#escaped = true;
    if (first === EQUALS || first === PLUS || first === MINUS || first === AT) {
      this.#formulas++;
      this.#firstFormula ??= row;
    }
    this.#addCanonical(length, hash);
  }

  /** One that may be missing, or not be written canonically. */
  #addOdd(written: string, row: number): void {
    const text = cellText(written);
    const canonical = text === null ? null : canonicalText(text);
    if (canonical !== written) this.#odd = true;
    if (canonical === null) return;
    const bytes = Buffer.from(canonical);
    const hash = hashOf(bytes, 0, bytes.length);
    const number = IS_NUMBER.test(canonical) ? Number(canonical) : Number.NaN;
    if (Number.isFinite(number)) this.#addNumber(number, !canonical.includes('.'), bytes.length, hash);
    else this.#addText(bytes[0]!, kindsOf(bytes, 0, bytes.length), bytes.length, hash, row);
  }

  #addCanonical(length: number, hash: number): void {
    this.#present++;
    this.#bytes += length;
    if (length > this.#longest) this.#longest = length;
    this.#distinct.add(hash);
  }
}

/** Whether a cell that `decimal` has not read is a text in canonical form; where that takes more than a look, it says no. */
function isCanonicalText(bytes: Buffer, from: number, to: number, kinds: number): boolean {
  const first = bytes[from]!;
  if (first <= SPACE || bytes[to - 1]! <= SPACE) return false;
  if (to - from <= LONGEST_MISSING && (first === LARGE_N || first === SMALL_N || first === QUESTION)) return false;
  if (first >= COLON || (kinds & ~(KIND.DIGIT | KIND.SIGN | KIND.UPPER | KIND.LOWER)) !== 0) return true;
  // Dates have a sign where a number without an exponent has none.
  return (kinds & (KIND.UPPER | KIND.LOWER)) === 0 && hasSign(bytes, from + 1, to);
}

function hasSign(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] === MINUS || bytes[at] === PLUS) return true;
  return false;
}

const REGISTER_BITS = 12;

/** HyperLogLog (Flajolet and others, 2007), with linear counting where few registers are taken: within 2 % mostly. */
class Registers {
  readonly #registers = new Uint8Array(2 ** REGISTER_BITS);

  /** @param of a value, which are mixed here */
  add(of: number): void {
    const hash = mix(of);
    const register = hash >>> (32 - REGISTER_BITS);
    const rank = Math.clz32((hash << REGISTER_BITS) | (2 ** (REGISTER_BITS - 1))) + 1;
    if (rank > this.#registers[register]!) this.#registers[register] = rank;
  }

  estimate(): number {
    const { length } = this.#registers;
    const sum = this.#registers.reduce((all, rank) => all + 2 ** -rank, 0);
    const estimate = ((0.7213 / (1 + 1.079 / length)) * length ** 2) / sum;
    const empty = this.#registers.reduce((count, rank) => count + (rank === 0 ? 1 : 0), 0);
    return Math.round(estimate <= 2.5 * length && empty > 0 ? length * Math.log(length / empty) : estimate);
  }
}

/**
 * The look at a CSV file's bytes. Longer than other files, because finding its dialect, its records and all that is wrong
 * with them share one reading of the bytes.
 */
import { isUtf8 } from 'node:buffer';
import { HokusaiError } from '../errors.ts';
import { ByteFinder, FIND_AT_ONCE } from './find-bytes.ts';

/** What a look at the bytes says about a CSV file, before any parser has touched it. */
export interface CsvShape {
  /** One of `,` `;` tab `|`. */
  delimiter: string;
  /** The one line end used outside quotes. */
  lineEnd: '\n' | '\r\n' | '\r';
  /** Number of fields of the header, at least 2. */
  fields: number;
  /** 1-based line on which each record starts, the header first. Blank lines are no records. */
  lines: Uint32Array;
}

const DELIMITERS = [',', ';', '\t', '|'];
/** Malformed rows told one by one. */
const SHOWN = 10;
const [LF, CR, QUOTE, SPACE] = [10, 13, 34, 32];

/** 1-based number of the line that holds the byte at `position`; a line ends with LF, CR LF or CR. */
export function lineAt(bytes: Uint8Array, position: number): number {
  let line = 1;
  for (let i = 0; i < position; i++) if (endAt(bytes, i) !== undefined) line++;
  return line;
}

/**
 * Finds delimiter, line end, number of fields and the line of each record of a CSV file (RFC 4180 quoting).
 *
 * DuckDB's own sniffer is not asked: it reads a file with ragged rows as one column delimited by `|`, and skips a first
 * line that starts with `#`, in both cases without a word. Nor is it asked to count fields: it drops further fields at
 * the end of a row when they are empty.
 *
 * @throws HokusaiError `terminal`: CSV_EMPTY, CSV_NOT_UTF8, CSV_NUL_BYTE, and those of {@link delimiterOf} and
 *   {@link CsvScanner}
 */
export function scanCsv(bytes: Uint8Array, file: string): CsvShape {
  refuseBinary(bytes, file);
  const delimiter = delimiterOf(bytes, file);
  const lines: number[] = [];
  const scanner = new CsvScanner(file, delimiter, (line) => lines.push(line));
  scanner.push(bytes);
  const { fields, lineEnd } = scanner.finish();
  return { delimiter, fields, lineEnd, lines: Uint32Array.from(lines) };
}

/**
 * The candidate that occurs most often in the header outside quotes; of equals, the first of `,` `;` tab `|`.
 *
 * @param bytes hold the header
 * @throws HokusaiError `terminal` CSV_ONE_COLUMN
 */
export function delimiterOf(bytes: Uint8Array, file: string): string {
  const counts = countInHeader(bytes);
  const most = Math.max(...counts);
  if (most > 0) return DELIMITERS[counts.indexOf(most)]!;
  throw new HokusaiError('terminal', 'CSV_ONE_COLUMN', `${file}: the header has one field only`, {
    details: { file, delimiters: DELIMITERS },
    next: 'Separate the columns by commas, semicolons, tabs or vertical bars, and name each in the first line.',
  });
}

function refuseBinary(bytes: Uint8Array, file: string): void {
  if (!bytes.some((byte) => byte !== LF && byte !== CR)) {
    throw new HokusaiError('terminal', 'CSV_EMPTY', `${file} is empty`, {
      details: { file },
      next: 'Give a CSV file with a header and at least one row.',
    });
  }
  if (!isUtf8(bytes)) {
    const line = firstLineNotUtf8(bytes);
    throw new HokusaiError('terminal', 'CSV_NOT_UTF8', `${file}:${line}: these bytes are not UTF-8`, {
      details: { file, line },
      next: 'Save the file as UTF-8.',
    });
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    const line = lineAt(bytes, nul);
    throw new HokusaiError('terminal', 'CSV_NUL_BYTE', `${file}:${line}: a NUL byte, so this is not a text file`, {
      details: { file, line },
      next: 'Give a CSV file in UTF-8.',
    });
  }
}

/** No multi-byte sequence of UTF-8 contains a line end, so lines can be judged one by one. */
function firstLineNotUtf8(bytes: Uint8Array): number {
  let start = 0;
  while (start < bytes.length) {
    const next = bytes.indexOf(LF, start);
    const end = next < 0 ? bytes.length : next;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
  }
  return lineAt(bytes, start);
}

/** How often each delimiter occurs outside quotes in the first line that is not blank. */
function countInHeader(bytes: Uint8Array): number[] {
  const codes = DELIMITERS.map((delimiter) => delimiter.charCodeAt(0));
  const counts = codes.map(() => 0);
  let quoted = false;
  let blank = true;
  for (const byte of hasByteOrderMark(bytes) ? bytes.subarray(3) : bytes) {
    if (byte === QUOTE) quoted = !quoted;
    if (quoted) continue;
    if (byte === LF || byte === CR) {
      if (!blank) break;
      continue;
    }
    blank = false;
    const which = codes.indexOf(byte);
    if (which >= 0) counts[which]!++;
  }
  return counts;
}

/** Longest record of a CSV file, and longest line of JSON, in bytes. */
export const MAX_RECORD = 4 * 2 ** 20;

const [START, SPACES, PLAIN, QUOTED, CLOSED] = [0, 1, 2, 3, 4];

/**
 * Follows the records of a CSV file as its bytes come. A quote opens a quoted field where the field starts and is a
 * character inside a bare field. Spaces between delimiter and quote are refused: DuckDB reads them now one way, now the
 * other.
 *
 * @throws HokusaiError `terminal`: CSV_UNPARSABLE, CSV_MIXED_LINE_ENDS, CSV_RECORD_TOO_LONG as the bytes come, and
 *   CSV_MALFORMED (rows with another number of fields than the header) at the end
 */
export class CsvScanner {
  readonly #file: string;
  readonly #delimiter: string;
  readonly #delimiterByte: number;
  readonly #onRecord: ((line: number) => void) | undefined;
  /** Of the bytes that mean something anywhere. */
  readonly #special: ByteFinder;
  #field = START;
  #line = 1;
  #afterCr = false;
  /** The CR before this byte ended a record, which a LF may complete. */
  #endedByCr = false;
  #lineEnd: CsvShape['lineEnd'] | undefined;
  #record = { line: 1, fields: 1, bytes: 0 };
  #started = false;
  #expected = 0;
  #records = 0;
  #wrong: { line: number; expected: number; found: number }[] = [];
  #wrongCount = 0;

  /** @param onRecord told the line on which each record starts, the header first */
  constructor(file: string, delimiter: string, onRecord?: (line: number) => void) {
    this.#file = file;
    this.#delimiter = delimiter;
    this.#delimiterByte = delimiter.charCodeAt(0);
    this.#onRecord = onRecord;
    // A delimiter beyond ASCII is no one byte, so none is found.
    this.#special = new ByteFinder([LF, CR, QUOTE, this.#delimiterByte < 128 ? this.#delimiterByte : QUOTE]);
  }

  push(bytes: Uint8Array): void {
    const start = !this.#started && hasByteOrderMark(bytes) ? 3 : 0;
    this.#started = true;
    for (let from = start; from < bytes.length; from += FIND_AT_ONCE) {
      const some = bytes.subarray(from, from + FIND_AT_ONCE);
      let next = 0;
      for (const special of this.#special.find(some)) {
        if (special > next) this.#pass(some, next, special);
        this.#take(some[special]!);
        next = special + 1;
      }
      if (some.length > next) this.#pass(some, next, some.length);
    }
  }

  /** Passes over bytes that mean nothing, but that spaces where a field starts may stand before a quote. */
  #pass(bytes: Uint8Array, from: number, to: number): void {
    if (this.#afterCr) this.#completeCr('\r');
    this.#count(to - from);
    if (this.#field === QUOTED || this.#field === PLAIN) return;
    if (this.#field === CLOSED) throw unparsable(this.#file, this.#record.line);
    let at = from;
    while (at < to && bytes[at] === SPACE) at++;
    this.#field = at < to ? PLAIN : SPACES;
  }

  #count(bytes: number): void {
    this.#record.bytes += bytes;
    if (this.#record.bytes > MAX_RECORD) throw tooLong(this.#file, this.#record.line);
  }

  /** @returns the records that there were, without the header */
  finish(): { fields: number; lineEnd: CsvShape['lineEnd']; rows: number } {
    this.#completeCr('\r');
    if (this.#field === QUOTED) throw unparsable(this.#file, this.#record.line);
    this.#close();
    if (this.#wrongCount > 0) throw malformed(this.#file, this.#delimiter, this.#wrong, this.#wrongCount);
    return { fields: this.#expected, lineEnd: this.#lineEnd ?? '\n', rows: this.#records - 1 };
  }

  /** Takes a byte that means something. */
  #take(byte: number): void {
    const completes = this.#afterCr && byte === LF;
    const endsRecord = this.#endedByCr;
    if (this.#afterCr) this.#completeCr(completes ? '\r\n' : '\r');
    if (completes && endsRecord) return;
    if ((byte === LF && !completes) || byte === CR) this.#line++;
    this.#afterCr = byte === CR;
    if (this.#field === QUOTED) {
      this.#count(1);
      if (byte === QUOTE) this.#field = CLOSED;
    } else if (byte === LF || byte === CR) {
      this.#close();
      if (byte === LF) this.#ends('\n', this.#line - 1);
      this.#endedByCr = byte === CR;
      this.#record = { line: this.#line, fields: 1, bytes: 0 };
      this.#field = START;
    } else this.#inside(byte);
  }

  /** A delimiter or a quote, outside quotes; a quote in a bare field is a character. */
  #inside(byte: number): void {
    this.#count(1);
    if (byte === this.#delimiterByte) {
      this.#record.fields++;
      this.#field = START;
    } else if (this.#field === START || this.#field === CLOSED) this.#field = QUOTED;
    else if (this.#field === SPACES) throw unparsable(this.#file, this.#record.line);
  }

  #completeCr(end: CsvShape['lineEnd']): void {
    if (this.#endedByCr) this.#ends(end, this.#line - 1);
    this.#afterCr = false;
    this.#endedByCr = false;
  }

  #ends(end: CsvShape['lineEnd'], line: number): void {
    this.#lineEnd ??= end;
    if (end !== this.#lineEnd) throw mixedLineEnds(this.#file, line, this.#lineEnd, end);
  }

  #close(): void {
    const { line, fields, bytes } = this.#record;
    if (bytes === 0) return;
    if (this.#records++ === 0) this.#expected = fields;
    this.#onRecord?.(line);
    if (fields === this.#expected || this.#wrongCount++ >= SHOWN) return;
    this.#wrong.push({ line, expected: this.#expected, found: fields });
  }
}

/** The line end whose last byte is at `i`. */
function endAt(bytes: Uint8Array, i: number): CsvShape['lineEnd'] | undefined {
  if (bytes[i] === LF) return bytes[i - 1] === CR ? '\r\n' : '\n';
  return bytes[i] === CR && bytes[i + 1] !== LF ? '\r' : undefined;
}

function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function mixedLineEnds(file: string, line: number, expected: string, found: string): HokusaiError {
  const [want, got] = [JSON.stringify(expected), JSON.stringify(found)];
  return new HokusaiError(
    'terminal',
    'CSV_MIXED_LINE_ENDS',
    `${file}:${line} ends with ${got}, earlier lines ${want}`,
    {
      details: { file, line, expected, found },
      next: 'Save the file with one kind of line end.',
    },
  );
}

export function tooLong(file: string, line: number): HokusaiError {
  const text = `${file}:${line}: more than ${MAX_RECORD / 2 ** 20} MiB in one record`;
  return new HokusaiError('terminal', 'CSV_RECORD_TOO_LONG', text, {
    details: { file, line, limit: MAX_RECORD },
    next: 'Look for a quote that stays open or a missing line end, or shorten the texts.',
  });
}

function malformed(
  file: string,
  delimiter: string,
  problems: { line: number; expected: number; found: number }[],
  count: number,
): HokusaiError {
  const [{ line, expected, found }] = problems as [(typeof problems)[0]];
  const many = count > 1 ? `; ${count} such rows` : '';
  const text = `${file}:${line}: expected ${expected} fields as in the header, found ${found}${many}`;
  return new HokusaiError('terminal', 'CSV_MALFORMED', text, {
    details: { file, problems, count },
    next: `Give each row ${expected} fields; quote a field that holds ${JSON.stringify(delimiter)}.`,
  });
}

/** What is said of a file whose quotes are wrong; `line` is where the record starts. */
export function unparsable(file: string, line?: number): HokusaiError {
  const where = line === undefined ? file : `${file}:${line}`;
  return new HokusaiError('terminal', 'CSV_UNPARSABLE', `${where}: the quotes do not follow RFC 4180`, {
    details: { file, line },
    next: 'Quote fields that hold delimiters, quotes or line ends, double quotes inside, leave no space around them.',
  });
}

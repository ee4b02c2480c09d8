import { isUtf8 } from 'node:buffer';
import { HokusaiError } from './errors.ts';

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
const [LF, CR, QUOTE, SPACE] = [10, 13, 34, 32];

/** 1-based number of the line that holds the byte at `position`; a line ends with LF, CR LF or CR. */
export function lineAt(bytes: Uint8Array, position: number): number {
  let line = 1;
  for (let i = 0; i < position; i++) {
    if (bytes[i] === LF || (bytes[i] === CR && bytes[i + 1] !== LF)) line++;
  }
  return line;
}

/**
 * Finds delimiter, line end, number of fields and the line of each record of a CSV file (RFC 4180 quoting).
 *
 * The delimiter is the candidate that occurs most often in the header outside quotes; of equals, the first of
 * `,` `;` tab `|`. DuckDB's own sniffer is not asked: it reads a file with ragged rows as one column delimited by `|`,
 * and skips a first line that starts with `#`, in both cases without a word.
 *
 * @throws HokusaiError `terminal`: CSV_EMPTY, CSV_NOT_UTF8, CSV_NUL_BYTE, CSV_ONE_COLUMN, CSV_MIXED_LINE_ENDS
 */
export function scanCsv(bytes: Uint8Array, file: string): CsvShape {
  refuseBinary(bytes, file);
  const counts = countInHeader(bytes);
  const most = Math.max(...counts);
  if (most === 0) {
    throw new HokusaiError('terminal', 'CSV_ONE_COLUMN', `${file}: the header has one field only`, {
      details: { file, delimiters: DELIMITERS },
      next: 'Separate the columns by commas, semicolons, tabs or vertical bars, and name each in the first line.',
    });
  }
  const delimiter = DELIMITERS[counts.indexOf(most)]!;
  return { delimiter, fields: most + 1, ...scanRecords(bytes, delimiter, file) };
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
  for (const byte of bytes) {
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

/** A quote opens a quoted field only where the field starts (spaces before it allowed); elsewhere it is a character. */
function scanRecords(bytes: Uint8Array, delimiter: string, file: string): Pick<CsvShape, 'lineEnd' | 'lines'> {
  const comma = delimiter.charCodeAt(0);
  const lines: number[] = [];
  let lineEnd: CsvShape['lineEnd'] | undefined;
  let line = 1;
  let record = { line, start: 0 };
  let fieldOpens = true;
  let quoted = false;
  for (let i = hasByteOrderMark(bytes) ? 3 : 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const ends = byte === LF || (byte === CR && bytes[i + 1] !== LF);
    if (ends) line++;
    if (quoted) {
      if (byte === QUOTE && bytes[i + 1] === QUOTE) i++;
      else quoted = byte !== QUOTE;
    } else if (ends) {
      const found = byte === CR ? '\r' : bytes[i - 1] === CR ? '\r\n' : '\n';
      lineEnd ??= found;
      if (found !== lineEnd) throw mixedLineEnds(file, line - 1, lineEnd, found);
      if (i + 1 - record.start > found.length) lines.push(record.line);
      record = { line, start: i + 1 };
      fieldOpens = true;
    } else {
      quoted = byte === QUOTE && fieldOpens;
      fieldOpens = byte === comma || (fieldOpens && byte === SPACE);
    }
  }
  if (record.start < bytes.length) lines.push(record.line);
  return { lineEnd: lineEnd ?? '\n', lines: Uint32Array.from(lines) };
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

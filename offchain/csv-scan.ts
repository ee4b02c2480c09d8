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
 * The delimiter is the candidate that occurs most often in the header outside quotes; of equals, the first of
 * `,` `;` tab `|`. DuckDB's own sniffer is not asked: it reads a file with ragged rows as one column delimited by `|`,
 * and skips a first line that starts with `#`, in both cases without a word. Nor is it asked to count fields: it drops
 * further fields at the end of a row when they are empty.
 *
 * @throws HokusaiError `terminal`: CSV_EMPTY, CSV_NOT_UTF8, CSV_NUL_BYTE, CSV_ONE_COLUMN, CSV_MIXED_LINE_ENDS,
 * CSV_MALFORMED (rows with another number of fields than the header), CSV_UNPARSABLE
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
  const { lineEnd, lines, found } = scanRecords(bytes, delimiter, file);
  const fields = found[0]!;
  const wrong = found.flatMap((count, record) => (count === fields ? [] : [record]));
  if (wrong.length > 0) {
    const problems = wrong.slice(0, SHOWN).map((record) => ({
      line: lines[record]!,
      expected: fields,
      found: found[record]!,
    }));
    throw malformed(file, delimiter, problems, wrong.length);
  }
  return { delimiter, fields, lineEnd, lines: Uint32Array.from(lines) };
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

type FieldState = 'start' | 'space' | 'plain' | 'quoted' | 'closed';

/**
 * Line and number of fields of each record. A quote opens a quoted field where the field starts and is a character
 * inside a bare field. Spaces between delimiter and quote are refused: DuckDB reads them now one way, now the other.
 */
function scanRecords(bytes: Uint8Array, delimiter: string, file: string) {
  const comma = delimiter.charCodeAt(0);
  const [lines, found]: [number[], number[]] = [[], []];
  let lineEnd: CsvShape['lineEnd'] | undefined;
  let line = 1;
  let record = { line, start: 0, fields: 1 };
  let field: FieldState = 'start' as FieldState;
  const close = (length: number): void => {
    if (length === 0) return;
    lines.push(record.line);
    found.push(record.fields);
  };
  for (let i = hasByteOrderMark(bytes) ? 3 : 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const end = endAt(bytes, i);
    if (end !== undefined) line++;
    if (field === 'quoted') {
      if (byte === QUOTE && bytes[i + 1] === QUOTE) i++;
      else if (byte === QUOTE) field = 'closed';
    } else if (end !== undefined) {
      lineEnd ??= end;
      if (end !== lineEnd) throw mixedLineEnds(file, line - 1, lineEnd, end);
      close(i + 1 - record.start - end.length);
      record = { line, start: i + 1, fields: 1 };
      field = 'start';
    } else if (byte === comma) {
      record.fields++;
      field = 'start';
    } else if (byte === QUOTE && field === 'start') field = 'quoted';
    else if (field === 'closed' || (byte === QUOTE && field === 'space')) {
      if (byte !== CR) throw unparsable(file, record.line);
    } else field = byte === SPACE && field !== 'plain' ? 'space' : 'plain';
  }
  if (field === 'quoted') throw unparsable(file, record.line);
  close(bytes.length - record.start);
  return { lineEnd: lineEnd ?? ('\n' as const), lines, found };
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

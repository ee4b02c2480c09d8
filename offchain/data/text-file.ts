import { isAscii, isUtf8 } from 'node:buffer';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { HokusaiError } from '../errors.ts';
import { CsvScanner, delimiterOf, MAX_RECORD, tooLong } from '../table/csv-scan.ts';
import type { Source } from './source.ts';

export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'latin1'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** A text file as DuckDB is to read it. */
export interface TextFile {
  /** In UTF-8 and not compressed. */
  readonly path: string;
  /** Of a CSV file. */
  readonly csv?: { readonly delimiter: string; readonly fields: number; readonly rows: number };
}

const CHUNK = 2 ** 20;
/** The header ends before this, and so does a look at the encoding. */
const HEAD = 2 ** 20;
/** Unpacked, a file may be that many times larger, and by that much in any case: text that people write packs less. */
const MOST_RATIO = 200;
const FREE_BYTES = 64 * 2 ** 20;
const LF = 10;

/**
 * Reads a text file once, chunk by chunk: decompresses and decodes it into `spool` where it is not plain UTF-8, and
 * refuses what no reader would understand the same way.
 *
 * @throws HokusaiError `terminal`: TEXT_TORN (a compressed file that ends early or is damaged), TEXT_BOMB, TEXT_ENCODING,
 *   TEXT_NUL_BYTE, TEXT_EMPTY, TEXT_LINE_TOO_LONG, and those of {@link CsvScanner}
 */
export async function readText(
  source: Source,
  spool: string,
  { encoding, delimiter }: { encoding?: Encoding | undefined; delimiter?: string | undefined } = {},
): Promise<TextFile> {
  const chunks = decompressed(source)[Symbol.asyncIterator]();
  const head = await firstBytes(chunks);
  const found = encoding ?? encodingOf(head);
  const copies = source.compression !== 'none' || found !== 'utf-8';
  const check = new TextCheck(source, found, delimiter);
  const output = copies ? createWriteStream(spool, { mode: 0o600 }) : undefined;
  try {
    const decode = decoderOf(source.file, found);
    for (let bytes: Buffer | undefined = head; bytes; bytes = (await chunks.next()).value as Buffer | undefined) {
      await take(decode(bytes), check, output);
    }
    await take(decode(), check, output);
  } finally {
    await chunks.return?.(undefined);
    if (output) await new Promise<void>((done) => output.end(() => done()));
  }
  const csv = check.finish();
  return { path: copies ? spool : source.file, ...(csv && { csv }) };
}

async function take(bytes: Buffer, check: TextCheck, output: WriteStream | undefined): Promise<void> {
  check.push(bytes);
  if (output && !output.write(bytes)) await new Promise<void>((resolve) => output.once('drain', () => resolve()));
}

/** The bytes of a file, unpacked, in chunks. */
async function* decompressed(source: Source): AsyncGenerator<Buffer> {
  const file = createReadStream(source.file, { highWaterMark: CHUNK });
  if (source.compression === 'none') return yield* file;
  const options = { chunkSize: CHUNK };
  const unpacked = source.compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  // Its error comes out of the loop below.
  const fed = pipeline(file, unpacked).catch(() => undefined);
  let total = 0;
  try {
    for await (const chunk of unpacked) {
      total += chunk.length;
      if (total > FREE_BYTES && total > MOST_RATIO * source.bytes) throw bomb(source);
      yield chunk;
    }
    await fed;
  } catch (cause) {
    if (cause instanceof HokusaiError) throw cause;
    throw new HokusaiError('terminal', 'TEXT_TORN', `${source.file} is cut short or damaged`, {
      details: { file: source.file, compression: source.compression, reason: (cause as NodeJS.ErrnoException).code },
      next: 'Fetch or compress the file again.',
    });
  } finally {
    unpacked.destroy();
    file.destroy();
  }
}

async function firstBytes(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let length = 0; length < HEAD; ) {
    const { value, done } = await chunks.next();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  return Buffer.concat(parts);
}

function encodingOf(head: Buffer): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : 'utf-8';
}

/** Called without bytes at the end. */
function decoderOf(file: string, encoding: Encoding): (bytes?: Buffer) => Buffer {
  if (encoding === 'utf-8') return (bytes = Buffer.alloc(0)) => bytes;
  if (encoding === 'latin1') return (bytes = Buffer.alloc(0)) => Buffer.from(bytes.toString('latin1'));
  const decoder = new TextDecoder(encoding, { fatal: true });
  return (bytes) => {
    try {
      return Buffer.from(decoder.decode(bytes, { stream: bytes !== undefined }));
    } catch {
      throw wrongEncoding(file, encoding);
    }
  };
}

/** What every text file is checked for while its bytes in UTF-8 go by. */
class TextCheck {
  readonly #source: Source;
  readonly #encoding: Encoding;
  readonly #delimiter: string | undefined;
  #scanner: CsvScanner | undefined;
  #found = '';
  #line = 1;
  #lineBytes = 0;
  #any = false;
  #rest: Buffer = Buffer.alloc(0);
  #seenMultibyte = false;

  constructor(source: Source, encoding: Encoding, delimiter: string | undefined) {
    this.#source = source;
    this.#encoding = encoding;
    this.#delimiter = delimiter;
  }

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const { file, format } = this.#source;
    const nul = bytes.indexOf(0);
    if (nul >= 0) throw nulByte(file, this.#line + countLines(bytes.subarray(0, nul)));
    this.#refuseNotUtf8(bytes);
    if (format === 'csv') {
      if (!this.#scanner) {
        this.#found = this.#delimiter ?? delimiterOf(bytes, file);
        this.#scanner = new CsvScanner(file, this.#found);
      }
      this.#scanner.push(bytes);
    } else if (format === 'ndjson') this.#refuseLongLines(bytes);
    this.#any ||= /\S/.test(bytes.toString('latin1', 0, 4096));
    this.#line += countLines(bytes);
  }

  finish(): TextFile['csv'] {
    const { file } = this.#source;
    if (this.#rest.length > 0) throw wrongEncoding(file, this.#encoding, this.#line);
    if (!this.#any) {
      throw new HokusaiError('terminal', 'TEXT_EMPTY', `${file} is empty`, {
        details: { file },
        next: 'Give a table with at least one row.',
      });
    }
    return this.#scanner && { delimiter: this.#found, ...this.#scanner.finish() };
  }

  /** A character may be cut in two by the end of a chunk. */
  #refuseNotUtf8(bytes: Buffer): void {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    let whole = all.length;
    for (let back = 1; back <= 3 && back <= all.length; back++) {
      const byte = all[all.length - back]!;
      if (byte < 0x80) break;
      if (byte >= 0xc0) {
        if (back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2)) whole = all.length - back;
        break;
      }
    }
    const text = all.subarray(0, whole);
    if (!isUtf8(text)) {
      const [before, line] = validLines(text);
      const mixed = this.#seenMultibyte || before.some((byte) => byte >= 0x80);
      throw wrongEncoding(this.#source.file, this.#encoding, this.#line + line, mixed);
    }
    this.#seenMultibyte ||= !isAscii(text);
    this.#rest = Buffer.from(all.subarray(whole));
  }

  #refuseLongLines(bytes: Buffer): void {
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(LF, start);
      this.#lineBytes += (end < 0 ? bytes.length : end) - start;
      if (this.#lineBytes > MAX_RECORD)
        throw tooLong(this.#source.file, this.#line + countLines(bytes.subarray(0, start)));
      if (end < 0) return;
      this.#lineBytes = 0;
      start = end + 1;
    }
  }
}

/** The lines before the first that is not UTF-8, and how many there are. */
function validLines(bytes: Buffer): [Buffer, number] {
  let [start, lines] = [0, 0];
  for (;;) {
    const end = bytes.indexOf(LF, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return [bytes.subarray(0, start), lines];
    start = end + 1;
    lines++;
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

function wrongEncoding(file: string, encoding: Encoding, line?: number, mixed = false): HokusaiError {
  const where = line === undefined ? file : `${file}:${line}`;
  const but = mixed ? ', but earlier lines are: the file mixes encodings' : '';
  return new HokusaiError('terminal', 'TEXT_ENCODING', `${where}: these bytes are not ${encoding}${but}`, {
    details: { file, line, encoding, mixed },
    next: mixed
      ? 'Write the whole file in one encoding, UTF-8 for example.'
      : `Name its encoding: --encoding ${ENCODINGS.filter((other) => other !== encoding).join(', ')}.`,
  });
}

function nulByte(file: string, line: number): HokusaiError {
  return new HokusaiError('terminal', 'TEXT_NUL_BYTE', `${file}:${line}: a NUL byte, so this is not a text file`, {
    details: { file, line },
    next: 'Give a text file; of one in UTF-16 without a mark at its start, name the --encoding.',
  });
}

function bomb({ file, bytes }: Source): HokusaiError {
  const text = `${file} unpacks to more than ${MOST_RATIO} times its ${bytes} bytes`;
  return new HokusaiError('terminal', 'TEXT_BOMB', text, {
    details: { file, bytes, ratio: MOST_RATIO },
    next: 'Unpack it yourself, where that is really its content.',
  });
}

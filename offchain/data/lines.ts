import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';

const LF = 10;
const BLOCK = 2 ** 20;

/** Takes the bytes of a line, which it may change. */
type TakeLine = (line: Buffer) => void;

/** The lines of a file that ends with a line's end, one after the other, in memory of a block and the longest line. */
export function eachLine(file: string, take: TakeLine): void {
  const descriptor = openSync(file, 'r');
  try {
    let block = Buffer.allocUnsafe(BLOCK);
    let filled = 0;
    for (let read = 1; read > 0; ) {
      if (filled === block.length) block = Buffer.concat([block], 2 * block.length);
      read = readSync(descriptor, block, filled, block.length - filled, null);
      filled += read;
      const bytes = block.subarray(0, filled);
      let from = 0;
      for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
        take(bytes.subarray(from, end));
        from = end + 1;
      }
      block.copyWithin(0, from, filled);
      filled -= from;
    }
  } finally {
    closeSync(descriptor);
  }
}

const MANY = 2 ** 16;

/** Writes lines of a new file that only its owner may read, many at a time. */
export class LinesFile {
  readonly #file: string;
  #waiting = '';

  constructor(file: string) {
    this.#file = file;
  }

  add(lines: string): void {
    this.#waiting += lines;
    if (this.#waiting.length >= MANY) this.#flush();
  }

  close(): void {
    this.#flush();
  }

  /** Opened for each, since a table may have more columns than a process may have open files. */
  #flush(): void {
    appendFileSync(this.#file, this.#waiting, { mode: 0o600 });
    this.#waiting = '';
  }
}

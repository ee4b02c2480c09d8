import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import type { PiiSpan } from './finder.ts';

/** Of the analyzer's types those that have another name here than theirs in lower case. */
const TYPES: Readonly<Record<string, string>> = {
  EMAIL_ADDRESS: 'email',
  PHONE_NUMBER: 'phone',
  IBAN_CODE: 'iban',
  IP_ADDRESS: 'ip',
  MAC_ADDRESS: 'mac',
  LOCATION: 'address',
  US_PASSPORT: 'passport',
  UK_PASSPORT: 'passport',
  IN_PASSPORT: 'passport',
  IT_PASSPORT: 'passport',
};

/** What `POST /analyze` answers: offsets in code points, as Python counts. */
const zFindings = z.array(
  z.object({
    entity_type: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
    start: z.int().min(0),
    end: z.int().min(1),
    score: z.number().min(0).max(1),
  }),
);

interface PresidioParameters {
  /** Of the texts, as the server's models are named. */
  readonly language?: string;
  /** For one text. */
  readonly timeoutMs?: number;
  /** Requests at the same time. */
  readonly parallel?: number;
}

/**
 * A Presidio analyzer that somebody runs. What it finds goes to `PiiScanner.scan` and to the cleaner along with the
 * values. The texts leave this process, so it should be one's own.
 */
export class PresidioServer {
  readonly #url: URL;
  readonly #language: string;
  readonly #timeoutMs: number;
  readonly #parallel: number;

  /**
   * @param url - where its API is, such as `http://localhost:5002`
   * @throws HokusaiError `configuration` PRESIDIO_URL_INVALID
   */
  constructor(url: string, { language = 'en', timeoutMs = 10_000, parallel = 8 }: PresidioParameters = {}) {
    const base = URL.parse(url.endsWith('/') ? url : `${url}/`);
    if (!base || !/^https?:$/.test(base.protocol)) {
      throw new HokusaiError('configuration', 'PRESIDIO_URL_INVALID', 'A Presidio analyzer has an http or https URL', {
        next: 'Give the URL of its API, such as http://localhost:5002.',
      });
    }
    this.#url = new URL('analyze', base);
    this.#language = language;
    this.#timeoutMs = timeoutMs;
    this.#parallel = parallel;
  }

  /**
   * What it finds in each text, in UTF-16 offsets; nothing in null.
   *
   * @throws HokusaiError `retryable` PRESIDIO_UNREACHABLE, PRESIDIO_FAILED; `configuration` PRESIDIO_REFUSED;
   *   `terminal` PRESIDIO_NOT_UNDERSTOOD. No error holds a text.
   */
  async analyze(texts: readonly (string | null)[]): Promise<PiiSpan[][]> {
    const found: PiiSpan[][] = texts.map(() => []);
    const rest = once(texts.entries());
    const work = async (): Promise<void> => {
      for (const [at, text] of rest) if (text?.trim()) found[at] = await this.#analyzeOne(text);
    };
    await Promise.all(Array.from({ length: this.#parallel }, work));
    return found;
  }

  async #analyzeOne(text: string): Promise<PiiSpan[]> {
    const parsed = zFindings.safeParse(await this.#post({ text, language: this.#language }));
    const offsets = parsed.success ? codePointOffsets(text) : [];
    if (!parsed.success || parsed.data.some(({ start, end }) => start >= end || end >= offsets.length)) {
      throw new HokusaiError(
        'terminal',
        'PRESIDIO_NOT_UNDERSTOOD',
        `${this.#url.host} answers as no Presidio analyzer does`,
        {
          details: { host: this.#url.host },
          next: 'Check that the URL is that of a Presidio analyzer.',
        },
      );
    }
    return parsed.data
      .filter(({ score }) => score > 0)
      .map(({ entity_type: type, start, end, score }) => ({
        ...{ type: TYPES[type] ?? type.toLowerCase(), start: offsets[start]!, end: offsets[end]!, score },
      }));
  }

  async #post(body: object): Promise<unknown> {
    let status: number;
    let answer: string;
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        // A redirect would take the text elsewhere.
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      status = response.status;
      answer = await response.text();
    } catch (cause) {
      throw this.#unreachable(cause);
    }
    if (status !== 200) throw this.#refused(status);
    try {
      return JSON.parse(answer);
    } catch {
      return undefined;
    }
  }

  #unreachable(cause: unknown): HokusaiError {
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    const why = isLate ? `did not answer within ${this.#timeoutMs} ms` : 'cannot be reached';
    return new HokusaiError('retryable', 'PRESIDIO_UNREACHABLE', `The Presidio analyzer at ${this.#url.host} ${why}`, {
      ...{ cause, details: { host: this.#url.host }, next: 'Start it, or go on without it.' },
    });
  }

  #refused(status: number): HokusaiError {
    const kind = status >= 500 || status === 429 ? 'retryable' : 'configuration';
    const code = kind === 'retryable' ? 'PRESIDIO_FAILED' : 'PRESIDIO_REFUSED';
    return new HokusaiError(kind, code, `The Presidio analyzer at ${this.#url.host} answers with status ${status}`, {
      details: { host: this.#url.host, status },
      next: 'Look into its log; it may lack a model of the language.',
    });
  }
}

/** For several loops to share; the first that fails ends all. */
function* once<T>(values: Iterable<T>): Generator<T> {
  yield* values;
}

/** The UTF-16 offset of each code point, and of the end. */
function codePointOffsets(text: string): number[] {
  const offsets = [0];
  for (const character of text) offsets.push(offsets.at(-1)! + character.length);
  return offsets;
}

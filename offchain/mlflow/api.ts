/** MLflow's REST API over fetch, with errors that say what to do. No client on npm is kept up to date. */
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import type { Server } from './destination.ts';

/** Bytes a second that an upload may be as slow as, beyond the time of any request. */
const SLOWEST_UPLOAD = 250_000;

/** Answers' time by which a download may take longer. */
const DOWNLOAD_PATIENCE = 60;
const MOST_DOWNLOADED = 2 ** 30;

const zFailure = z.object({ error_code: z.string() });

/** One that MLflow answered, by its code. */
const hasCode = (error: unknown, code: string): boolean =>
  error instanceof HokusaiError && error.code === 'MLFLOW_REFUSED' && error.details.answer === code;

export class Api {
  readonly #server: Server;
  readonly #seconds: number;
  readonly #signal: AbortSignal | undefined;

  /**
   * @param seconds that an answer may take
   * @param signal  ends all requests
   */
  constructor(server: Server, seconds: number, signal?: AbortSignal) {
    this.#server = server;
    this.#seconds = seconds;
    this.#signal = signal;
  }

  /** @param query of a `GET`, whose answer has this shape */
  get<T>(path: string, query: Record<string, string>, shape: z.ZodType<T>): Promise<T> {
    return this.#json(`/mlflow/${path}?${new URLSearchParams(query)}`, {}, shape);
  }

  /** The bytes of an artifact. @param path as in {@link put} */
  async artifact(path: string): Promise<Buffer> {
    const at = path.split('/').map(encodeURIComponent).join('/');
    const { url } = this.#server;
    return this.#request(`/mlflow-artifacts/artifacts/${at}`, {}, this.#seconds * DOWNLOAD_PATIENCE, (response) =>
      bytesOf(response, url),
    );
  }

  /** What is in a folder of artifacts, with their paths from the root of the store. */
  async artifacts(folder: string): Promise<{ path: string; is_dir: boolean }[]> {
    const zFiles = z.object({ files: z.array(z.object({ path: z.string(), is_dir: z.boolean() })).default([]) });
    const query = new URLSearchParams({ path: folder });
    const { files } = await this.#json(`/mlflow-artifacts/artifacts?${query}`, {}, zFiles);
    return files;
  }

  post<T = unknown>(path: string, body: unknown, shape: z.ZodType<T> = z.unknown() as z.ZodType<T>): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.#json(`/mlflow/${path}`, { method: 'POST', headers, body: JSON.stringify(body) }, shape);
  }

  /** What this gives, or nothing where the server answers that there is none. */
  async found<T>(asked: Promise<T>): Promise<T | undefined> {
    return asked.catch((error) => {
      if (hasCode(error, 'RESOURCE_DOES_NOT_EXIST')) return undefined;
      throw error;
    });
  }

  /** What this gives, or nothing where the server answers that somebody else has made it already. */
  async made<T>(asked: Promise<T>): Promise<T | undefined> {
    return asked.catch((error) => {
      if (hasCode(error, 'RESOURCE_ALREADY_EXISTS')) return undefined;
      throw error;
    });
  }

  /** Keeps bytes as an artifact. @param path of the server's own store, without a leading slash */
  async put(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const at = path.split('/').map(encodeURIComponent).join('/');
    const headers = { 'content-type': 'application/octet-stream' };
    const init = { method: 'PUT', headers, body: bytes };
    await this.#request(
      `/mlflow-artifacts/artifacts/${at}`,
      init,
      this.#seconds + bytes.length / SLOWEST_UPLOAD,
      textOf,
    );
  }

  async #json<T>(path: string, init: RequestInit, shape: z.ZodType<T>): Promise<T> {
    const text = await this.#request(path, init, this.#seconds, textOf);
    const parsed = shape.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    throw otherServer(this.#server.url, pathOf(path));
  }

  async #request<T>(
    path: string,
    init: RequestInit,
    seconds: number,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { url, authorization } = this.#server;
    const late = AbortSignal.timeout(Math.ceil(1000 * seconds));
    const signal = this.#signal ? AbortSignal.any([late, this.#signal]) : late;
    const headers = { ...init.headers, ...(authorization !== undefined && { authorization }) };
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}/api/2.0${path}`, { ...init, headers, signal });
      if (response.ok) return await read(response);
      text = await response.text();
    } catch (error) {
      if (error instanceof HokusaiError) throw error;
      throw late.aborted ? tookTooLong(url, seconds) : unreachable(url, error, this.#signal?.aborted === true);
    }
    throw refused(url, pathOf(path), response.status, text);
  }
}

const textOf = (response: Response): Promise<string> => response.text();

/** What may be longer than is taken is not read to its end. */
async function bytesOf({ body }: Response, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_DOWNLOADED) {
      const text = `${url} gives a file of more than ${MOST_DOWNLOADED} bytes.`;
      throw new HokusaiError('configuration', 'MLFLOW_TOO_LARGE', text, { details: { url, most: MOST_DOWNLOADED } });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const pathOf = (path: string): string => path.split('?')[0]!;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const LATER = 'Nothing is lost: the next run catches up.';

function tookTooLong(url: string, seconds: number): HokusaiError {
  const message = `${url} did not answer within ${seconds.toFixed(0)} s.`;
  return new HokusaiError('retryable', 'MLFLOW_TIMEOUT', message, { details: { url, seconds }, next: LATER });
}

/** Only the code of what went wrong: its words may quote a header. */
function unreachable(url: string, error: unknown, stopped: boolean): HokusaiError {
  const { cause } = error as { cause?: { code?: string; errors?: { code?: string }[] } };
  const reason = stopped ? 'stopped' : (cause?.code ?? cause?.errors?.[0]?.code ?? 'broken off');
  const message = `${url} cannot be reached (${reason}).`;
  return new HokusaiError('retryable', 'MLFLOW_UNREACHABLE', message, { details: { url, reason }, next: LATER });
}

function otherServer(url: string, path: string): HokusaiError {
  return new HokusaiError('configuration', 'MLFLOW_ANSWER', `${url} does not answer as MLflow does.`, {
    details: { url, path },
    next: 'Check that MLFLOW_TRACKING_URI names a tracking server, and not a page in front of it.',
  });
}

function refused(url: string, path: string, status: number, text: string): HokusaiError {
  const answer = zFailure.safeParse(jsonOf(text)).data?.error_code;
  const details = { url, path, status, ...(answer !== undefined && { answer }) };
  const fail = (kind: 'retryable' | 'terminal' | 'configuration', code: string, message: string, next: string) =>
    new HokusaiError(kind, code, message, { details, next });
  if (status === 401) {
    const next = 'Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.';
    return fail('configuration', 'MLFLOW_UNAUTHORISED', `${url} does not accept the credentials.`, next);
  }
  if (status === 403) {
    const next = answer
      ? 'Ask for the permission to write there, or name another experiment by MLFLOW_EXPERIMENT_NAME.'
      : `Start the server with --allowed-hosts ${new URL(url).host}: it answers to localhost and private addresses alone.`;
    return fail('configuration', 'MLFLOW_FORBIDDEN', `${url} refuses access to ${path}.`, next);
  }
  if (status >= 500 || status === 429 || status === 408) {
    return fail('retryable', 'MLFLOW_BUSY', `${url} answers ${status} to ${path}.`, LATER);
  }
  if (status === 404 && answer === undefined) return otherServer(url, path);
  const message = `${url} refuses ${path}: ${status}${answer ? ` ${answer}` : ''}.`;
  return fail('terminal', 'MLFLOW_REFUSED', message, 'Compare the run there with the record, or give the record up.');
}

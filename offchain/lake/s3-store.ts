/** A table in an object store that has conditional puts: Amazon S3, and those that speak its language. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, openAsBlob, rmSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { HokusaiError } from '../errors.ts';
import { storageError } from '../run/journal.ts';
import { writeWhole } from '../write-whole.ts';
import { missing, type Store, type StoredFile, WORK } from './store.ts';

/** How often a put is tried that collides with another one of the same name, which S3 answers with 409. */
const COLLISIONS = 5;

export class S3Store implements Store {
  readonly location: string;
  readonly scratch = tmpdir();
  readonly #client: AwsClient;
  readonly #bucket: string;
  readonly #prefix: string;
  #downloads: string | undefined;
  #conditions: Promise<void> | undefined;

  /**
   * @param location s3://BUCKET/PREFIX
   * @param environment the variables that AWS's own tools read: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
   *   AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL
   * @throws HokusaiError LAKE_LOCATION, S3_CREDENTIALS (configuration)
   */
  constructor(location: string, environment: NodeJS.ProcessEnv = process.env) {
    const [, bucket, prefix] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/*(.*?)\/*$/i.exec(location) ?? [];
    if (bucket === undefined) throw wrongLocation(location);
    const {
      AWS_ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY,
      AWS_SESSION_TOKEN,
      AWS_REGION: region = 'us-east-1',
    } = environment;
    if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) throw noCredentials();
    this.location = location;
    this.#bucket = `${(environment.AWS_ENDPOINT_URL ?? `https://s3.${region}.amazonaws.com`).replace(/\/+$/, '')}/${bucket}`;
    this.#prefix = prefix ? `${prefix}/` : '';
    this.#client = new AwsClient({
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
      service: 's3',
      region,
      retries: 5,
    });
  }

  async list(folder: string): Promise<StoredFile[]> {
    const found: StoredFile[] = [];
    const query = new URLSearchParams({ 'list-type': '2', 'encoding-type': 'url' });
    query.set('prefix', this.#prefix + (folder ? `${folder}/` : ''));
    for (let more = true; more; ) {
      const response = await this.#send('GET', `${this.#bucket}?${query}`);
      const xml = await this.#text(response);
      for (const [, entry] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const path = decodeURIComponent(element(entry!, 'Key').replaceAll('+', ' ')).slice(this.#prefix.length);
        const modified = Date.parse(element(entry!, 'LastModified'));
        found.push({ path, bytes: Number(element(entry!, 'Size')), modified });
      }
      more = element(xml, 'IsTruncated') === 'true';
      if (more) query.set('continuation-token', element(xml, 'NextContinuationToken'));
    }
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    const response = await this.#send('GET', this.#url(path), {}, [404]);
    return response.status === 404 ? undefined : this.#bytes(response);
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#send('PUT', this.#url(path), { body: new Blob([bytes as Uint8Array<ArrayBuffer>]) });
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    this.#conditions ??= this.#requireConditions().catch((error) => {
      this.#conditions = undefined;
      throw error;
    });
    await this.#conditions;
    return this.#conditionalPut(path, bytes);
  }

  async putFile(path: string, file: string): Promise<void> {
    await this.#send('PUT', this.#url(path), { body: await openAsBlob(file) });
    await rm(file);
  }

  /** A copy that stays until the process ends: files of tables never change. */
  async localFile(path: string): Promise<{ file: string; bytes: number }> {
    this.#downloads ??= temporary();
    const file = join(this.#downloads, createHash('sha256').update(path).digest('hex'));
    const size = () =>
      stat(file).then(
        ({ size }) => size,
        () => undefined,
      );
    if ((await size()) === undefined) {
      const response = await this.#send('GET', this.#url(path), {}, [404]);
      if (response.status === 404 || !response.body) throw missing(this.location, path);
      await writeWhole(file, response.body).catch((error) => {
        throw error.code ? storageError(error, file) : unreachable(this.location, error);
      });
    }
    return { file, bytes: (await size())! };
  }

  async delete(path: string): Promise<void> {
    await this.#send('DELETE', this.#url(path), {}, [404]);
  }

  #url(path: string): string {
    return `${this.#bucket}/${(this.#prefix + path).split('/').map(encodeURIComponent).join('/')}`;
  }

  async #conditionalPut(path: string, bytes: Uint8Array): Promise<boolean> {
    const options = { body: new Blob([bytes as Uint8Array<ArrayBuffer>]), headers: { 'If-None-Match': '*' } };
    for (let at = 0; at < COLLISIONS; at++) {
      const { status } = await this.#send('PUT', this.#url(path), options, [409, 412]);
      if (status !== 409) return status !== 412;
    }
    throw unreachable(this.location, new Error('409'));
  }

  /** A store that leaves the condition out of account would let writers overwrite each other's versions. */
  async #requireConditions(): Promise<void> {
    const probe = `${WORK}${randomUUID()}`;
    await this.#conditionalPut(probe, Buffer.from('1'));
    const overwrites = await this.#conditionalPut(probe, Buffer.from('2'));
    await this.delete(probe);
    if (!overwrites) return;
    throw new HokusaiError(
      'configuration',
      'S3_UNCONDITIONAL',
      `${this.location}: this store has no conditional puts.`,
      {
        details: { location: this.location },
        next: 'Use a store that answers If-None-Match: * with 412, lest writers overwrite each other.',
      },
    );
  }

  /** @param expected what may be answered other than success */
  async #send(
    method: string,
    url: string,
    options: { body?: Blob; headers?: Record<string, string> } = {},
    expected: readonly number[] = [],
  ): Promise<Response> {
    const response = await this.#client.fetch(url, { method, ...options }).catch((error) => {
      throw unreachable(this.location, error);
    });
    if (response.ok || expected.includes(response.status)) return response;
    const text = await this.#text(response);
    const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '';
    if (response.status >= 500 || response.status === 429) throw unreachable(this.location, new Error(code));
    throw new HokusaiError('configuration', 'S3_REFUSED', `${this.location}: ${response.status} ${code}`, {
      details: { location: this.location, status: response.status, code },
      next: 'Check the bucket, its region, and what these credentials may do.',
    });
  }

  #text(response: Response): Promise<string> {
    return response.text().catch((error) => {
      throw unreachable(this.location, error);
    });
  }

  async #bytes(response: Response): Promise<Uint8Array> {
    const bytes = await response.arrayBuffer().catch((error) => {
      throw unreachable(this.location, error);
    });
    return new Uint8Array(bytes);
  }
}

/** The text of an element that occurs once; keys are percent-encoded, so that there are no entities but in tokens. */
const element = (xml: string, name: string): string =>
  (new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1] ?? '').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** What all stores of this process have downloaded. */
let downloads: string | undefined;

/** A new folder, removed when the process ends. */
function temporary(): string {
  if (downloads === undefined) {
    downloads = mkdtempSync(join(tmpdir(), 'hokusai-s3-'));
    process.once('exit', () => rmSync(downloads!, { recursive: true, force: true }));
  }
  return mkdtempSync(join(downloads, 'store-'));
}

const unreachable = (location: string, cause: unknown) =>
  new HokusaiError('retryable', 'S3_UNREACHABLE', `${location} does not answer.`, {
    details: { location },
    cause,
    next: 'Try again later.',
  });

const wrongLocation = (location: string) =>
  new HokusaiError('configuration', 'LAKE_LOCATION', `${location}: expected s3://BUCKET/PREFIX.`, {
    details: { location },
    next: 'Name a bucket, and a prefix for the table.',
  });

const noCredentials = () =>
  new HokusaiError('configuration', 'S3_CREDENTIALS', 'There are no credentials for the object store.', {
    next: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_REGION or AWS_ENDPOINT_URL where it is not us-east-1.',
  });

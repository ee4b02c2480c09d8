/** What of S3 a table needs, in memory: puts with conditions, gets, lists in pages of three, deletes; and how it fails. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What happens to a request: `lost` is done and answered with 500, `refused` is not done. */
export type Fault = 'lost' | 'refused' | 'collides' | undefined;

export class S3Server {
  readonly objects = new Map<string, { bytes: Buffer; modified: string }>();
  /** Asked before each request. */
  fault: (method: string, key: string) => Fault = () => undefined;
  /** A store of the time before conditional puts. */
  ignoresConditions = false;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => response.destroy(error));
  });

  /** @returns its URL */
  async listen(): Promise<string> {
    await new Promise<void>((ready) => this.#server.listen(0, '127.0.0.1', ready));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
    const key = decodeURIComponent(pathname.replace(/^\/bucket\/?/, ''));
    const body = await buffer(request);
    const fault = this.fault(request.method!, key);
    if (!/^AWS4-HMAC-SHA256 Credential=key\//.test(request.headers.authorization ?? ''))
      return refuse(response, 403, 'AccessDenied');
    if (!pathname.startsWith('/bucket')) return refuse(response, 404, 'NoSuchBucket');
    if (fault === 'refused') return refuse(response, 503, 'SlowDown');
    if (fault === 'collides') return refuse(response, 409, 'ConditionalRequestConflict');
    if (key === '') return void response.end(this.#list(searchParams));
    const there = this.objects.get(key);
    if (request.method === 'PUT') {
      const condition = request.headers['if-none-match'] === '*' && !this.ignoresConditions;
      if (there && condition) return refuse(response, 412, 'PreconditionFailed');
      this.objects.set(key, { bytes: body, modified: new Date().toISOString() });
    } else if (request.method === 'DELETE') this.objects.delete(key);
    else if (!there) return refuse(response, 404, 'NoSuchKey');
    if (fault === 'lost') return refuse(response, 500, 'InternalError');
    response.end(request.method === 'GET' ? there!.bytes : undefined);
  }

  #list(query: URLSearchParams): string {
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get('prefix')!) && key > after).sort();
    const page = keys.slice(0, 3);
    const entries = page.map((key) => {
      const { bytes, modified } = this.objects.get(key)!;
      return `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>${modified}</LastModified><Size>${bytes.length}</Size></Contents>`;
    });
    const more = keys.length > page.length;
    const token = more ? `<NextContinuationToken>${page.at(-1)!.replaceAll('&', '&amp;')}</NextContinuationToken>` : '';
    return `<?xml version="1.0"?><ListBucketResult>${entries.join('')}<IsTruncated>${more}</IsTruncated>${token}</ListBucketResult>`;
  }
}

const refuse = (response: ServerResponse, status: number, code: string): void => {
  response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
};

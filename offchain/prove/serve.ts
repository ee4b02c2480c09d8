/** Proves chunks for others over HTTP(S): what `hokusai prover serve` starts. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Hex } from 'viem';
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import type { InferenceCircuit } from './circuits.ts';
import { type MachineAnswer, PROVE_PATH } from './machines.ts';
import { openProver, type Prover, type ProvingOptions } from './pool.ts';
import { circuitOf, provingKeyFile } from './proving-key.ts';

/** Bytes of a request: the inputs of the largest circuit are a fifth of it. */
export const MOST_BODY = 8 * 2 ** 20;
/** A line is sent so often, in milliseconds, while a proof is made, so that who waits knows that it is. */
const BEAT = 5_000;
/** Jobs that wait, for each that is worked on. */
const WAITING = 4;

const value = z.string().regex(/^\d{1,78}$/);
const zRequest = z.strictObject({
  circuitId: z.string().regex(/^0x[0-9a-f]{64}$/),
  /** Without it, what is asked is how many jobs are done at once. */
  input: z.record(z.string().max(64), z.union([value, z.array(value), z.array(z.array(value))])).optional(),
});

export interface ServeOptions extends Omit<ProvingOptions, 'machines'> {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly token: string;
  /** Of HTTPS: PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  readonly onProven?: (circuit: InferenceCircuit, seconds: number) => void;
}

/** A circuit's prover, and how many jobs it has been given. */
interface Opened {
  readonly circuit: InferenceCircuit;
  readonly prover: Prover;
  busy: number;
}

/**
 * Starts a server that proves what it is asked to, for who has the token. Of a request a circuit's id is compared with
 * those that there are keys for, and numbers are put into the circuit's inputs: nothing of it names a file.
 */
export async function serveProver(options: ServeOptions): Promise<{ url: string; close(): Promise<void> }> {
  const opened = new Map<string, Opened>();
  const listener: RequestListener = (request, response) => {
    answer(request, response, options, opened).catch((error: unknown) => {
      const status = error instanceof Refusal ? error.status : 500;
      if (!response.headersSent) response.writeHead(status, { connection: 'close' });
      response.end();
    });
  };
  const server = options.tls ? createSecureServer(options.tls, listener) : createServer(listener);
  server.maxConnections = 256;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unheard(options, error)));
    server.listen(options.port, options.host, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `${options.tls ? 'https' : 'http'}://${host}:${port}`,
    async close() {
      for (const { prover } of opened.values()) prover.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An HTTP status instead of an answer. */
class Refusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super(String(status));
    this.status = status;
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  opened: Map<string, Opened>,
): Promise<void> {
  if (!isToken(request.headers.authorization, options.token)) throw new Refusal(401);
  if (request.method !== 'POST' || request.url !== PROVE_PATH) throw new Refusal(404);
  const { circuitId, input } = parse(await bodyOf(request));
  const circuit = circuitOf(circuitId as Hex);
  if (!circuit) throw new Refusal(404);
  const one = proverOf(circuit, circuitId as Hex, options, opened);
  const say = (said: MachineAnswer) => response.end(JSON.stringify(said));
  if (!input) return void say({ jobs: one.prover.jobs });
  if (one.busy >= WAITING * one.prover.jobs) throw new Refusal(503);
  one.busy++;
  response.writeHead(200, { 'content-type': 'application/json' });
  const beat = setInterval(() => response.write('\n'), BEAT);
  try {
    const { verificationKey: _, ...proven } = await one.prover.prove(input);
    options.onProven?.(circuit, proven.witnessSeconds + proven.proveSeconds);
    say({ ...proven, publicSignals: [...proven.publicSignals] } as MachineAnswer);
  } catch (error) {
    say({ error: error instanceof HokusaiError ? error.code : 'PROVER_FAILED' });
  } finally {
    clearInterval(beat);
    one.busy--;
  }
}

/** Those of other circuits that have nothing to do are closed: each holds its key in memory. */
function proverOf(circuit: InferenceCircuit, id: Hex, options: ServeOptions, opened: Map<string, Opened>): Opened {
  for (const [other, { prover, busy }] of opened) {
    if (other === id || busy > 0) continue;
    prover.close();
    opened.delete(other);
  }
  const { prover, memory } = options;
  const proving = { ...(prover && { prover }), ...(memory !== undefined && { memory }) };
  const found = opened.get(id) ?? {
    circuit,
    prover: openProver(circuit, () => provingKeyFile(circuit, id), proving),
    busy: 0,
  };
  opened.set(id, found);
  return found;
}

/** Compared by their hashes, in constant time. */
function isToken(authorization: string | undefined, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(authorization ?? ''), hash(`Bearer ${token}`));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > MOST_BODY) throw new Refusal(413);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MOST_BODY) throw new Refusal(413);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(body: string): z.infer<typeof zRequest> {
  try {
    return zRequest.parse(JSON.parse(body));
  } catch {
    throw new Refusal(400);
  }
}

const unheard = ({ host, port }: ServeOptions, { code }: NodeJS.ErrnoException) =>
  new HokusaiError('configuration', 'PROVER_LISTEN', `There is no listening on ${host}:${port}: ${code}.`, {
    details: { host, port, code },
    next: 'Choose another address or port.',
  });

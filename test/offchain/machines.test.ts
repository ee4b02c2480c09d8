// Chunks that other machines prove: real servers, of which one dies, and machines that lie.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { circuitRecords } from '../../offchain/prove/circuits.ts';
import { type Inference, inferenceChunks, proveInference } from '../../offchain/prove/inference.ts';
import { NATIVE_PROVER } from '../../offchain/prove/native.ts';
import { MOST_BODY, serveProver } from '../../offchain/prove/serve.ts';
import { machinesOf } from '../../offchain/prove/verbs.ts';
import { verifyProof } from '../../offchain/prove/verify.ts';
import { openExecutor, type StepEvent } from '../../offchain/run/executor.ts';
import { predict } from '../../offchain/train/linear.ts';
import { hokusai, Started } from '../e2e/hokusai.ts';
import { simulatedChunks } from '../simulate.ts';

const TOKEN = 'f'.repeat(64);
const notBuilt = !existsSync(NATIVE_PROVER) && 'not built: npm run prover:native';
const circuitId = circuitRecords().linear30.developmentCircuitId;

let folder: string;
let tokenFile: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hokusai-machines-'));
  tokenFile = join(folder, 'token');
  await writeFile(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
});
after(() => rm(folder, { recursive: true }));

function inferenceOf(rows: number): Inference {
  const columns = ['a', 'b'];
  const weights = [5, -7];
  const model = { version: 1, family: 'linear', weights, bias: 12, scale: 9, quantiserHash: '0x00' } as const;
  const values = Uint8Array.from({ length: rows * columns.length }, (_, i) => (i * 37) % 256);
  const salts = { modelSalt: 1n, featuresSalt: 2n, predictionsSalt: 3n, stateSalt: BigInt };
  const features = { rows, columns, values };
  const shape = { family: 'linear', inputs: 2, laneBits: 1 } as const;
  return { model, shape, features, predictions: predict(model, features), ...salts };
}

/** Proves in a run's folder of its own. */
async function proven(inference: Inference, urls: readonly string[], onEvent: (event: StepEvent) => void = () => {}) {
  const own = await mkdtemp(join(folder, 'run-'));
  const warned: string[] = [];
  const executor = await openExecutor(own, {
    onEvent: (event) => {
      if (event.type === 'warned') warned.push(event.error.message);
      onEvent(event);
    },
  });
  try {
    const { chunks, verificationKey } = await proveInference(inference, executor, { machines: { urls, tokenFile } });
    const expected = (await inferenceChunks(inference)).map(({ signals }) => Object.values(signals).map(String));
    assert.deepEqual(
      chunks.map(({ publicSignals }) => publicSignals),
      expected,
    );
    for (const { proof, publicSignals } of chunks) assert(verifyProof(verificationKey, publicSignals, proof));
    return warned;
  } finally {
    await executor.close();
  }
}

describe('machines that prove for others', () => {
  it('share the chunks with this one; one that is killed loses none of them', { skip: notBuilt }, async () => {
    const start = () =>
      new Started('offchain/cli.ts', ['prover', 'serve', '--listen', '127.0.0.1:0'], {
        HOKUSAI_PROVERS_TOKEN_FILE: tokenFile,
      });
    const servers = [start(), start()] as const;
    try {
      const urls = await Promise.all(
        servers.map(async (server) => {
          await server.seen(/at http\S+\d\./);
          return /at (http\S+\d)\./.exec(server.stderr)![1]!;
        }),
      );
      const warned = await proven(inferenceOf(1_600), urls, ({ type }) => {
        if (type === 'finished') servers[0].child.kill('SIGKILL');
      });
      assert.equal(warned.length, 1);
      assert.match(warned[0]!, new RegExp(`${urls[0]} is given nothing more`));
      await servers[1].seen(/✔ linear30, proof 1/);
      assert.doesNotMatch(servers[1].stderr, new RegExp(TOKEN));
      servers[1].child.kill('SIGTERM');
      assert.match((await servers[1].finished()).stdout, /Stopped after [1-9]\d* proofs/);
    } finally {
      for (const { child } of servers) child.kill('SIGKILL');
    }
  });
});

/** A machine that says what it likes. */
async function liar(
  answer: (input: unknown, response: ServerResponse) => unknown,
): Promise<{ url: string; server: Server; asked: () => number }> {
  let asked = 0;
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const { input } = JSON.parse(body);
    if (!input) return response.end(JSON.stringify({ jobs: 1_000 }));
    asked++;
    return answer(input, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server, asked: () => asked };
}

describe('attack: a machine', () => {
  it('gives a wrong proof, one of something else, nonsense, too much, or an error', { skip: notBuilt }, async () => {
    const inference = inferenceOf(500);
    const wanted = (await inferenceChunks(inference)).map(({ signals }) => Object.values(signals) as bigint[]);
    const costs = { prover: 'native', witnessSeconds: 1, proveSeconds: 1, peakBytes: 1 } as const;
    const [valid, other] = simulatedChunks([wanted[0]!, wanted[0]!.with(0, 7n)]) as [object, object];
    const signals = ({ rowsBefore }: { rowsBefore: string }) => wanted[Number(rowsBefore) / 240]!.map(String);
    const lies: [said: RegExp, answer: Parameters<typeof liar>[0]][] = [
      [
        /its proof is wrong/,
        (input, response) =>
          response.end(
            JSON.stringify({
              ...valid,
              ...costs,
              publicSignals: signals(input as never),
            }),
          ),
      ],
      [/its proof is of something else/, (_, response) => response.end(JSON.stringify({ ...other, ...costs }))],
      [/it answers something else/, (_, response) => response.end('{"proof": "trust me"}')],
      [/it says too much/, (_, response) => response.end(' '.repeat(1_000_000))],
      [/WITNESS_UNSATISFIED/, (_, response) => response.end('{"error":"WITNESS_UNSATISFIED"}')],
      [/it answers 302/, (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ];
    const liars = await Promise.all(lies.map(([, answer]) => liar(answer)));
    try {
      const warned = await proven(
        inference,
        liars.map(({ url }) => url),
      );
      assert.equal(warned.length, lies.length);
      for (const [said] of lies)
        assert(
          warned.some((one) => said.test(one)),
          `${said}: ${warned.join('\n')}`,
        );
      // Once is enough, but for jobs that it had been given before.
      for (const { asked } of liars) assert(asked() >= 1 && asked() <= 3);
    } finally {
      for (const { server } of liars) server.close();
    }
  });

  it('is not there, or has another release', { skip: notBuilt }, async () => {
    const gone = await liar(() => {});
    await new Promise((resolve) => gone.server.close(resolve));
    const older = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => older.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(older.address() as AddressInfo).port}`;
    try {
      const warned = await proven(inferenceOf(3), [gone.url, at]);
      assert.match(warned.join('\n'), /ECONNREFUSED[\s\S]*answers 404|answers 404[\s\S]*ECONNREFUSED/);
    } finally {
      older.close();
    }
  });
});

describe('attack: who asks a machine', () => {
  let server: Awaited<ReturnType<typeof serveProver>>;
  before(async () => {
    server = await serveProver({ host: '127.0.0.1', port: 0, token: TOKEN });
  });
  after(() => server.close());

  const ask = async (body: string, { token = TOKEN, path = '/prove', method = 'POST' } = {}) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(server.url + path, { method, headers, ...(method === 'POST' && { body }) });
    return answer.status === 200 ? answer.json() : answer.status;
  };

  it('needs the token, and the run that has another one is told so at once', async () => {
    const asks = JSON.stringify({ circuitId });
    assert((await ask(asks)).jobs >= 2);
    for (const token of ['', 'f'.repeat(63), `${TOKEN}f`, 'F'.repeat(64)])
      assert.equal(await ask(asks, { token }), 401);
    const own = await mkdtemp(join(folder, 'run-'));
    const other = join(own, 'token');
    await writeFile(other, 'e'.repeat(64));
    const executor = await openExecutor(own);
    const machines = { urls: [server.url], tokenFile: other };
    await assert.rejects(proveInference(inferenceOf(3), executor, { machines }), {
      kind: 'configuration',
      code: 'PROVERS_TOKEN',
    });
    await writeFile(other, 'short');
    await assert.rejects(proveInference(inferenceOf(3), executor, { machines }), { code: 'PROVERS_TOKEN' });
    await executor.close();
  });

  it('reaches no file, no other path and no circuit that there is not', async () => {
    const none = `0x${'00'.repeat(32)}`;
    assert.equal(await ask(JSON.stringify({ circuitId: none })), 404);
    assert.equal(await ask(JSON.stringify({ circuitId: circuitRecords().score512.developmentCircuitId })), 404);
    for (const id of [
      '../../etc/passwd',
      'linear30',
      `${circuitId}/..`,
      `${circuitId}\0`,
      circuitId.toUpperCase(),
      7,
    ]) {
      assert.equal(await ask(JSON.stringify({ circuitId: id })), 400);
    }
    assert.equal(await ask('{}', { path: '/../../etc/passwd' }), 404);
    assert.equal(await ask('', { method: 'GET' }), 404);
  });

  it('gives it what is no input of the circuit, or more than it takes', async () => {
    const of = (input: unknown) => ask(JSON.stringify({ circuitId, input }));
    for (const input of ['x', { a: 1 }, { a: '-1' }, { a: 'zz' }, { a: [[['1']]] }, { a: '9'.repeat(79) }]) {
      assert.equal(await of(input), 400);
    }
    assert.equal(await ask('not JSON'), 400);
    assert.equal(await ask(JSON.stringify({ circuitId, file: '/etc/passwd' })), 400);
    const large = await of({ a: ['1'.repeat(MOST_BODY)] }).catch(() => 'cut off');
    assert([413, 'cut off'].includes(large as never), String(large));
    assert((await ask(JSON.stringify({ circuitId }))).jobs >= 2, 'it still answers');
  });

  it('answers with the error’s name alone where an input satisfies no constraint', { skip: notBuilt }, async () => {
    assert.deepEqual(await ask(JSON.stringify({ circuitId, input: { secret: '41' } })), {
      error: 'WITNESS_UNSATISFIED',
    });
  });

  it('speaks HTTPS to it, where it has a certificate', {
    skip: !existsSync('/usr/bin/openssl') && 'no openssl',
  }, async () => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'].concat(
        '-keyout',
        key,
        '-out',
        cert,
        name,
      ),
      { stdio: 'ignore' },
    );
    const tls = { cert: await readFile(cert), key: await readFile(key) };
    const secure = await serveProver({ host: '127.0.0.1', port: 0, token: TOKEN, tls });
    try {
      const url = new URL('/prove', secure.url.replace('127.0.0.1', 'localhost'));
      const said = await new Promise<string>((resolve, reject) => {
        const headers = { authorization: `Bearer ${TOKEN}` };
        const asked = secureRequest(url, { method: 'POST', headers, ca: tls.cert }, async (answer) => {
          resolve(String((await answer.toArray()).join('')));
        });
        asked.on('error', reject).end(JSON.stringify({ circuitId }));
      });
      assert(JSON.parse(said).jobs >= 2);
    } finally {
      await secure.close();
    }
  });
});

describe('naming machines', () => {
  const named = (urls: string, insecure = false) => {
    process.env.HOKUSAI_PROVERS_TOKEN_FILE = tokenFile;
    try {
      return machinesOf(urls, insecure).urls;
    } finally {
      delete process.env.HOKUSAI_PROVERS_TOKEN_FILE;
    }
  };

  it('takes HTTPS anywhere, and plain HTTP on this machine alone unless told otherwise', () => {
    assert.deepEqual(named('https://a:1,http://127.0.0.1:2,http://[::1]:3,https://a:1/'), [
      ...['https://a:1', 'http://127.0.0.1:2', 'http://[::1]:3'],
    ]);
    for (const url of ['http://a:1', 'http://127.0.0.1.evil.org:1', 'http://10.0.0.1:1']) {
      assert.throws(() => named(url), { kind: 'configuration', code: 'PROVERS_PLAIN' });
      assert.deepEqual(named(url, true), [url]);
    }
    for (const url of ['a:1', '', 'ftp://a', 'https://user:password@a:1', 'https://a:1/path', 'https://a:1?x']) {
      assert.throws(() => named(url), { kind: 'configuration', code: 'PROVERS_URL' });
    }
    assert.throws(() => machinesOf('https://a:1', false), { kind: 'configuration', code: 'PROVERS_TOKEN' });
  });

  it('serves beyond this machine by HTTPS alone unless told otherwise', async () => {
    process.env.HOKUSAI_PROVERS_TOKEN_FILE = tokenFile;
    const refused = await hokusai('prover', 'serve', '--listen', '0.0.0.0:0');
    delete process.env.HOKUSAI_PROVERS_TOKEN_FILE;
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /plain HTTP beyond this machine: parameters of models/);
    assert.equal((await hokusai('prover', 'serve', '--listen', '127.0.0.1:0')).code, 2, 'without a token');
  });
});

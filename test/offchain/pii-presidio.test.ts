import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, it } from 'node:test';
import type { HokusaiError } from '../../offchain/errors.ts';
import { PresidioServer } from '../../offchain/pii/presidio.ts';
import { PiiScanner } from '../../offchain/pii/scanner.ts';

type Answer = (text: string, response: ServerResponse) => void;

let answer: Answer;
const asked: unknown[] = [];
let most = 0;
let open = 0;

async function bodyOf(request: IncomingMessage): Promise<{ text: string; language: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** Answers as the analyzer's documentation has it. */
const server = createServer(async (request, response) => {
  most = Math.max(most, ++open);
  response.on('close', () => open--);
  const body = await bodyOf(request);
  asked.push({ method: request.method, url: request.url, ...body });
  answer(body.text, response);
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
after(() => server.close());
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const json = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

/** Finds every `Zork`, in code points as Python does. */
const findsZork: Answer = (text, response) => {
  const at = Array.from(text)
    .join('\u0000')
    .split('\u0000')
    .findIndex((_, i, all) => all.slice(i, i + 4).join('') === 'Zork');
  const finding = { analysis_explanation: null, entity_type: 'PERSON', start: at, end: at + 4, score: 0.85 };
  setTimeout(
    () => json(response, at < 0 ? [] : [finding, { ...finding, entity_type: 'US_BANK_NUMBER', score: 0.05 }]),
    5,
  );
};

it('takes what an analyzer finds, in offsets of UTF-16, into the findings and the cleaning', async () => {
  answer = findsZork;
  const values = ['😀😀 Zork wrote to a@example.org', null, 'nothing', ...Array.from({ length: 20 }, () => 'Ask Zork')];
  const others = await new PresidioServer(`${url}/`, { language: 'de', parallel: 4 }).analyze(values);
  assert.deepEqual(asked[0], { method: 'POST', url: '/analyze', text: values[0], language: 'de' });
  assert.equal(most, 4);
  const scanner = new PiiScanner(['note'], {});
  scanner.scan(0, values, 1, others);
  const [first, second] = scanner.findings();
  assert.deepEqual([first?.type, first?.start, first?.end, second?.type], ['person', 5, 9, 'email']);
  assert.equal(scanner.findings().length, 22);
  assert.equal(scanner.cleaner()(0, values[0]!, others[0]), '😀😀 [person] wrote to [email]');
});

const failsWith = async (code: string, kind: string, analyzer = new PresidioServer(url, { timeoutMs: 200 })) =>
  assert.rejects(analyzer.analyze(['Zork lives here']), (error: HokusaiError) => {
    assert(!`${error.message}${JSON.stringify(error.details)}`.includes('Zork'));
    return error.code === code && error.kind === kind;
  });

it('says whether it is worth another try when an analyzer fails', async () => {
  answer = (_, response) => json(response, { error: 'no model for Zork' }, 500);
  await failsWith('PRESIDIO_FAILED', 'retryable');
  asked.length = 0;
  await assert.rejects(new PresidioServer(url, { parallel: 2 }).analyze(Array.from({ length: 50 }, () => 'Zork')));
  assert(asked.length < 5, 'it goes on after a failure');
  answer = (_, response) => json(response, { error: 'no language' }, 400);
  await failsWith('PRESIDIO_REFUSED', 'configuration');
  answer = () => undefined;
  await failsWith('PRESIDIO_UNREACHABLE', 'retryable');
  answer = (_, response) => response.destroy();
  await failsWith('PRESIDIO_UNREACHABLE', 'retryable');
  answer = (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  await failsWith('PRESIDIO_UNREACHABLE', 'retryable');
});

it('refuses answers that are no findings in the text', async () => {
  const finding = { entity_type: 'PERSON', start: 0, end: 4, score: 0.9 };
  const wrong = [
    { error: 'x' },
    [{ ...finding, end: 99 }],
    [{ ...finding, start: -1 }],
    [{ ...finding, score: 3 }],
    [{}],
  ];
  for (const value of [...wrong, [{ ...finding, entity_type: 'a b' }], [{ ...finding, start: 4 }]]) {
    answer = (_, response) => json(response, value);
    await failsWith('PRESIDIO_NOT_UNDERSTOOD', 'terminal');
  }
  answer = (_, response) => response.end('<html>');
  await failsWith('PRESIDIO_NOT_UNDERSTOOD', 'terminal');
  assert.throws(() => new PresidioServer('file:///etc/passwd'), /http or https/);
});

/** `hokusai prover`: a machine that proves for others, and how they name it. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HokusaiError } from '../errors.ts';
import { type Command, flag, type Parameter, required, text, verb } from '../verb.ts';
import { isLoopback, type Machines, readToken, TOKEN_FILE_VARIABLE } from './machines.ts';
import { serveProver } from './serve.ts';

/** Of a size such as 4GB or 1.5GB or 800MB, in bytes. */
export const memory: Parameter<number | undefined> = {
  read(given) {
    const match = /^(\d{1,6}(?:\.\d{1,3})?)(MB|GB)$/i.exec(given);
    return match ? Number(match[1]) * (match[2]!.toUpperCase() === 'GB' ? 1e9 : 1e6) : undefined;
  },
  expected: 'a size such as 4GB or 800MB',
};
const listen: Parameter<{ host: string; port: number } | undefined> = {
  read(given) {
    const [, host, port] = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+):(\d{1,5})$/i.exec(given) ?? [];
    return host !== undefined && Number(port) < 65_536
      ? { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
      : undefined;
  },
  expected: 'HOST:PORT',
};
const prover: Parameter<'snarkjs' | 'native' | undefined> = {
  read: (given) => (given === 'snarkjs' || given === 'native' ? given : undefined),
  expected: 'snarkjs or native',
};

const WHAT_IS_SEEN = 'parameters of models and rows of the benchmark';

const plain = (where: string, next: string) =>
  new HokusaiError(
    'configuration',
    'PROVERS_PLAIN',
    `${where} is plain HTTP beyond this machine: ${WHAT_IS_SEEN} would go over the network unencrypted.`,
    {
      details: { where },
      next,
    },
  );

function tokenFile(): string {
  const file = process.env[TOKEN_FILE_VARIABLE];
  if (file) return resolve(file);
  throw new HokusaiError('configuration', 'PROVERS_TOKEN', `${TOKEN_FILE_VARIABLE} names no file with the token.`, {
    next: `Write one with \`openssl rand -hex 32\`, and name its file in ${TOKEN_FILE_VARIABLE}, here and on each machine.`,
  });
}

/**
 * The machines that a command names, with commas between them.
 *
 * @param insecure whether plain HTTP is taken, also beyond this machine
 * @throws HokusaiError (configuration) `PROVERS_URL`, `PROVERS_PLAIN`, `PROVERS_TOKEN`
 */
export function machinesOf(given: string, insecure: boolean): Machines {
  const urls = given.split(',').map((one) => {
    const url = URL.canParse(one) ? new URL(one) : undefined;
    const bare = url && url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
    if (!bare || !/^https?:$/.test(url.protocol)) {
      throw new HokusaiError('configuration', 'PROVERS_URL', `${one} is not the URL of a machine that proves.`, {
        next: 'Give https://HOST:PORT, as `hokusai prover serve` says it, with commas between several.',
      });
    }
    if (url.protocol === 'http:' && !isLoopback(url.hostname) && !insecure) {
      throw plain(
        one,
        'Serve by HTTPS (hokusai prover serve --tls-cert --tls-key), or give --insecure-provers within a network that you trust.',
      );
    }
    return url.origin;
  });
  return { urls: [...new Set(urls)], tokenFile: tokenFile() };
}

const serve = verb({
  summary: 'prove chunks of inferences for others, until it is stopped',
  help: `Takes jobs from who has the token, and proves them as a run does, in processes of its own. It is given ${WHAT_IS_SEEN},
and keeps nothing. Who asks checks every proof. It needs the same release and, in HOKUSAI_KEYS_DIR, the same keys.

  --listen HOST:PORT   where; beyond this machine by HTTPS alone
  --tls-cert FILE      certificate, PEM; of an authority of your own, who asks names it in NODE_EXTRA_CA_CERTS
  --tls-key FILE       its key, PEM
  --insecure           plain HTTP, also beyond this machine: within a network that you trust
  --prover NAME        native or snarkjs (default: native where it is built)
  --memory SIZE        what proving may take, such as 4GB (default: half of what is free)

${TOKEN_FILE_VARIABLE} names the file with the token, of 32 characters or more, here and where \`hokusai run --provers\` is.

Example: hokusai prover serve --listen 10.0.0.7:8443 --tls-cert cert.pem --tls-key key.pem`,
  takes: {
    ...{ listen: required(listen), tlsCert: text, tlsKey: text, insecure: flag },
    ...{ prover, memory },
  },
  perform: async ({ listen: at, tlsCert, tlsKey, insecure, prover: named, memory: bytes }, note) => {
    const tls = tlsCert && tlsKey ? { cert: await readFile(tlsCert), key: await readFile(tlsKey) } : undefined;
    if (!tls && !isLoopback(at.host) && !insecure) {
      throw plain(
        `${at.host}:${at.port}`,
        'Give --tls-cert and --tls-key, or --insecure within a network that you trust.',
      );
    }
    const token = await readToken(tokenFile());
    const options = { ...(named && { prover: named }), ...(bytes !== undefined && { memory: bytes }) };
    let proven = 0;
    const onProven = (circuit: string, seconds: number) =>
      note(`✔ ${circuit}, proof ${++proven}: ${seconds.toFixed(1)} s`);
    const server = await serveProver({ ...at, token, ...(tls && { tls }), ...options, onProven });
    note(`Proving for others at ${server.url}. Stop it with Ctrl-C.`);
    await new Promise<void>((stop) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop());
    });
    await server.close();
    return { text: `Stopped after ${proven} proofs.`, json: { proven } };
  },
});

export const PROVER: Command = {
  about:
    'Machines that prove for others. `hokusai run --provers URL,URL` spreads the chunks of an inference over them.',
  verbs: { serve },
};

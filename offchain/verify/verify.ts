import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createPublicClient, http, type PublicClient } from 'viem';
import { z } from 'zod';
import { ASSURANCE, type Attestation, TRUSTED_ALWAYS, zAttestation } from '../attestation/attest.ts';
import { HokusaiError } from '../errors.ts';
import { issuesOf } from '../issues.ts';
import { attestationChecks } from './attestation.ts';
import { chainChecks } from './chain.ts';
import { type ChunkFiles, inferenceChecks } from './inference.ts';
import { proofChecks } from './proof.ts';

/** One thing that was looked at. A warning holds, but is something to know. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly warning?: true;
  /** What was found, one sentence; every difference where it fails. */
  readonly detail: string;
}

export interface Verification {
  /** Assurance level that is proven: 1 `scored`, 2 `inferred`; 0 where there is no proof, or a check fails. */
  readonly level: 0 | 1 | 2;
  readonly checks: readonly Check[];
  /** Whether every check holds. */
  readonly ok: boolean;
  /** Whether a chain was asked. */
  readonly onChain: boolean;
}

const decimal = z.string().regex(/^(0|[1-9]\d{0,77})$/);
const pair = z.array(decimal).length(2);
const g1 = z.array(decimal).length(3);
const g2 = z.array(pair).length(3);
const group = { protocol: z.literal('groth16'), curve: z.literal('bn128') };

const zProof = z.strictObject({ pi_a: g1, pi_b: g2, pi_c: g1, ...group });
const zPublic = z.array(decimal);
/** snarkjs adds `vk_alphabeta_12`, which follows from the rest and is not read. */
const zKey = z.object({
  ...group,
  nPublic: z.int().min(0),
  vk_alpha_1: g1,
  vk_beta_2: g2,
  vk_gamma_2: g2,
  vk_delta_2: g2,
  IC: z.array(g1).min(1),
});

/**
 * Checks everything about an evaluation that can be checked without private data. Offline, that its parts agree with
 * each other and that the proof proves them; with a chain, that the chain says the same.
 *
 * @param path   a run's folder, or its attestation.json, with proof.json, public.json and verification_key.json
 *   beside it, and inference/ at assurance level 2
 * @param rpc    URL of a node of the chain
 * @param client instead of `rpc`
 * @returns a check that fails is a result
 * @throws HokusaiError `VERIFY_FILE` (configuration) for a file that is missing or malformed, `VERIFY_WRONG_CHAIN`
 *   (configuration), `VERIFY_CHAIN_UNREACHABLE` (retryable).
 */
export async function verifyRun(
  path: string,
  { rpc, client }: { rpc?: string; client?: PublicClient } = {},
): Promise<Verification> {
  const file = attestationFile(path);
  const attestation = readJson(file, zAttestation);
  const beside = (name: string) => join(dirname(file), name);
  const checks: Check[] = [
    { name: 'schema', ok: true, detail: 'attestation.json has the members of version 1, and no others.' },
    ...(await attestationChecks(attestation)),
  ];
  const key = attestation.proof && readJson(beside('verification_key.json'), zKey);
  if (key) {
    const publicSignals = readJson(beside('public.json'), zPublic);
    const proof = readJson(beside('proof.json'), zProof);
    checks.push(...(await proofChecks(attestation, { proof, publicSignals, key })));
  }
  if (attestation.inference) {
    const files = {
      baseline: readChunks(beside('inference'), 'baseline'),
      candidate: readChunks(beside('inference'), 'candidate'),
    };
    checks.push(...inferenceChecks(attestation, files));
  }
  const chain = client ?? (rpc === undefined ? undefined : createPublicClient({ transport: http(rpc) }));
  if (chain) checks.push(...(await chainChecks(attestation, key, chain)));
  const ok = checks.every((check) => check.ok);
  const level = attestation.inference ? 2 : 1;
  return { level: ok && attestation.proof ? level : 0, checks, ok, onChain: chain !== undefined };
}

/**
 * An attestation as it stands, of which nothing is checked but its form.
 *
 * @param path a run's folder, or its attestation.json
 * @throws HokusaiError `VERIFY_FILE` (configuration)
 */
export const readAttestation = (path: string): Attestation => readJson(attestationFile(path), zAttestation);

/** The chunks of a model, numbered from 1; a number that is left out is missed. */
function readChunks(folder: string, model: string): ChunkFiles[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const count = names.filter((name) => name.startsWith(`${model}.`) && name.endsWith('.proof.json')).length;
  return Array.from({ length: count }, (_, i) => {
    const file = (part: string) => join(folder, `${model}.${i + 1}.${part}.json`);
    return {
      proof: readJson(file('proof'), zProof),
      publicSignals: readJson(file('public'), zPublic),
      verificationKey: readJson(file('verification_key'), zKey),
    };
  });
}

function attestationFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() ? join(path, 'attestation.json') : path;
}

function readJson<T>(file: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new HokusaiError('configuration', 'VERIFY_FILE', `${file}: ${(cause as Error).message}`, {
      details: { file },
      next: 'Name a folder that `hokusai run` left, or keep the files of the run beside each other.',
      cause,
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = issuesOf(parsed.error).map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
  throw new HokusaiError('configuration', 'VERIFY_FILE', `${file}: ${problems.join('; ')}`, {
    details: { file, problems },
    next: 'The file is not what this release writes: get it again from where it came from.',
  });
}

/** A verification for people: one line for each check, then what level that is, and what it does not say. */
export function formatVerification({ level, checks, ok, onChain }: Verification): string {
  const mark = (check: Check) => (check.ok ? (check.warning ? '⚠' : '✔') : '✖');
  const failed = checks.filter((check) => !check.ok).length;
  const { name, trusted } = ASSURANCE[level === 2 ? 1 : 0];
  const proven = ASSURANCE.slice(0, level).map((one) => one.proven.replace(/^… /, ''));
  return [
    ...checks.map((check) => `${mark(check)} ${check.name}: ${check.detail}`),
    '',
    ok
      ? `Verified: all ${checks.length} checks hold.`
      : `NOT verified: ${failed} of ${checks.length} checks ${failed === 1 ? 'fails' : 'fail'}.`,
    level > 0
      ? `Assurance level ${level}, ${name}: proven is that ${proven.join(' ')}; left to validators: ${trusted}.`
      : 'No assurance level: nothing is proven, and everything rests on who wrote this attestation and who signed it.',
    TRUSTED_ALWAYS,
    'Not looked at, because nothing can show it: the sentence of the reason, the timings of the steps, which prover ran.',
    onChain
      ? 'Asked was the contract that the attestation names: compare its address with the one that you know.'
      : 'Not looked at: whether a chain settled it, and under which policy. For that, give the URL of a node with --rpc.',
  ].join('\n');
}

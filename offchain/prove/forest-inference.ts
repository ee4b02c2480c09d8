import { absorb, featuresStates, loadPoseidon, tag } from '../commitment.ts';
import type { ForestModel } from '../train/forest-model.ts';
import { mod } from './field.ts';
import { packPaths, walk } from './forest-paths.ts';
import { type Challenges, type Claims, ForestSums } from './forest-sums.ts';
import { type ForestShape, forestNodes, NO_CLASS, recordsOf, tableStates } from './forest-table.ts';
import { chunksOf, type InferenceChunk, inferenceChain, type Predicted } from './inference-chain.ts';

/**
 * The commitment to a forest, for circuits of so many trees and columns: s = Poseidon("forest", laneBits + 2^8 trees +
 * 2^16 columns, bias + 2^31, salt), then the records of its nodes, four an element, in groups of 15 elements.
 */
export async function forestCommitment(
  model: ForestModel,
  salt: bigint,
  shape: Pick<ForestShape, 'trees' | 'depth' | 'laneBits' | 'width' | 'columns'>,
): Promise<bigint> {
  const states = await tableStates(recordsOf(forestNodes(model, shape)), shape, model.bias, salt);
  return states.at(-1)!;
}

/**
 * The chunks that prove what a forest predicts on a fold, in their order: the twin of `circuits/forest-inference.circom`.
 *
 * @param modelSalt of the model's commitment
 * @throws HokusaiError `INFERENCE_TOO_LARGE` (configuration) when the circuit holds fewer trees, or less deep ones.
 */
export async function forestChunks(
  model: ForestModel,
  modelSalt: bigint,
  predicted: Predicted,
  shape: ForestShape,
): Promise<InferenceChunk[]> {
  const nodes = forestNodes(model, shape);
  const paths = walk(model, nodes, predicted.features, shape);
  const claims = { nodes, records: recordsOf(nodes), paths, bias: model.bias };
  return claimedChunks(claims, modelSalt, predicted, shape);
}

/** What all chunks claim, chunk by chunk, with the digests between them, and the challenges that follow. */
interface Proven {
  readonly challenges: Challenges;
  /** Of paths, answers and visits, before the first chunk, between each two, and after the last. */
  readonly digests: readonly (readonly bigint[])[];
  /** Products, decisions, answers, visits and leaves, likewise. */
  readonly sums: readonly (readonly bigint[])[];
  /** Of each chunk. */
  readonly paths: readonly (readonly bigint[])[];
  readonly answers: readonly (readonly bigint[])[];
  readonly visits: readonly (readonly bigint[])[];
  readonly poles: readonly bigint[];
}

/**
 * The chunks that claim something of a fold, true or not.
 *
 * @param chosen challenges that a liar has chosen instead of the hashes
 */
export async function claimedChunks(
  claims: Claims,
  modelSalt: bigint,
  predicted: Predicted,
  shape: ForestShape,
  chosen: Partial<Challenges> = {},
): Promise<InferenceChunk[]> {
  const { groups, width, columns } = shape;
  const { records } = claims;
  const states = await tableStates(records, shape, claims.bias, modelSalt);
  const commitment = states.at(-1)!;
  const count = Math.max(chunksOf(predicted.features.rows, shape), Math.ceil((states.length - 1) / groups));
  const proven = await prove(claims, commitment, count, predicted, shape, chosen);
  const table = tablesOf(records, states, count, shape);
  const challenges = Object.values(proven.challenges);
  const bias = BigInt(claims.bias + 2 ** 31);
  const extra = Array.from({ length: count + 1 }, (_, i) => [
    ...[bias, ...challenges, ...proven.sums[i]!, ...proven.digests[i]!, ...table[i]!],
  ]);
  const chain = await inferenceChain(predicted, shape, { states: extra });
  const slots = groups * 4 * width;
  return chain.map(({ signals, input }, i) => ({
    signals: { modelCommitment: commitment, ...signals },
    input: {
      ...input,
      ...{ commitment: String(commitment), modelSalt: String(modelSalt), bias: String(bias) },
      challenges: challenges.map(String),
      digests: proven.digests[i]!.map(String),
      sums: proven.sums[i]!.map(String),
      table: table[i]!.map(String),
      paths: proven.paths[i]!.map(String),
      answers: proven.answers[i]!.map(String),
      records: Array.from({ length: slots }, (_, k) => String(records[i * slots + k] ?? 0)),
      visits: proven.visits[i]!.map(String),
      tableActive: Array.from({ length: groups }, (_, g) => String(Number(i * groups + g < states.length - 1))),
      poles: i === count - 1 ? proven.poles.map(String) : new Array<string>(2 * (columns + 1)).fill('0'),
    },
  }));
}

/** State, open, tree and place of the table before the first chunk, between each two, and after the last. */
function tablesOf(
  records: readonly number[],
  states: readonly bigint[],
  count: number,
  { groups, width }: ForestShape,
): bigint[][] {
  let [tree, place] = [0n, 0n];
  return Array.from({ length: count + 1 }, (_, i) => {
    const from = (i - 1) * groups * 4 * width;
    for (let at = from; i > 0 && at < from + groups * 4 * width; at++) {
      const record = BigInt(records[at] ?? 0);
      const begins = (record >> 26n) & 1n;
      tree += begins;
      place = (1n - begins) * place + (record >> 27n) + 1n;
    }
    const group = Math.min(i * groups, states.length - 1);
    return [states[group]!, BigInt(i * groups < states.length), tree, place];
  });
}

async function prove(
  claims: Claims,
  commitment: bigint,
  count: number,
  { features, featuresSalt }: Predicted,
  shape: ForestShape,
  chosen: Partial<Challenges>,
): Promise<Proven> {
  const poseidon = await loadPoseidon();
  const { rows, columns, groups, width } = shape;
  const n = features.rows;
  const sums = new ForestSums(claims, features, shape);
  const eachChunk = <T>(make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const digest = (chunks: readonly (readonly bigint[])[]): bigint[] => {
    const states = [0n];
    for (const elements of chunks) states.push(absorb(poseidon, states.at(-1)!, elements, width));
    return states;
  };
  const cut = (values: readonly bigint[], size: number) =>
    eachChunk((i) => Array.from({ length: size }, (_, k) => values[i * size + k] ?? 0n));

  const paths = eachChunk((i) => packPaths(claims.paths, i * rows, shape));
  const pathDigests = digest(paths);
  const featuresState = (await featuresStates(features, featuresSalt, shape.featureBits, shape)).at(-1)!;
  const gamma = chosen.gamma ?? poseidon([tag('forest'), pathDigests.at(-1)!, featuresState, commitment]);
  const alpha = chosen.alpha ?? poseidon([tag('forest'), gamma]);
  const { decisions, weights } = sums.decisions(gamma);
  const alphaInverses = ForestSums.inverses(alpha, n);
  const poles = sums.poles(weights, alphaInverses);

  const eta = chosen.eta ?? absorb(poseidon, alpha, poles, width);
  const etaInverses = ForestSums.inverses(eta, Math.max(columns + 1, NO_CLASS + 1));
  const answered = weights.map((own) => mod(own.reduce((sum, weight, j) => sum + weight * etaInverses[j]!, 0n)));
  const answers = cut(answered, rows);
  const answerDigests = digest(answers);

  const mu = chosen.mu ?? poseidon([eta, answerDigests.at(-1)!]);
  const muInverses = ForestSums.inverses(mu, n);
  const visited = sums.visits(muInverses);
  const visits = cut(visited, groups * 4 * width);
  const visitDigests = digest(visits);
  const delta = chosen.delta ?? poseidon([mu, visitDigests.at(-1)!]);
  const challenges = { gamma, alpha, eta, mu, delta };

  const featureSums = sums.featureSums(etaInverses);
  const leafSums = sums.leafSums(etaInverses);
  const leaves = sums.leaves(challenges.delta);
  const terms = sums.terms(visited, challenges, etaInverses);
  const running = [[0n, 0n, 0n, 0n, 0n]];
  for (let i = 0; i < count; i++) {
    const next = [...running[i]!];
    for (let row = i * rows; row < Math.min((i + 1) * rows, n); row++) {
      const [byAlpha, byMu] = [alphaInverses[row]!, muInverses[row]!];
      next[0]! += byAlpha * mod(featureSums[row]! * answered[row]!);
      next[1]! += byAlpha * decisions[row]!;
      next[2]! += byMu * answered[row]!;
      next[3]! += byMu * leaves[row]!;
      next[4]! += byMu * leafSums[row]!;
    }
    const slots = groups * 4 * width;
    for (const [nodeTerm, visitTerm, leafTerm] of terms.slice(i * slots, (i + 1) * slots) as [
      bigint,
      bigint,
      bigint,
    ][]) {
      next[2]! -= nodeTerm;
      next[3]! += visitTerm;
      next[4]! -= leafTerm;
    }
    running.push(next.map(mod));
  }
  const digests = Array.from({ length: count + 1 }, (_, i) => [pathDigests[i]!, answerDigests[i]!, visitDigests[i]!]);
  return { challenges, digests, sums: running, paths, answers, visits, poles };
}

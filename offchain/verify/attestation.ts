import { type Address, type Hex, isAddressEqual } from 'viem';
import { type Attestation, metricsHash } from '../attestation/attest.ts';
import { foldId, trainingSetRoot, voteOf } from '../attestation/context.ts';
import { recoverVoter } from '../chain/vote.ts';
import { delta, termsOf } from '../delta/delta.ts';
import { countWords, namedCounts } from '../delta/named-counts.ts';
import { HokusaiError } from '../errors.ts';
import { metricsProblems } from './metrics.ts';
import type { Check } from './verify.ts';

/** What is stated and what it should be, by name; equal when their JSON is. */
export type Comparison = Readonly<Record<string, readonly [stated: unknown, expected: unknown]>>;

const show = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : value === '' ? 'empty' : String(value);

/** A sentence for each value that is not what it should be. */
export const differences = (comparison: Comparison): string[] =>
  Object.entries(comparison).flatMap(([name, [stated, expected]]) =>
    show(stated) === show(expected) ? [] : [`${name} is ${show(stated)}, but should be ${show(expected)}`],
  );

/** A check that holds when there are no problems. */
export const checkOf = (name: string, problems: readonly string[], fine: string): Check =>
  problems.length === 0 ? { name, ok: true, detail: fine } : { name, ok: false, detail: `${problems.join('; ')}.` };

/** The sentences that stand beside a false one of the conditions that rule them out. */
export const problemsUnless = (conditions: Readonly<Record<string, boolean>>): string[] =>
  Object.keys(conditions).filter((problem) => !conditions[problem]);

/** What can be checked of an attestation by itself. */
export async function attestationChecks(attestation: Attestation): Promise<Check[]> {
  const { benchmark } = attestation;
  return [
    statusCheck(attestation),
    contributionCheck(attestation),
    checkOf(
      'benchmark fold',
      differences({ 'benchmark.foldId': [benchmark.foldId, foldId(benchmark)] }),
      'foldId is the hash of the fold’s roots, rows and metric.',
    ),
    ...trainingChecks(attestation),
    ...countsChecks(attestation),
    ...deltaChecks(attestation),
    checkOf(
      'metricsHash',
      differences({ metricsHash: [attestation.metricsHash, metricsHash(attestation)] }),
      'It is the hash of the part of the attestation that validators agree on.',
    ),
    roundCheck(attestation),
    await votesCheck(attestation),
  ];
}

/** What each status has to come with. Only SCORED and BELOW_GATE are found after training. */
function statusCheck(attestation: Attestation): Check {
  const { accepted, status, models, counts, delta, proof, inference, assurance, contribution, context } = attestation;
  const scored = status === 'SCORED';
  const trained = scored || status === 'BELOW_GATE';
  const published = models?.baseline.metrics ?? models?.candidate.metrics;
  const problems = problemsUnless({
    'it says both accepted and rejected': accepted === scored,
    'an accepted contribution lacks its counts, delta or proof': !scored || (counts && delta && proof) !== undefined,
    'models are stated where nothing was trained, or lack where something was': trained === (models !== undefined),
    'there are counts, delta or a proof without models': models !== undefined || !(counts || delta || proof),
    'there is one of counts and delta, but not the other': (counts === undefined) === (delta === undefined),
    'there is a proof without counts': counts !== undefined || !proof,
    'there is an inference without a proof': proof !== undefined || !inference,
    'the assurance is not what is proven': (assurance === 'inferred') === (inference !== undefined),
    'counts of a rejected contribution are published': scored || context.chainId === 0 || (!counts && !published),
    'the status is not what the gate says': delta === undefined || (delta.failed === '') === scored,
    'the status is not what the overlap says': trained
      ? contribution.overlap === 0
      : status !== 'OVERLAP' || contribution.overlap > 0,
  });
  return checkOf('status', problems, `${status} is what the rest of the attestation comes to.`);
}

function contributionCheck({ contribution, status }: Attestation): Check {
  const { rows, rowsUsed, duplicates, overlap, integration, quality } = contribution;
  const { conflicting = 0, overReplaced = 0, overRows = 0 } = integration ?? {};
  const left = conflicting + overReplaced + overRows;
  const tallied = quality.perClass?.reduce((sum, count) => sum + count, 0);
  // Of a contribution that could not be read as a table of the schema, nothing is counted.
  const evaluated = !['UNAVAILABLE', 'ROOT_MISMATCH', 'SCHEMA'].includes(status);
  const problems = problemsUnless({
    'more rows were used or left out than contributed': rowsUsed + left <= rows,
    'rows are neither used, nor duplicates, nor left out': !evaluated || rowsUsed + duplicates + left >= rows,
    'more rows overlap than were contributed': overlap <= rows,
    'more cells are missing than there are': quality.missingCells <= quality.cells,
    'more rows are positive than were contributed': (quality.positives ?? 0) <= rows + duplicates,
    'the rows by class are not all rows':
      !evaluated || tallied === undefined || tallied === rowsUsed + duplicates + left,
  });
  return checkOf('contribution', problems, `${rowsUsed} of ${rows} rows are new, and the numbers fit each other.`);
}

function trainingChecks({ models, contribution, context }: Attestation): Check[] {
  if (!models) return [];
  const { baseline, candidate } = models;
  const drawn = contribution.integration === undefined || context.chainId === 0 || candidate.seed !== undefined;
  const replaced = contribution.integration?.replaced ?? 0;
  const problems = problemsUnless({
    'the seed that draws which rows are learned from is not told': drawn,
    'more rows were replaced than there were': replaced <= baseline.trainingRows,
  });
  const different = differences({
    'models.candidate.trainingSetRoot': [
      candidate.trainingSetRoot,
      trainingSetRoot(baseline.trainingSetRoot as Hex, contribution.dataRoot as Hex),
    ],
    'models.candidate.trainingRows': [candidate.trainingRows, baseline.trainingRows + contribution.rowsUsed - replaced],
  });
  return [
    checkOf('training set', [...problems, ...different], 'The candidate’s is the baseline’s and the contribution.'),
  ];
}

function countsChecks(attestation: Attestation): Check[] {
  const { benchmark, models, counts } = attestation;
  if (!models || !counts) return [];
  const metrics = (['baseline', 'candidate'] as const).flatMap((of) => metricsProblems(attestation, counts, of));
  const fine = 'perClass' in (models.baseline.metrics ?? {}) ? ', and those by class fit each other' : '';
  return [
    checkOf('counts', countsProblems(benchmark, counts), `They are of ${counts.n} rows${changed(counts)}.`),
    checkOf('metrics', metrics, `Those of both models follow from the counts${fine}.`),
  ];
}

const changed = (counts: NonNullable<Attestation['counts']>): string =>
  'fixed' in counts ? `, ${counts.fixed} fixed, ${counts.broken} broken` : '';

/** Counts are what their words say to the contract; so a kind of counts that is not the metric's is found, too. */
function countsProblems(
  { metric, classes, n }: Attestation['benchmark'],
  counts: NonNullable<Attestation['counts']>,
): string[] {
  try {
    const expected: Record<string, unknown> = namedCounts(metric, classes, countWords(counts));
    const given: Record<string, unknown> = counts;
    const names = new Set([...Object.keys(given), ...Object.keys(expected)]);
    const comparison = [...names].map((name) => [`counts.${name}`, [given[name], expected[name]] as const]);
    return differences({ ...Object.fromEntries(comparison), 'benchmark.n': [n, counts.n] });
  } catch (error) {
    if (error instanceof HokusaiError) return [error.message];
    throw error;
  }
}

function deltaChecks({ benchmark, counts, delta: stated }: Attestation): Check[] {
  if (!counts || !stated) return [];
  return [deltaCheck(benchmark, counts, stated)];
}

function deltaCheck(
  { metric, classes }: Attestation['benchmark'],
  counts: NonNullable<Attestation['counts']>,
  stated: NonNullable<Attestation['delta']>,
): Check {
  let expected: typeof stated;
  try {
    expected = delta(metric, classes, countWords(counts), termsOf(stated));
  } catch (error) {
    // Terms that no registry admits, a metric that is not counted so, or more rows than the contracts count.
    if (error instanceof HokusaiError) return checkOf('deltaOne', [error.message], '');
    throw error;
  }
  const names = Object.keys(expected) as (keyof typeof expected)[];
  const comparison = Object.fromEntries(
    names.map((name) => [`delta.${name}`, [stated[name], expected[name]] as const]),
  );
  const fine = `deltaOne ${expected.deltaOneBps} bps of ${metric}, payable ${expected.payableBps} bps, gate and reward follow from the counts and the stated terms.`;
  return checkOf('deltaOne', differences(comparison), fine);
}

/** Whom it names to the committee, by when, and who is paid. That the chain says so, too, is for the chain to say. */
function roundCheck({ round, context, contribution, accepted, status, votes }: Attestation): Check {
  const lower = (address: string) => address.toLowerCase();
  const seats = (round?.committee ?? []).map(({ validator }) => lower(validator));
  const voted = new Set(
    round?.committee.filter((seat) => seat.status === status).map(({ validator }) => lower(validator)),
  );
  const paid = (round?.payments ?? []).map(({ account }) => lower(account));
  const { voteDeadline = 0, revealDeadline = 0, deadline = 0, finalisableAt = 0 } = round ?? {};
  const problems = problemsUnless({
    'a dry run has a round, or a round on a chain is not told': (context.chainId === 0) === (round === undefined),
    'somebody is drawn twice': new Set(seats).size === seats.length,
    'the contributor is drawn': !seats.includes(lower(contribution.contributor)),
    'somebody signed who was not drawn, or voted otherwise': votes.every((vote) => voted.has(lower(vote.validator))),
    'the deadlines are out of order': !round || (voteDeadline < revealDeadline && revealDeadline < deadline),
    'a rejected round has a time to pay, or an accepted one has none': !round || accepted === finalisableAt > 0,
    'somebody is paid twice, or nothing':
      new Set(paid).size === paid.length && !round?.payments?.some(({ wei }) => wei === '0'),
  });
  const fine = round
    ? `${seats.length} were drawn, and ${voted.size} of them voted ${status}.`
    : 'None, as this was a dry run.';
  return checkOf('course of the round', problems, fine);
}

/** Of a dry run there are none; on a chain, at least one. How many the policy asks for is for the chain to say. */
async function votesCheck(attestation: Attestation): Promise<Check> {
  const { votes, context, contribution, transactions } = attestation;
  const problems = problemsUnless({
    'a dry run has votes or transactions': context.chainId !== 0 || votes.length + transactions.length === 0,
    'nobody has signed': context.chainId === 0 || votes.length > 0,
    'a validator votes twice': new Set(votes.map(({ validator }) => validator.toLowerCase())).size === votes.length,
  });
  const interested = [contribution.contributor.toLowerCase()];
  for (const { validator, signature } of votes) {
    const signer = await voter(attestation, signature);
    if (interested.includes(validator.toLowerCase())) problems.push(`${validator} votes on what pays him`);
    if (!signer || !isAddressEqual(signer, validator as Address)) {
      problems.push(
        `the signature said to be of ${validator} is ${signer ? `of ${signer}` : 'nobody’s'}, or over another vote`,
      );
    }
  }
  const fine =
    context.chainId === 0 ? 'None, as this was a dry run.' : `${votes.length} validators signed this finding.`;
  return checkOf('votes', problems, fine);
}

/** Who signed the attestation's vote; undefined for a signature that the contract would not take, whoever made it. */
async function voter(attestation: Attestation, signature: string): Promise<Address | undefined> {
  const { chainId, rounds, roundId } = attestation.context;
  const parameters = [chainId, rounds.toLowerCase() as Address, roundId as Hex] as const;
  try {
    return await recoverVoter(...parameters, voteOf(attestation), signature as Hex);
  } catch (error) {
    if (error instanceof HokusaiError) return undefined;
    throw error;
  }
}

/** What validators find of a contribution, and agree on. */
import type { Hex } from 'viem';
import type { Attestation } from '../attestation/attest.ts';
import { HokusaiError } from '../errors.ts';
import { EVALUATOR, type ModelLine } from '../line.ts';
import type { Score } from '../prove/score.ts';
import type { Integration } from '../table/integrate.ts';
import { tally } from '../table/label.ts';
import type { Model } from '../train/model.ts';
import type { TrainReport } from '../train/train.ts';
import type { Comparison } from './evaluate.ts';
import type { Offer } from './offer.ts';

/** What a contributor committed to on-chain. */
export interface Committed {
  readonly contributor: Hex;
  /** Who is paid: `payeesTree` of `payees.ts`. */
  readonly payeesRoot: Hex;
  readonly dataRoot: Hex;
  readonly rows: number;
}

/** The part of an attestation on which honest validators agree to the bit. */
export type Agreed = Pick<
  Attestation,
  'version' | 'status' | 'reason' | 'name' | 'evaluator' | 'contribution' | 'benchmark' | 'models' | 'counts' | 'delta'
>;

/** What an evaluation found. */
export interface Finding {
  readonly agreed: Agreed;
  /** Where both models were evaluated: what is needed to prove the score, and the comparison, which stays with the
   * validators when it is below the gate. */
  readonly evaluated?: {
    readonly score: Omit<Score, 'contextHash'>;
    readonly counts: Comparison['counts'];
    readonly delta: NonNullable<Attestation['delta']>;
    readonly metrics: Comparison['metrics'];
    readonly integration: TrainingSetChange;
    readonly models: Readonly<Record<'baseline' | 'candidate', Model>>;
    /** How both were trained, by one of our own trainers. */
    readonly training?: Readonly<Record<'baseline' | 'candidate', TrainReport>>;
  };
}

/** Which of a contribution's rows were left out, and how the training set changed; stays with the model's owner. */
export interface TrainingSetChange extends Pick<Integration, 'ignored' | 'near' | 'balance'> {
  /** Rows that were taken out. */
  readonly replaced: number;
  /** Of `balance`; none where the label is a number. */
  readonly classes: readonly string[];
}

/** Why a contribution is not accepted. */
export type Refusal = Pick<Agreed, 'status' | 'reason'>;

/** The finding that a contribution is refused before anything is scored. */
export const refuse = (
  line: ModelLine,
  offer: Offer,
  committed: Committed,
  refusal: Refusal,
  known?: Known,
): Finding => ({
  agreed: agreed(line, offer, committed, refusal, known),
});

/** Of data that no model can be trained on, every validator finds the same; anything else is no finding. */
export function trainingFailed(error: unknown): Refusal {
  if (!(error instanceof HokusaiError) || error.kind !== 'terminal' || !error.code.startsWith('TRAIN_')) throw error;
  return { status: 'TRAINING_FAILED', reason: `The training did not end in a model: ${error.message}.` };
}

export type Known = Pick<Agreed['contribution'], 'quality' | 'rowsUsed' | 'duplicates' | 'overlap' | 'integration'>;

/** Of a finding, what follows from who offered what to which model, and from the verdict. */
export function agreed(
  line: ModelLine,
  { name }: Offer,
  contribution: Committed,
  refusal: Refusal,
  known?: Known,
): Agreed {
  const { contributor, payeesRoot, dataRoot, rows } = contribution;
  const { labelsRoot, featuresRoot, rowsRoot, quantiserHash, n, classes } = line.fold;
  const { label } = line.schema;
  const quality = { cells: 0, missingCells: 0, ...tally([], classes) };
  const none = { rowsUsed: 0, duplicates: 0, overlap: 0, quality };
  return {
    version: 1,
    ...refusal,
    name,
    evaluator: EVALUATOR,
    contribution: { contributor, payeesRoot, dataRoot, rows, ...none, ...known },
    benchmark: {
      foldId: line.foldId,
      labelsRoot: String(labelsRoot),
      featuresRoot: String(featuresRoot),
      rowsRoot,
      quantiserHash,
      metric: line.metric,
      n,
      classes,
      ...('low' in label && { range: { low: label.low, high: label.high } }),
    },
  };
}

/**
 * What an attestation is. Longer than other files, because the document has one form, which is read from top to bottom.
 */
import { type Hex, keccak256, stringToBytes } from 'viem';
import { z } from 'zod';
import { canonicalJson } from '../canonical.ts';
import { STATUSES } from '../chain/vote.ts';
import { GATE_PARTS } from '../delta/delta.ts';
import { CLASS_METRICS, METRICS } from '../metrics/exact.ts';
import { R } from '../prove/field.ts';

/** Who has to be trusted for what, by assurance level 1 to 3; an attestation says `scored` or `inferred`. */
export const ASSURANCE = [
  {
    name: 'scored',
    proven: 'the counts follow from the committed labels and predictions',
    trusted: 'data, training and predictions',
  },
  {
    name: 'inferred',
    proven: '… and the predictions follow from the two committed models on the committed benchmark',
    trusted: 'data and training',
  },
  {
    name: 'trained',
    proven: '… and the candidate is the optimum of the registered objective on the committed training set',
    trusted: 'nothing but that the data is what it says it is',
  },
] as const;

/** What holds at every assurance level. */
export const TRUSTED_ALWAYS =
  'At every level validators hold the benchmark and are trusted not to leak it, and a block proposer can bias a draw a little.';

const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
/** An integer that may not fit a double, as a decimal string. */
const integer = z.string().regex(/^(0|-?[1-9]\d{0,77})$/);
const natural = z.string().regex(/^(0|[1-9]\d{0,77})$/);
/** A number below the order of the circuits' field, so that no two stand for one element. */
const fieldElement = natural.refine((text) => BigInt(text) < R, 'not below the order of the field');
const count = z.int().min(0);
const ratio = z.strictObject({ numerator: count, denominator: count });
const perClass = z.strictObject({ precision: ratio, recall: ratio, f1: ratio });

/** What is said of one model on the fold, beside the counts of both. */
const metrics = z.union([
  /** Of two classes: it follows from the counts. */
  perClass.extend({ accuracy: ratio }),
  /** Of more: by class, each against all others, what validators sign and no proof shows. */
  z.strictObject({
    accuracy: ratio,
    perClass: z
      .array(perClass.extend({ class: z.string() }))
      .min(3)
      .max(256),
  }),
  /** Of two classes whose rows are ranked: it follows from the counts. */
  z.strictObject({ auroc: ratio }),
  /** Of a regression: mean squared and mean absolute error in 65535ths of the range, and for people R2 and MAPE in bps. */
  z.strictObject({ mse: ratio, mae: ratio, r2Bps: integer.nullable(), mapeBps: natural.nullable() }),
]);

/** What the score follows from: as many words of counts as the metric has, lane by lane. */
export const zCounts = z.union([
  /** Of two classes: rows by label + 2 baseline + 4 candidate. */
  z.strictObject({
    cells: z.array(z.int().min(0).max(0x7fffffff)).length(8),
    n: z.int().min(1),
    fixed: count,
    broken: count,
  }),
  /** Of more classes. */
  z.strictObject({ n: z.int().min(1), baselineCorrect: count, candidateCorrect: count, fixed: count, broken: count }),
  /**
   * Of the ROC curve: rows by label, sums over the positive ones of the placements by either model's scores, in halves, and
   * over the rows of each label of the squared differences of their two placements.
   */
  z.strictObject({
    n: z.int().min(1),
    positives: count,
    negatives: count,
    baselinePlacements: natural,
    candidatePlacements: natural,
    positiveSquares: natural,
    negativeSquares: natural,
  }),
  /** Of a regression by squared errors: sums over the rows; `squares` of the squared differences of both errors. */
  z.strictObject({
    n: z.int().min(1),
    baselineErrors: natural,
    candidateErrors: natural,
    squares: natural,
    labels: natural,
    squaredLabels: natural,
  }),
  /** By absolute errors likewise; rows below and above the labels' median, and the sum of the distances from it. */
  z.strictObject({
    n: z.int().min(1),
    below: count,
    above: count,
    baselineErrors: natural,
    candidateErrors: natural,
    squares: natural,
    deviations: natural,
  }),
]);

const model = {
  /** Poseidon commitment to the model's parameters. */
  commitment: fieldElement,
  /** What it was trained on: keccak chain of dataRoots. */
  trainingSetRoot: hash,
  trainingRows: count,
  /** Poseidon root of its predictions on the fold. */
  predictionsRoot: fieldElement,
  /** What a search chose, or a dry run changed for want of memory, by its name, as JSON; absent where nothing did. */
  hyperparameters: z.record(z.string(), z.string()).optional(),
  /** Absent, like counts and delta, where a chain rejected the contribution: its author could look for benchmark rows. */
  metrics: metrics.optional(),
};

/**
 * What one evaluation found, and all that is needed to check it without private data. Written as `attestation.json`.
 * Holds no row, no label, no prediction and no secret.
 */
export const zAttestation = z.strictObject({
  version: z.literal(1),
  /** Whether the contribution was settled on-chain or, in a dry run, would have been. */
  accepted: z.boolean(),
  /** Names of `Status` in IRounds.sol: SCORED where accepted, else why not. */
  status: z.enum(STATUSES),
  /** One sentence for people. */
  reason: z.string(),
  /** What the proof proves; see "Who has to be trusted for what" in the README. */
  assurance: z.enum(['scored', 'inferred']),
  name: z.string(),
  evaluator: z.string(),
  contribution: z.strictObject({
    contributor: address,
    /** Merkle sum root over who is paid, as `IRewards.sol` defines it. */
    payeesRoot: hash,
    dataRoot: hash,
    rows: count,
    /** Rows not already in the head's training set, which is what the candidate learned from. */
    rowsUsed: count,
    /** Rows left out because they occur twice in the contribution, or are in the head's training set already. */
    duplicates: count,
    /** Rows whose features are in the benchmark too. */
    overlap: count,
    /** What the policy's terms of integration came to; absent where they just add all new rows. */
    integration: z
      .strictObject({
        /** New rows that were left out because others of the contribution have the same key. */
        conflicting: count,
        /** New rows that would have replaced more of the head's than `integration.max_replaced_bps`. */
        overReplaced: count,
        /** New rows beyond `integration.max_rows`. */
        overRows: count,
        /** Rows of the head's training set that new ones took the place of. */
        replaced: count,
      })
      .optional(),
    quality: z.strictObject({
      cells: count,
      missingCells: count,
      /** Rows with a positive label, of two classes; of more, rows by class. */
      positives: count.optional(),
      perClass: z.array(count).optional(),
    }),
  }),
  benchmark: z.strictObject({
    foldId: hash,
    labelsRoot: fieldElement,
    featuresRoot: fieldElement,
    rowsRoot: hash,
    quantiserHash: hash,
    /** What is paid for. */
    metric: z.enum(METRICS),
    n: z.int().min(1),
    /** 2 to 256; 0 for a regression. */
    classes: z.int().min(0).max(256),
    /** Of a regression what labels of 0 and 65535 stand for, canonical decimals. */
    range: z.strictObject({ low: z.string(), high: z.string() }).optional(),
  }),
  /** Absent where the contribution was rejected before training. */
  models: z
    .strictObject({
      baseline: z.strictObject({
        ...model,
        /** Where it came from, where it is no model that was trained on the training set. */
        imported: z
          .strictObject({
            framework: z.enum(['reference', 'onnx', 'scikit-learn', 'tensorflow']),
            sha256: z.string().regex(/^[0-9a-f]{64}$/),
          })
          .optional(),
      }),
      candidate: z.strictObject({
        ...model,
        /** With the round's fold and committee drawn after the commit, where training draws anything. */
        seed: hash.optional(),
      }),
    })
    .optional(),
  /** Absent, like delta, where there is nothing to count. */
  counts: zCounts.optional(),
  delta: z
    .strictObject({
      deltaOneBps: integer,
      payableBps: integer,
      minDeltaBps: natural,
      minRows: natural,
      minPositives: natural,
      zMicro: natural,
      alpha30: natural,
      /** Metrics that must not fall by more than so much. */
      guardrails: z.array(z.strictObject({ metric: z.enum(CLASS_METRICS), maxLossBps: natural })).max(8),
      /** The first part of the gate that failed; empty where it is passed. */
      failed: z.enum(['', ...GATE_PARTS]),
      /** Whether the policy pays deltaOne instead of the lower bound. */
      payPoint: z.boolean(),
      /** Smallest units of the reward token, like maxReward and reward. */
      tokensPerDeltaOne: natural,
      maxReward: natural,
      /** What is paid, or would be; 0 where the gate is not passed. */
      reward: natural,
    })
    .optional(),
  /** What `contextHash` is the hash of, with the models and the fold above. Of a dry run, chainId is 0. */
  context: z.strictObject({
    chainId: count,
    modelRegistry: address,
    circuitRegistry: address,
    inferenceRegistry: address,
    validatorRegistry: address,
    rewards: address,
    rounds: address,
    roundId: hash,
    modelId: hash,
    policyHash: hash,
    benchmarkId: hash,
    trainSpecHash: hash,
    settler: address,
  }),
  proof: z
    .strictObject({
      circuit: z.string(),
      circuitId: hash,
      attestationHash: fieldElement,
      /** One word or two, as the metric has them. */
      counts: z.array(fieldElement).min(1).max(2),
      contextHash: fieldElement,
      prover: z.enum(['snarkjs', 'native']),
    })
    .optional(),
  /** Of both models, chunk by chunk; only with assurance `inferred`, and where there is a proof of the score. */
  inference: z
    .strictObject({
      circuit: z.string(),
      circuitId: hash,
      prover: z.enum(['snarkjs', 'native']),
    })
    .optional(),
  /** How the round went; absent in a dry run. Times are by `Rounds.clock`: seconds since 1970, without pauses. */
  round: z
    .strictObject({
      /** By seat: who was drawn, and what the vote that each revealed says. */
      committee: z
        .array(z.strictObject({ validator: address, status: z.enum(STATUSES).optional() }))
        .min(1)
        .max(16),
      voteDeadline: count,
      revealDeadline: count,
      /** Until when a proof could settle. */
      deadline: count,
      /** When the reward could be claimed; 0 where there is none. */
      finalisableAt: count,
      /** What fee and bond came to, refunds and shares by `withdraw`; absent before the round has ended. */
      payments: z.array(z.strictObject({ account: address, wei: natural })).optional(),
    })
    .optional(),
  /** Of the validators whose votes agree with this. */
  votes: z.array(z.strictObject({ validator: address, signature: z.string().regex(/^0x[0-9a-f]{130}$/) })),
  /** What {@link metricsHash} gives: the part that validators sign. */
  metricsHash: hash,
  transactions: z.array(z.strictObject({ action: z.string(), by: address, hash, gas: count, block: count })),
  steps: z.array(
    z.strictObject({
      name: z.string(),
      seconds: z.number().min(0),
      reused: z.boolean(),
      /** What had done it, where that was another run: `run 0123456789ab`. */
      from: z.string().optional(),
    }),
  ),
});

export type Attestation = z.infer<typeof zAttestation>;

/**
 * The hash that validators sign beside the roots: keccak256 over the canonical JSON of what honest validators agree on to
 * the bit. No timings, no transactions, nothing of a chain; status and roots are signed by themselves.
 */
export function metricsHash(
  attestation: Pick<
    Attestation,
    'version' | 'name' | 'evaluator' | 'contribution' | 'benchmark' | 'models' | 'counts' | 'delta'
  >,
): Hex {
  const { version, name, evaluator, contribution, benchmark, models, counts, delta } = attestation;
  const deterministic = {
    version,
    name,
    evaluator,
    contribution: { ...contribution, contributor: contribution.contributor.toLowerCase() },
    benchmark,
    models,
    counts,
    delta,
  };
  // Through JSON, which leaves out what is absent.
  return keccak256(stringToBytes(canonicalJson(JSON.parse(JSON.stringify(deterministic)))));
}

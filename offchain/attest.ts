import { z } from 'zod';

const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
/** An integer that may not fit a double, as a decimal string. */
const integer = z.string().regex(/^-?(0|[1-9]\d*)$/);
const count = z.int().min(0);
const ratio = z.strictObject({ numerator: count, denominator: count });
const metrics = z.strictObject({ accuracy: ratio, precision: ratio, recall: ratio, f1: ratio });

const model = z.strictObject({
  /** Poseidon commitment to the model's parameters. */
  commitment: integer,
  /** What it was trained on: keccak chain of dataRoots. */
  trainingSetRoot: hash,
  trainingRows: count,
  /** Poseidon root of its predictions on the fold. */
  predictionsRoot: integer,
  metrics,
});

/**
 * What one evaluation found, and all that is needed to check it without private data. Written as `attestation.json`.
 * Holds no row, no label, no prediction and no secret.
 */
export const zAttestation = z.strictObject({
  version: z.literal(1),
  /** Whether the contribution was settled on-chain or, in a dry run, would have been. */
  accepted: z.boolean(),
  /** Names of `Status` in IRounds.sol: SCORED where accepted, else why not. */
  status: z.enum([
    'SCORED',
    'BELOW_GATE',
    'UNAVAILABLE',
    'ROOT_MISMATCH',
    'OVERLAP',
    'SCHEMA',
    'PII',
    'TOO_FEW_ROWS',
    'TRAINING_FAILED',
  ]),
  /** One sentence for people. */
  reason: z.string(),
  /** What the proof proves; see "Who has to be trusted for what" in the README. */
  assurance: z.literal('scored'),
  name: z.string(),
  evaluator: z.string(),
  contribution: z.strictObject({
    contributor: address,
    payee: address,
    dataRoot: hash,
    rows: count,
    /** Rows not already in the head's training set, which is what the candidate learned from. */
    rowsUsed: count,
    /** Rows left out because they occur twice in the contribution, or are in the head's training set already. */
    duplicates: count,
    /** Rows whose features are in the benchmark too. */
    overlap: count,
    quality: z.strictObject({
      cells: count,
      missingCells: count,
      /** Rows with a positive label. */
      positives: count,
    }),
  }),
  benchmark: z.strictObject({
    foldId: hash,
    labelsRoot: integer,
    featuresRoot: integer,
    rowsRoot: hash,
    quantiserHash: hash,
    metric: z.literal('accuracy'),
    n: count,
    classes: z.literal(2),
  }),
  /** Absent where the contribution was rejected before training. */
  models: z.strictObject({ baseline: model, candidate: model }).optional(),
  /** Rows by label + 2 baseline + 4 candidate. Absent, like delta, where there is nothing to count. */
  counts: z.strictObject({ cells: z.array(count).length(8), n: count, fixed: count, broken: count }).optional(),
  delta: z
    .strictObject({
      deltaOneBps: integer,
      payableBps: integer,
      minDeltaBps: integer,
      minRows: integer,
      zMicro: integer,
      alpha30: integer,
      exactBinomialPasses: z.boolean(),
      passes: z.boolean(),
      /** Smallest units of the reward token. */
      reward: integer,
    })
    .optional(),
  /** What `contextHash` is the hash of, with the models and the fold above. Of a dry run, chainId is 0. */
  context: z.strictObject({
    chainId: count,
    modelRegistry: address,
    circuitRegistry: address,
    rounds: address,
    roundId: hash,
    modelId: hash,
    policyHash: hash,
    trainSpecHash: hash,
    settler: address,
  }),
  proof: z
    .strictObject({
      circuit: z.string(),
      circuitId: hash,
      attestationHash: integer,
      countsPacked: integer,
      contextHash: integer,
      prover: z.enum(['snarkjs', 'native']),
    })
    .optional(),
  votes: z.array(z.strictObject({ validator: address, signature: z.string().regex(/^0x[0-9a-f]{130}$/) })),
  /** Hash of the deterministic part above that validators vote on. */
  metricsHash: hash,
  transactions: z.array(z.strictObject({ action: z.string(), hash, gas: count, block: count })),
  steps: z.array(z.strictObject({ name: z.string(), seconds: z.number().min(0), reused: z.boolean() })),
});

export type Attestation = z.infer<typeof zAttestation>;

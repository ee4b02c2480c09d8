import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { canonicalJson } from '../../offchain/canonical.ts';
import { labelsOf } from '../../offchain/table/check-table.ts';
import { type Features, fitQuantiser, quantise, quantiserHash } from '../../offchain/table/quantise.ts';
import { inferSchema } from '../../offchain/table/schema.ts';
import { readCsv, selectRows } from '../../offchain/table/table.ts';
import { type LinearModel, predict, quantiseLinear, reachOf } from '../../offchain/train/linear.ts';
import { referenceTrainer } from '../../offchain/train/reference.ts';
import { SquaredHinge } from '../../offchain/train/squared-hinge.ts';
import type { TrainInput } from '../../offchain/train/trainer.ts';
import { uniform } from './tables.ts';

const FILE = fileURLToPath(new URL('../../examples/breast-cancer/breast_cancer.csv', import.meta.url));
/**
 * Of the training on the odd rows: SHA-256 of the model's canonical JSON, and of the bytes (little-endian doubles) of the
 * optimum's weights and bias before rounding. Another value on any machine is a defect.
 */
const GOLDEN = '04448645a1aadd500edcb5a02c59794a95045f2f883de043a2f9eb47c37d804d';
const GOLDEN_OPTIMUM = '8b34eea7735c7a63c2d707b1d2951d197c13f028be5739c1cc3c8d725f25bbf8';
const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const HASH = `0x${'00'.repeat(32)}` as const;

/** Trained on the rows with odd numbers, to be scored on the others; the quantiser is fitted on the training rows. */
async function breastCancer(): Promise<{
  input: TrainInput;
  test: { features: Features; labels: Uint8Array | Uint16Array };
}> {
  const table = await readCsv(FILE);
  const { schema } = inferSchema(table, { label: 'benign' });
  const half = (odd: number) =>
    selectRows(
      table,
      [...Array(table.rows).keys()].filter((row) => row % 2 === odd),
    );
  const quantiser = fitQuantiser(half(1), schema);
  const [train, test] = [half(1), half(0)].map((rows) => ({
    features: quantise(rows, quantiser),
    labels: labelsOf(rows, schema),
  })) as [Pick<TrainInput, 'features' | 'labels'>, Pick<TrainInput, 'features' | 'labels'>];
  return { input: { ...train, classes: 2, quantiserHash: quantiserHash(quantiser) }, test };
}

function random(rows: number, width: number, seed: number): TrainInput {
  const next = uniform(seed);
  const values = Uint8Array.from({ length: rows * width }, () => Math.floor(next() * 256));
  const labels = Uint8Array.from({ length: rows }, (_, row) => Number(values[row]! + 200 * next() > 220));
  labels.set([0, 1]);
  return {
    features: { rows, columns: Array.from({ length: width }, (_, at) => `f${at}`), values },
    labels,
    classes: 2,
    quantiserHash: HASH,
  };
}

/** The gradient again, row by row, with compensated (Neumaier) sums instead of plain ones. */
function gradientNorm({ features, labels }: TrainInput, w: number[], C: number): number {
  const { rows, values } = features;
  const totals = w.map((weight) => [weight, 0] as [number, number]);
  const add = (total: [number, number], term: number): void => {
    const sum = total[0] + term;
    total[1] += Math.abs(total[0]) >= Math.abs(term) ? total[0] - sum + term : term - sum + total[0];
    total[0] = sum;
  };
  for (let row = 0; row < rows; row++) {
    const x = w.map((_, at) => (at === w.length - 1 ? 1 : values[at * rows + row]! / 255));
    const score: [number, number] = [0, 0];
    for (const [at, weight] of w.entries()) add(score, weight * x[at]!);
    const y = labels[row] === 1 ? 1 : -1;
    const slack = 1 - y * (score[0] + score[1]);
    if (slack > 0) for (const [at, total] of totals.entries()) add(total, -2 * C * y * slack * x[at]!);
  }
  return Math.hypot(...totals.map(([sum, rest]) => sum + rest));
}

describe('the squared hinge', () => {
  it('has the gradient that finite differences of the objective show', () => {
    const { features, labels } = random(40, 5, 11);
    const problem = new SquaredHinge(features, labels, 0.7);
    const next = uniform(5);
    for (let point = 0; point < 20; point++) {
      const w = Float64Array.from({ length: 6 }, () => 4 * next() - 2);
      const gradient = problem.gradient(w, problem.margins(w));
      for (let at = 0; at < w.length; at++) {
        const f = (h: number): number => {
          const moved = w.map((value, other) => (other === at ? value + h : value));
          return problem.objective(moved, problem.margins(moved));
        };
        const difference = (f(1e-5) - f(-1e-5)) / 2e-5;
        assert(
          Math.abs(difference - gradient[at]!) <= 1e-7 * (1 + Math.abs(gradient[at]!)),
          `${difference}, ${gradient[at]}`,
        );
      }
    }
  });

  it('has the Hessian that finite differences of the gradient show, also after rows crossed the margin', () => {
    const { features, labels } = random(40, 4, 13);
    const problem = new SquaredHinge(features, labels, 0.7);
    const next = uniform(9);
    for (let point = 0; point < 20; point++) {
      const w = Float64Array.from({ length: 5 }, () => 4 * next() - 2);
      const hessian = problem.hessian(problem.margins(w));
      for (let i = 0; i < 5; i++) {
        const moved = (h: number) => w.map((value, other) => (other === i ? value + h : value));
        const [up, down] = [moved(1e-7), moved(-1e-7)].map((at) => problem.gradient(at, problem.margins(at))) as [
          Float64Array,
          Float64Array,
        ];
        for (let j = 0; j <= i; j++) {
          assert(Math.abs((up[j]! - down[j]!) / 2e-7 - hessian[i * 5 + j]!) < 1e-4, `${point}: ${i}, ${j}`);
        }
      }
    }
  });
});

describe('referenceTrainer on breast cancer', () => {
  it('makes the same bits everywhere (golden hashes)', async () => {
    const { input } = await breastCancer();
    const { model, report } = await referenceTrainer().train(input);
    assert.equal(sha256(canonicalJson({ ...model })), GOLDEN);
    const { weights, bias } = report.optimum;
    assert.equal(sha256(new Uint8Array(Float64Array.of(...weights, bias).buffer)), GOLDEN_OPTIMUM);
  });

  it('makes the same bits in another process, without the optimising compiler and in another locale', () => {
    const script = `
      const at = (file) => import('${new URL('../../offchain/', import.meta.url)}' + file);
      const [{ readCsv }, { inferSchema }, { labelsOf }, q, { referenceTrainer }, { selectRows }, { canonicalJson }] =
        await Promise.all(['table/table.ts', 'table/schema.ts', 'table/check-table.ts', 'table/quantise.ts', 'train/reference.ts', 'table/table.ts',
          'canonical.ts'].map(at));
      const all = await readCsv('${FILE}');
      const { schema } = inferSchema(all, { label: 'benign' });
      const table = selectRows(all, [...Array(all.rows).keys()].filter((row) => row % 2 === 1));
      const quantiser = q.fitQuantiser(table, schema);
      const { model, report } = await referenceTrainer().train({ features: q.quantise(table, quantiser),
        labels: labelsOf(table, schema), classes: 2, quantiserHash: q.quantiserHash(quantiser) });
      const { weights, bias } = report.optimum;
      const bits = Buffer.from(Float64Array.of(...weights, bias).buffer).toString('hex');
      console.log(canonicalJson(model) + ' ' + bits);`;
    const env = { ...process.env, LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' };
    const options = { env, encoding: 'utf8' as const };
    for (const flag of ['--no-opt', '--always-sparkplug']) {
      const output = execFileSync(process.execPath, [flag, '--input-type=module', '--eval', script], options).trim();
      const [json, bits] = output.split(' ') as [string, string];
      assert.equal(sha256(json), GOLDEN);
      assert.equal(sha256(Buffer.from(bits, 'hex')), GOLDEN_OPTIMUM);
    }
  });

  it('ends where the gradient vanishes, by an independent sum', async () => {
    const { input } = await breastCancer();
    const { optimum } = (await referenceTrainer().train(input)).report;
    const w = [...optimum.weights, optimum.bias];
    const start = gradientNorm(
      input,
      w.map(() => 0),
      1,
    );
    assert(Math.abs(start - optimum.startNorm) < 1e-9 * start);
    assert(gradientNorm(input, w, 1) <= 1e-11 * start);
    assert(optimum.gradientNorm <= 1e-11 * start);
  });

  /**
   * scikit-learn 1.9.1, `LinearSVC(C=1, dual=False, tol=1e-12, max_iter=100000)` on the very features of this test,
   * divided by 255, the odd rows: first four coefficients, intercept, objective, correct on the even rows; and with
   * `MinMaxScaler` instead of our bytes (tol=1e-8), 281 correct.
   */
  const LINEAR_SVC = {
    weights: [-0.015288040328544068, -0.6982452181655918, -0.05951977189438434, -0.49004120701606796],
    bias: 2.976433967017485,
    objective: 43.28151755197754,
    correct: 282,
    correctMinMax: 281,
  };

  it('finds LinearSVC’s optimum', async () => {
    const { input, test } = await breastCancer();
    const { model, report } = await referenceTrainer().train(input);
    for (const [at, weight] of LINEAR_SVC.weights.entries())
      assert(Math.abs(weight - report.optimum.weights[at]!) < 1e-6);
    assert(Math.abs(LINEAR_SVC.bias - report.optimum.bias) < 1e-6);
    assert(Math.abs(LINEAR_SVC.objective - report.optimum.objective) < 1e-9);
    const correct = predict(model, test.features).filter((said, row) => said === test.labels[row]).length;
    assert.equal(correct, LINEAR_SVC.correct);
    assert(Math.abs(correct - LINEAR_SVC.correctMinMax) <= 0.01 * test.labels.length);
  });

  it('loses nothing by rounding', async () => {
    const { input } = await breastCancer();
    const { rounding } = (await referenceTrainer().train(input)).report;
    assert.deepEqual(rounding, { rows: 284, correctBefore: 278, correctAfter: 278, changed: 0 });
  });
});

describe('referenceTrainer', () => {
  it('converges on anything, to a gradient that an independent sum finds as small', async () => {
    const problem = fc.record({
      rows: fc.integer({ min: 2, max: 40 }),
      width: fc.integer({ min: 1, max: 12 }),
      seed: fc.integer({ min: 1, max: 2 ** 31 }),
      C: fc.constantFrom(1e-6, 1e-2, 1, 100, 1e6),
      bits: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ rows, width, seed, C, bits }) => {
        const input = random(rows, width, seed);
        if (bits)
          input.features.values.forEach((value, at) => {
            input.features.values[at] = value < 128 ? 0 : 255;
          });
        const { optimum } = (await referenceTrainer({ C }).train(input)).report;
        const found = gradientNorm(input, [...optimum.weights, optimum.bias], C);
        assert(found <= 1e-9 * Math.max(optimum.startNorm, 1), `${found} of ${optimum.startNorm}`);
      }),
      { numRuns: 200 },
    );
  });

  it('makes the same bits where Newton has to halve its steps (golden hash)', async () => {
    const { optimum } = (await referenceTrainer({ C: 1e6 }).train(random(30, 12, 348_436))).report;
    assert.equal(
      sha256(new Uint8Array(Float64Array.of(...optimum.weights, optimum.bias).buffer)),
      'cfa2008f28500d8a63ed8b0157f7979ea6a4ac84a9d2ba5390cbab55ed0ae54f',
    );
  });

  it('tells its progress, down to the tolerance', async () => {
    const seen: number[] = [];
    await referenceTrainer().train({
      ...random(50, 5, 3),
      onProgress: ({ value }) => seen.push(value!),
    });
    assert(seen.length > 2 && seen[0] === 1 && seen.at(-1)! <= 1e-11);
  });

  it('stops when asked to', async () => {
    const abort = new AbortController();
    const input = { ...random(50, 5, 3), signal: abort.signal, onProgress: () => abort.abort() };
    await assert.rejects(referenceTrainer().train(input), { kind: 'retryable', code: 'TRAIN_ABORTED' });
  });

  it('refuses one class, too many features and a C out of range', async () => {
    const input = random(10, 3, 3);
    for (const label of [0, 1]) {
      const labels = new Uint8Array(10).fill(label);
      await assert.rejects(referenceTrainer().train({ ...input, labels }), {
        kind: 'terminal',
        code: 'TRAIN_ONE_CLASS',
      });
    }
    await assert.rejects(referenceTrainer().train(random(2, 4097, 3)), { kind: 'terminal', code: 'TRAIN_TOO_WIDE' });
    for (const C of [0, -1, Number.NaN, 1e7]) {
      assert.throws(() => referenceTrainer({ C }), { kind: 'configuration', code: 'TRAIN_C_INVALID' });
    }
  });
});

describe('quantiseLinear', () => {
  const model = (weights: number[], bias: number): LinearModel =>
    quantiseLinear({ weights: Float64Array.from(weights), bias }, HASH);

  it('takes the largest scale at which no score of bytes reaches 2^25', () => {
    const weight = fc.double({ noNaN: true, min: -1e4, max: 1e4 });
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 9 }), weight, (weights, bias) => {
        const found = model(weights, bias);
        const reachAt = (scale: number) => {
          const round = (value: number) => Math.abs(Math.floor(value * 2 ** scale + 0.5));
          return weights.reduce((reach, value) => reach + 255 * round(value), round(255 * bias));
        };
        assert(reachAt(found.scale) < 2 ** 25 && reachAt(found.scale) === reachOf(found));
        assert(found.scale === 60 || reachAt(found.scale + 1) >= 2 ** 25);
        for (const [at, integer] of found.weights.entries()) {
          assert(Math.abs(integer - weights[at]! * 2 ** found.scale) <= 0.5 && !Object.is(integer, -0));
        }
      }),
    );
  });

  it('knows a model of zeros and one whose bias decides the scale', () => {
    assert.deepEqual(model([0, 0], 0), {
      version: 1,
      family: 'linear',
      weights: [0, 0],
      bias: 0,
      scale: 60,
      quantiserHash: HASH,
    });
    assert.deepEqual(model([1e-9], 1), { ...model([0], 0), weights: [0], bias: 255 * 2 ** 17, scale: 17 });
  });
});

describe('predict', () => {
  it('agrees with BigInt, with class 0 at a tie', () => {
    const problem = fc.integer({ min: 1, max: 6 }).chain((width) =>
      fc.record({
        weights: fc.array(fc.integer({ min: -32767, max: 32767 }), { minLength: width, maxLength: width }),
        bias: fc.oneof(fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), fc.constantFrom(0, -255, 255)),
        rows: fc.array(fc.array(fc.constantFrom(0, 1, 128, 255), { minLength: width, maxLength: width }), {
          minLength: 1,
        }),
      }),
    );
    fc.assert(
      fc.property(problem, ({ weights, bias, rows }) => {
        const values = Uint8Array.from(weights.flatMap((_, at) => rows.map((row) => row[at]!)));
        const features = { rows: rows.length, columns: weights.map(String), values };
        const said = predict({ version: 1, family: 'linear', weights, bias, scale: 0, quantiserHash: HASH }, features);
        const expected = rows.map(
          (row) => row.reduce((sum, x, at) => sum + BigInt(x) * BigInt(weights[at]!), BigInt(bias)) > 0n,
        );
        assert.deepEqual([...said], expected.map(Number));
      }),
    );
    const tie = { version: 1, family: 'linear', weights: [1], bias: -255, scale: 0, quantiserHash: HASH } as const;
    assert.deepEqual(
      [...predict({ ...tie, weights: [1] }, { rows: 1, columns: ['x'], values: Uint8Array.of(255) })],
      [0],
    );
  });

  it('refuses features of another quantiser', () => {
    const { features } = random(5, 3, 3);
    const model = quantiseLinear({ weights: Float64Array.of(1, 2), bias: 0 }, HASH);
    assert.throws(() => predict(model, features), { kind: 'terminal', code: 'MODEL_MISFIT' });
  });
});

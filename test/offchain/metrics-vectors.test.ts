import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { HokusaiError } from '../../offchain/errors.ts';
import { measureOf } from '../../offchain/metrics/measure.ts';
import { METRIC_NAMES, namedMetrics } from '../../offchain/metrics/names.ts';
import { descending } from '../../offchain/metrics/ranking.ts';
import type { ClassRows, NumberRows, Rows } from '../../offchain/metrics/rows.ts';
import { sumOf } from '../../offchain/metrics/sum.ts';
import { casesIn, METRIC_CASES, MILLION, millionRows, rowsOf, SCIKIT_LEARN } from '../vectors/metrics.ts';

/** Relative to what is expected, and to 1 where that is small. */
function assertNear(actual: number, expected: number, what: string): void {
  const near = Object.is(actual, expected) || Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
  assert.ok(near, `${what}: ${actual} instead of ${expected}`);
}

function assertValues(actual: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) assertNear(actual[name]!, value, name);
}

describe('metrics agree with scikit-learn to 1e-9', () => {
  for (const given of METRIC_CASES) {
    it(`of ${given.name}`, () => assertValues(measureOf(rowsOf(given))(given.weights), given.expected));
  }

  it('of a million rows', () => {
    for (const [name, rows] of Object.entries(millionRows())) assertValues(measureOf(rows)(), MILLION[name]!);
  });
});

describe('the table of cases', () => {
  const python = process.env.HOKUSAI_PYTHON ?? 'python3';
  const { stdout } = spawnSync(python, ['-c', 'import sklearn; print(sklearn.__version__)'], { encoding: 'utf8' });
  const found = stdout?.trim() || 'none';
  const skip = found === SCIKIT_LEARN ? false : `it takes scikit-learn ${SCIKIT_LEARN}, and ${python} has ${found}`;

  it('is what scikit-learn says', { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'hokusai-vectors-'));
    try {
      const file = join(folder, 'metrics.json');
      const script = fileURLToPath(new URL('../../scripts/metrics_vectors.py', import.meta.url));
      execFileSync(python, [script, file]);
      for (const [i, again] of casesIn(file).entries()) {
        assert.deepEqual([again.name, again.labels], [METRIC_CASES[i]!.name, METRIC_CASES[i]!.labels]);
        assertValues(again.expected, METRIC_CASES[i]!.expected);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Rows of 2 to 4 classes with integer scores, of which many are equal. */
const classRows: fc.Arbitrary<ClassRows> = fc
  .tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 30 }))
  .chain(([classes, n]) => {
    const column = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: n, maxLength: n });
    const classOf = fc.array(fc.nat(classes - 1), { minLength: n, maxLength: n });
    const vectors = classes === 2 ? 1 : classes;
    return fc.record({
      classes: fc.constant(classes),
      labels: classOf.map((values) => Uint8Array.from(values)),
      predictions: classOf.map((values) => Uint8Array.from(values)),
      scores: fc.array(
        column.map((values) => Float64Array.from(values)),
        { minLength: vectors, maxLength: vectors },
      ),
    });
  });

const withProbabilities = (rows: ClassRows): ClassRows => {
  const exps = rows.scores!.map((column) => column.map((score) => 2 ** score));
  const total = (row: number) => exps.reduce((sum, column) => sum + column[row]!, rows.classes === 2 ? 1 : 0);
  return { ...rows, probabilities: exps.map((column) => column.map((value, row) => value / total(row))) };
};

const permuted = (rows: ClassRows, order: readonly number[]): ClassRows => ({
  ...rows,
  labels: Uint8Array.from(order, (row) => rows.labels[row]!),
  predictions: Uint8Array.from(order, (row) => rows.predictions[row]!),
  scores: rows.scores!.map((column) => Float64Array.from(order, (row) => column[row]!)),
});

describe('metrics', () => {
  it('do not depend on the order of the rows', () => {
    const cases = classRows.chain((rows) => {
      const all = Array.from(rows.labels.keys());
      return fc.tuple(fc.constant(rows), fc.shuffledSubarray(all, { minLength: all.length }));
    });
    fc.assert(
      fc.property(cases, ([rows, order]) => {
        const [one, other] = [rows, permuted(rows, order)].map((given) => measureOf(withProbabilities(given))());
        assertValues(other!, one!);
      }),
    );
  });

  it('take a row that counts three times for three rows, and one that counts never for none', () => {
    const cases = classRows.chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc
          .array(fc.nat(3), { minLength: rows.labels.length, maxLength: rows.labels.length })
          .filter((weights) => weights.some((weight) => weight > 0)),
      ),
    );
    fc.assert(
      fc.property(cases, ([rows, weights]) => {
        const taken = weights.flatMap((weight, row) => new Array<number>(weight).fill(row));
        const expected = measureOf(withProbabilities(permuted(rows, taken)))();
        assertValues(measureOf(withProbabilities(rows))(weights), expected);
      }),
    );
  });

  it('have the area under the curve that its definition has: pairs in the right order, and half of the tied ones', () => {
    fc.assert(
      fc.property(classRows, ({ classes, labels, scores }) => {
        const values = measureOf({ classes, labels, predictions: labels, scores: scores! })();
        const areas = scores!.map((column, at) => {
          const positive = classes === 2 ? 1 : at;
          let [pairs, wins] = [0, 0];
          for (const [i, a] of column.entries()) {
            for (const [j, b] of column.entries()) {
              if (labels[i] !== positive || labels[j] === positive) continue;
              pairs++;
              wins += a > b ? 1 : a === b ? 0.5 : 0;
            }
          }
          return wins / pairs;
        });
        const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
        assertNear(classes === 2 ? values.auroc! : values.auroc_macro!, mean, 'auroc');
      }),
    );
  });

  it('rank any doubles as the comparison of them does', () => {
    const wide = fc.array(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 1)));
    // Of such all high bits are alike, and only lower ones tell them apart.
    const narrow = fc.array(fc.double({ min: 0.5, max: 0.5 + 1e-9, noNaN: true }));
    const negative = fc.array(fc.double({ min: -1 - 1e-12, max: -1 + 1e-12, noNaN: true }));
    fc.assert(
      fc.property(fc.oneof(wide, narrow, negative), (list) => {
        const expected = list.map((_, row) => row).sort((a, b) => list[b]! - list[a]! || a - b);
        const { order, ends } = descending(Float64Array.from(list));
        assert.deepEqual([...order], expected);
        const changes = expected.flatMap((row, i) => (list[row] === list[expected[i + 1]!] ? [] : [i + 1]));
        assert.deepEqual([...ends], changes);
      }),
    );
  });

  it('sum without losing what is small beside the sum', () => {
    const terms = [1, 1e100, 1, -1e100];
    assert.equal(
      sumOf(4, (i) => terms[i]!),
      2,
    );
    assert.equal(
      sumOf(2, () => 1e308),
      Number.POSITIVE_INFINITY,
    );
  });
});

const problems = (rows: Rows): unknown => {
  let thrown: HokusaiError | undefined;
  try {
    measureOf(rows);
  } catch (error) {
    thrown = error as HokusaiError;
  }
  assert.equal(thrown?.code, 'METRIC_ROWS');
  return thrown.details.problems;
};

describe('namedMetrics', () => {
  it('takes a name without an average for the positive class of two, and for the macro average of more', () => {
    const python = ['accuracy', 'precision', 'recall', 'f1_score', 'auroc'];
    assert.deepEqual(namedMetrics(python, 2), ['accuracy', 'precision', 'recall', 'f1', 'auroc']);
    assert.deepEqual(namedMetrics(python, 3), [
      'accuracy',
      'precision_macro',
      'recall_macro',
      'f1_macro',
      'auroc_macro',
    ]);
    assert.deepEqual(namedMetrics(['f1', 'f1_macro', 'f1_score', 'f1_score_weighted'], 3), ['f1_macro', 'f1_weighted']);
    assert.deepEqual(namedMetrics(['auroc_weighted', 'auroc', 'f1_score_micro'], 2), ['auroc', 'f1_micro']);
  });

  it('names all that there is', () => {
    for (const given of METRIC_CASES) {
      const { classes = 0, scores, probabilities, expected } = given;
      if (classes > 0 && !(scores && probabilities)) continue;
      const task = classes === 0 ? 'regression' : 'classification';
      assert.deepEqual(namedMetrics(METRIC_NAMES[task], classes).sort(), Object.keys(expected).sort(), given.name);
    }
  });
});

describe('metrics refuse', () => {
  it('NaN, infinity, classes that do not exist and vectors of other lengths, all at once', () => {
    const rows: ClassRows = {
      classes: 3,
      labels: Uint8Array.of(0, 3, 1),
      predictions: Uint8Array.of(0, 7),
      scores: [Float64Array.of(1, NaN, 1), Float64Array.of(1, 2, Number.NEGATIVE_INFINITY)],
      probabilities: [Float64Array.of(0.5, 1.5, 0), Float64Array.of(-0.1, 0, 0), Float64Array.of(0, 0)],
    };
    assert.deepEqual(problems(rows), [
      '1 labels are no class below 3',
      '1 predictions are no class below 3',
      '2 vectors of scores instead of 3',
      '2 scores are not finite',
      '3 labels and 2 probabilities of vector 2',
      '2 probabilities are not within 0..1',
      '3 labels and 2 predictions',
    ]);
  });

  it('numbers that are none, and no rows', () => {
    const numbers = (labels: number[], predictions: number[]): NumberRows => ({
      labels: Float64Array.from(labels),
      predictions: Float64Array.from(predictions),
    });
    assert.deepEqual(problems(numbers([1, NaN], [1, 2])), ['1 labels are not finite']);
    assert.deepEqual(problems(numbers([1], [Number.POSITIVE_INFINITY])), ['1 predictions are not finite']);
    assert.deepEqual(problems(numbers([], [])), ['there are no rows']);
  });
});

/** What `--expectations` writes, without Great Expectations, and as the package itself (tried with 1.24.1) reads and counts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { expectations } from '../../offchain/data/expectations.ts';
import { inspecting, scratch } from './data-tables.ts';

const { write } = scratch();
const plan = (i: number) => (i % 53 === 0 ? 'gold' : ['basic', 'plus', 'pro'][i % 3]);
const rows = Array.from(
  { length: 300 },
  (_, i) => `${i % 297},${i % 41 === 0 ? 130 : 20 + (i % 60)},${plan(i)},code ${i % 9 === 0 ? 'x' : i},${i % 2}\n`,
);
const table = write(`id,age,plan,code,label\n${rows.join('')}`);
const RULES = `version: 1
label: label
columns:
  id: { type: integer, unique: true, nullable: false }
  age: { type: integer, min: 0, max: 120 }
  plan: { type: text, allowed: [basic, plus, pro] }
  code: { type: text, pattern: "code [0-9]+", min_length: 7, max_length: 20 }
  label: { type: integer }
`;
const exported = async () =>
  inspecting(table, { schema: write(RULES, 'rules.yaml') }, (inspection) => expectations(inspection)) as Promise<{
    success: boolean;
    results: {
      success: boolean;
      expectation_config: { type: string; kwargs: Record<string, unknown> };
      result: { element_count: number; missing_count: number; unexpected_count: number };
    }[];
    statistics: Record<string, number>;
  }>;

/** Reads the export, makes each expectation anew, and has the package validate the same file by them. */
const SCRIPT = `
import json, sys
import great_expectations as gx
from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema as schema
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render.renderer import ValidationResultsPageRenderer
given = json.load(sys.stdin)
result = schema.load(given)
assert ValidationResultsPageRenderer().render(result)
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
batch = context.data_sources.add_pandas("p").add_csv_asset("t", filepath_or_buffer=sys.argv[1]).add_batch_definition("b").get_batch()
counts = []
for one in given["results"]:
    config = one["expectation_config"]
    kwargs = dict(config["kwargs"])
    if config["type"] == "expect_column_values_to_be_of_type": kwargs["type_"] = "int64"
    found = batch.validate(ExpectationConfiguration(type=config["type"], kwargs=kwargs).to_domain_obj())
    counts.append([config["type"], found.success, found.result.get("unexpected_count", 0)])
print(json.dumps([gx.__version__, counts]))
`;

describe('an export for Great Expectations', () => {
  it('has a result for each check, with the names and counts that its reader looks for', async () => {
    const { success, results, statistics } = await exported();
    const counts = results.map(({ expectation_config: { type, kwargs }, result }) => [
      type.replace(/^expect_column_/, ''),
      kwargs.column,
      result.unexpected_count,
    ]);
    assert.deepEqual(counts, [
      ['values_to_not_be_null', 'id', 0],
      ['values_to_be_of_type', 'id', 0],
      ['values_to_be_unique', 'id', 6],
      ['values_to_be_of_type', 'age', 0],
      ['values_to_be_between', 'age', 8],
      ['values_to_be_in_set', 'plan', 6],
      ['values_to_match_regex', 'code', 34],
      ['value_lengths_to_be_between', 'code', 42],
      ['values_to_be_of_type', 'label', 0],
    ]);
    for (const { result } of results) assert.deepEqual([result.element_count, result.missing_count], [300, 0]);
    assert.equal(success, false);
    assert.deepEqual(statistics, {
      evaluated_expectations: 9,
      successful_expectations: 4,
      unsuccessful_expectations: 5,
      success_percent: (100 * 4) / 9,
    });
  });

  const python = process.env.HOKUSAI_PYTHON;
  const look = 'import importlib.util as u, sys; sys.exit(u.find_spec("great_expectations") is None)';
  const has = python && spawnSync(python, ['-c', look]).status === 0;
  const skip = !has && 'HOKUSAI_PYTHON names no Python that has great_expectations';
  it('is read by the package, which counts the same', { skip }, async () => {
    const given = await exported();
    const { status, stdout, stderr } = spawnSync(python!, ['-c', SCRIPT, table], {
      input: JSON.stringify(given),
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    const [, counts] = JSON.parse(stdout.trim().split('\n').at(-1)!);
    assert.deepEqual(
      counts,
      given.results.map(({ expectation_config: { type }, success, result }) => [
        type,
        success,
        result.unexpected_count,
      ]),
    );
  });
});

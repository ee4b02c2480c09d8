import type { Inspection } from './inspect.ts';

/** The checks of an inspection as Great Expectations 1.x writes the result of a validation. */
export function expectations({ table, checked }: Inspection): Record<string, unknown> {
  const results = checked.results.map(({ column, expectation, kwargs, count, rows }) => {
    const { present } = table.profile[table.names.indexOf(column)]!;
    const elements = expectation === 'expect_column_values_to_not_be_null' ? table.rows : present;
    return {
      success: count === 0,
      expectation_config: { type: expectation, kwargs, meta: {} },
      result: {
        element_count: table.rows,
        missing_count: table.rows - present,
        missing_percent: (100 * (table.rows - present)) / table.rows,
        unexpected_count: count,
        unexpected_percent: elements === 0 ? 0 : (100 * count) / elements,
        partial_unexpected_index_list: rows.slice(0, 20),
      },
      meta: {},
      exception_info: { raised_exception: false, exception_message: null, exception_traceback: null },
    };
  });
  const columns = checked.absent.map((column) => ({
    success: false,
    expectation_config: { type: 'expect_column_to_exist', kwargs: { column }, meta: {} },
    result: {},
    meta: {},
    exception_info: { raised_exception: false, exception_message: null, exception_traceback: null },
  }));
  const all = [...columns, ...results];
  const successful = all.filter(({ success }) => success).length;
  return {
    success: successful === all.length,
    results: all,
    suite_name: table.path,
    suite_parameters: {},
    statistics: {
      evaluated_expectations: all.length,
      successful_expectations: successful,
      unsuccessful_expectations: all.length - successful,
      success_percent: all.length === 0 ? null : (100 * successful) / all.length,
    },
    meta: {},
    id: null,
  };
}

/** The metrics that there are for people, by the names under which a configuration asks for them. */
const AVERAGES = ['macro', 'micro', 'weighted'] as const;
const averaged = <Name extends string>(name: Name) =>
  [name, ...AVERAGES.map((average) => `${name}_${average}` as const)] as const;

/** `f1_score` is what the Python pipeline calls `f1`. */
export const METRIC_NAMES = {
  classification: [
    'accuracy',
    ...averaged('precision'),
    ...averaged('recall'),
    ...averaged('f1'),
    ...averaged('f1_score'),
    ...(['auroc', 'auroc_macro', 'auroc_weighted', 'log_loss'] as const),
  ],
  regression: ['mse', 'mae', 'r2', 'mape'],
} as const;

/** Metrics of which less is better. */
export const LESS_IS_BETTER: ReadonlySet<string> = new Set(['log_loss', 'mse', 'mae', 'mape']);

/**
 * The metrics that names mean of a label of so many classes, each once: a name without an average is of the positive class
 * of two classes, and of more the macro average. Of two classes AUROC has no average.
 *
 * @param classes - 0 of a number
 */
export function namedMetrics(names: readonly string[], classes: number): string[] {
  const meant = names.map((name) => {
    const own = name.replace('f1_score', 'f1');
    if (classes === 2) return own.startsWith('auroc') ? 'auroc' : own;
    return ['precision', 'recall', 'f1', 'auroc'].includes(own) ? `${own}_macro` : own;
  });
  return [...new Set(meant)];
}

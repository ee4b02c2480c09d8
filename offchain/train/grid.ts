import type { ReferenceSpec } from './spec.ts';

/** What is trained on one part of the rows and scored on the other. */
export interface Task {
  readonly point: number;
  readonly fold: number;
}

/** The specifications that a search tries, in the order of scikit-learn's ParameterGrid; the one there is without a search. */
export function pointsOf(spec: ReferenceSpec): ReferenceSpec[] {
  const { search, ...own } = spec;
  if (!search) return [spec];
  const grid = Object.entries(search.param_grid).sort(([a], [b]) => (a < b ? -1 : 1));
  const points = grid.reduce<Record<string, unknown>[]>(
    (all, [name, values]) => all.flatMap((point) => values.map((value) => ({ ...point, [name]: value }))),
    [{}],
  );
  return points.map(
    (point) => ({ ...own, hyperparameters: { ...own.hyperparameters, ...point } }) as unknown as ReferenceSpec,
  );
}

/** The fold that a row is in, by its key: always the same. */
export const foldOf = (key: number, folds: number): number => key % folds;

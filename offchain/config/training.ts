import { dirname, isAbsolute, normalize, resolve } from 'node:path';
import { z } from 'zod';
import { nearestFirst } from '../nearest.ts';
import type { Task } from '../table/label.ts';
import { NETWORKS, type NetworkType, RUNTIME, taskOfNetwork } from '../train/network-spec.ts';
import {
  ESTIMATORS,
  HYPERPARAMETERS,
  type Json,
  MODEL_TYPES,
  type ModelType,
  type TrainSpec,
  taskOf,
} from '../train/spec.ts';
import { DEFAULTS } from './defaults.ts';
import { DAY, int, text } from './values.ts';

const zFramework = <Name extends string>(name: Name) =>
  z
    .literal(name)
    .describe(
      'Trainer: "reference" gives the same bits on every machine, and what its models predict can be proven; "scikit-learn", "pytorch", "tensorflow" and "command" (any program) are described in docs/frameworks.md. Default: "reference".',
    );

/** Points of a grid at most, and values of one hyperparameter. */
const MOST_POINTS = 200;
const MOST_VALUES = 50;

/** Of each hyperparameter that is named the values to try. */
const zSearchOf = <Shape extends z.ZodRawShape>(hyperparameters: z.ZodObject<Shape, z.core.$strict>) =>
  z.strictObject({
    cv: int().min(2).max(20).default(DEFAULTS.cv).describe('Folds. A row is in the same one for good.'),
    param_grid: z
      .strictObject(
        Object.fromEntries(
          Object.entries(hyperparameters.shape).map(([name, of]) => [
            name,
            z
              .array(of as z.ZodType)
              .min(1)
              .max(MOST_VALUES)
              .optional(),
          ]),
        ),
      )
      .superRefine((grid, context) => {
        if (context.issues.length > 0) return;
        const points = Object.values(grid).reduce<number>((all, values) => all * (values as unknown[]).length, 1);
        if (Object.keys(grid).length === 0)
          context.addIssue('name the hyperparameters to choose, each with its values');
        if (points > MOST_POINTS) context.addIssue(`${points} points, at most ${MOST_POINTS} are tried`);
      })
      .describe('Values to try by the names of hyperparameters, at most 200 points in all.'),
  });

const SEARCH_MEANS =
  'Hyperparameters that are chosen anew for each training set by cross-validation and policy.metric, such as { cv: 5, param_grid: { C: [0.1, 1, 10] } }; null for none.';

const zTrainingOf = <Type extends ModelType, Shape extends z.ZodRawShape>(
  type: Type,
  hyperparameters: z.ZodObject<Shape, z.core.$strict>,
) =>
  z.strictObject({
    framework: zFramework('reference'),
    model_type: z
      .literal(type)
      .describe(
        `Kind of model: ${MODEL_TYPES.map((one) => `${one} for a ${taskOf(one)}`).join(', ')}. Default: ${JSON.stringify(DEFAULTS.modelType)}.`,
      ),
    hyperparameters: z
      .preprocess((given) => (given === undefined ? {} : given), hyperparameters)
      .describe("Of the model type, by scikit-learn's names."),
    search: zSearchOf(hyperparameters).nullable().default(null).describe(SEARCH_MEANS),
  });

const H = HYPERPARAMETERS;
const zReference = z.discriminatedUnion(
  'model_type',
  [
    zTrainingOf('LinearSVC', H.LinearSVC),
    zTrainingOf('LogisticRegression', H.LogisticRegression),
    zTrainingOf('Ridge', H.Ridge),
    zTrainingOf('RandomForestClassifier', H.RandomForestClassifier),
    zTrainingOf('RandomForestRegressor', H.RandomForestRegressor),
    zTrainingOf('GradientBoostingClassifier', H.GradientBoostingClassifier),
    zTrainingOf('GradientBoostingRegressor', H.GradientBoostingRegressor),
    zTrainingOf('MLPClassifier', H.MLPClassifier),
  ],
  { error: ({ code }) => (code === 'invalid_union' ? `expected one of ${MODEL_TYPES.join(', ')}` : undefined) },
);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const zJson: z.ZodType<Json> = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.lazy(() => zJson))]);

/** What every program of another framework is given. */
const limits = {
  timeout: int()
    .min(1)
    .max(30 * DAY)
    .default(3_600)
    .describe('Seconds that it may take.'),
  memory: int()
    .min(256)
    .max(2 ** 22)
    .default(16_384)
    .describe('Megabytes of address space that it may take.'),
  readable: z.array(text).default([]).describe('Further files and folders that it may read.'),
};
const hyperparameters = z.record(text, zJson).default({}).describe('Named by the framework, which checks them.');
const zScikitLearn = z.strictObject({
  framework: zFramework('scikit-learn'),
  model_type: z
    .enum(Object.keys(ESTIMATORS), {
      error: ({ input }) =>
        `no estimator that is known; did you mean ${nearestFirst(String(input), Object.keys(ESTIMATORS))[0]}?`,
    })
    .describe('An estimator of scikit-learn.'),
  python: text.optional().describe('A Python that has the packages, instead of an environment of our own.'),
  hyperparameters,
  ...limits,
});

const zNetworkOf = <Type extends NetworkType, Keys extends z.ZodRawShape>(type: Type, keys: Keys) =>
  z.strictObject({
    model_type: z.literal(type).describe(`Kind of network, for a ${taskOfNetwork(type)}.`),
    hyperparameters: z
      .preprocess((given) => (given === undefined ? {} : given), NETWORKS[type])
      .describe('Of the network, the same for pytorch and tensorflow.'),
    ...keys,
    ...limits,
  });
/** One of these types of network, or an error that names them. */
const otherType = (framework: string, types: readonly string[]): { error: z.core.$ZodErrorMap } => ({
  error: ({ code, input }) => {
    if (code !== 'invalid_union') return undefined;
    const nearest = nearestFirst(String((input as Record<string, unknown>).model_type), types)[0];
    return `${framework} trains ${types.join(', ')}; did you mean ${nearest}?`;
  },
});
const pytorch = {
  framework: zFramework('pytorch'),
  python: text.optional().describe('A Python that has PyTorch; HOKUSAI_PYTHON is asked otherwise.'),
  ...RUNTIME.pytorch,
};
const module = text
  .refine((path) => !isAbsolute(path) && !normalize(path).startsWith('..') && path.endsWith('.py'), {
    error: 'expected a .py file in the folder of this configuration',
  })
  .describe('The file of the function build(inputs, outputs) that gives the network.');
const zPyTorch = z.discriminatedUnion(
  'model_type',
  [
    zNetworkOf('MLPClassifier', pytorch),
    zNetworkOf('MLPRegressor', pytorch),
    zNetworkOf('NeuralNetClassifier', { ...pytorch, module }),
    zNetworkOf('NeuralNetRegressor', { ...pytorch, module }),
  ],
  otherType('pytorch', Object.keys(NETWORKS)),
);
const tensorflow = { framework: zFramework('tensorflow'), ...RUNTIME.tensorflow };
const zTensorFlow = z.discriminatedUnion(
  'model_type',
  [zNetworkOf('MLPClassifier', tensorflow), zNetworkOf('MLPRegressor', tensorflow)],
  otherType('tensorflow', ['MLPClassifier', 'MLPRegressor']),
);
const zCommand = z.strictObject({
  framework: zFramework('command'),
  model_type: text.describe('What the owner calls it.'),
  task: z.enum(['classification', 'regression']).default('classification').describe('What the models are for.'),
  command: z.array(text).min(1).describe('The program and its arguments.'),
  hyperparameters,
  ...limits,
});

/** The framework, and of our own the type of model, decide what else there is to say. */
export const zTraining = z.preprocess(
  (given) => (isRecord(given) ? { framework: 'reference', model_type: DEFAULTS.modelType, ...given } : given),
  z.discriminatedUnion('framework', [zReference, zScikitLearn, zPyTorch, zTensorFlow, zCommand], {
    error: ({ code, input }) => {
      if (code !== 'invalid_union') return undefined;
      const nearest = nearestFirst(String((input as Record<string, unknown>).framework), FRAMEWORKS)[0];
      return `expected one of ${FRAMEWORKS.join(', ')}; did you mean ${nearest}?`;
    },
  }),
);
const FRAMEWORKS = ['reference', 'scikit-learn', 'pytorch', 'tensorflow', 'command'];

/** What a configuration's models are for. */
export function taskOfTraining(training: z.infer<typeof zTraining>): Task {
  switch (training.framework) {
    case 'reference':
      return taskOf(training.model_type);
    case 'scikit-learn':
      return ESTIMATORS[training.model_type]![1];
    case 'command':
      return training.task;
    default:
      return taskOfNetwork(training.model_type);
  }
}

/**
 * How a model line learns, with absolute paths; those of a program and what it reads are relative to the file.
 *
 * @param runs the folder that runs and secrets are in
 */
export function toTraining(training: z.infer<typeof zTraining>, file: string, runs: string): TrainSpec {
  if (training.framework === 'reference') {
    const { framework, model_type: modelType, hyperparameters, search } = training;
    return { framework, modelType, hyperparameters, ...(search && { search }) } as TrainSpec;
  }
  const { framework, model_type: modelType, hyperparameters, timeout, memory, readable } = training;
  const home = dirname(file);
  const beside = (path: string) => (path.includes('/') ? resolve(home, path) : path);
  return {
    ...{ framework, modelType, hyperparameters, task: taskOfTraining(training), timeout },
    // The owner's program lies beside the configuration, and so do runs with their secrets; scripts of ours need neither.
    readable: [...(framework === 'command' ? [home] : []), ...readable.map((path) => resolve(home, path))],
    ...(framework === 'command' && { hidden: [runs] }),
    memory: memory * 2 ** 20,
    ...('command' in training && { command: [beside(training.command[0]!), ...training.command.slice(1)] }),
    ...('python' in training && training.python && { python: beside(training.python) }),
    ...('precision' in training && { runtime: runtimeOf(training) }),
    ...('module' in training && { module: resolve(home, training.module) }),
  };
}

/** What a network is computed with, by the keys of its framework. */
function runtimeOf(training: Extract<z.infer<typeof zTraining>, { framework: keyof typeof RUNTIME }>) {
  return Object.fromEntries(
    Object.keys(RUNTIME[training.framework]).map((key) => [key, training[key as keyof typeof training] as string]),
  );
}

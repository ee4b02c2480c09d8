/** Our own models, as a run leaves them in models/: integers, so what they predict can be proven. */
import { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import { classesOf } from '../table/label.ts';
import { featuresOf } from '../table/quantise.ts';
import { LEAF_LIMIT, MOST_VOTED_CLASSES } from '../train/forest-model.ts';
import { reachOf, SCORE_LIMIT } from '../train/linear.ts';
import { SUM_LIMIT } from '../train/linear-regression.ts';
import type { Model } from '../train/model.ts';
import type { Imported, Loader } from './predict.ts';

const below = (limit: number) =>
  z
    .int()
    .gt(-limit)
    .lt(limit)
    .refine((value) => !Object.is(value, -0), 'is -0');
const ours = { version: z.literal(1), quantiserHash: z.string().regex(/^0x[0-9a-f]{64}$/) };
const scale = z.int().min(-60).max(60);
const unit = z.strictObject({ weights: z.array(below(2 ** 11)), bias: below(2 ** 21) });
const tree = z.strictObject({ features: z.array(z.int().min(-1)).min(1), values: z.array(below(LEAF_LIMIT)).min(1) });

/** By the limits that each family's commitment and circuit have. */
const zOwn = z.discriminatedUnion('family', [
  z.strictObject({
    ...{ ...ours, family: z.literal('linear'), scale },
    ...{ weights: z.array(below(SCORE_LIMIT)), bias: below(SCORE_LIMIT) },
  }),
  z.strictObject({
    ...{ ...ours, family: z.literal('linear-regression') },
    ...{ weights: z.array(below(SUM_LIMIT)), bias: below(SUM_LIMIT) },
  }),
  z.strictObject({
    ...{ ...ours, family: z.literal('dense'), scale },
    ...{ hidden: z.array(unit).max(256), outputs: z.array(unit).min(1).max(256) },
  }),
  z.strictObject({
    ...{ ...ours, family: z.literal('forest'), output: z.enum(['votes', 'sum']), width: z.int().min(1) },
    ...{ classes: z.int().min(0).max(MOST_VOTED_CLASSES), bias: below(2 ** 31), trees: z.array(tree).min(1).max(1000) },
  }),
]);
type Own = z.infer<typeof zOwn>;

/** @throws HokusaiError `configuration` BASELINE_INVALID with all problems */
export const loadOwn: Loader = async (imported) => {
  const parsed = zOwn.safeParse(jsonOf(imported.bytes));
  const problems = parsed.success
    ? misfits(parsed.data, imported)
    : parsed.error.issues.slice(0, 20).map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  if (parsed.success && problems.length === 0) return parsed.data as Model;
  const text = `The baseline ${imported.name} cannot be used: ${problems.join('; ')}.`;
  throw new HokusaiError('configuration', 'BASELINE_INVALID', text, {
    details: { name: imported.name, problems },
    next: 'Name a model that a run of this line left in models/, of the training.model_type that the configuration has.',
  });
};

/** What a file says; undefined where it is no JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What does not fit the line: its circuit is the same for all of its models. */
function misfits(model: Own, { shape, quantiser, quantiserHash, schema }: Imported): string[] {
  const classes = classesOf(schema.label);
  const inputs = featuresOf(quantiser).length;
  const problems: string[] = [];
  const wanted = (what: string, found: unknown, expected: unknown) => {
    if (found !== expected) problems.push(`${what} ${found}, expected ${expected}`);
  };
  wanted('family', model.family, shape.family);
  wanted('quantiserHash', model.quantiserHash, quantiserHash);
  for (const width of new Set(widthsOf(model))) wanted('features', width, inputs);
  if (model.family === 'dense') {
    wanted('outputs', model.outputs.length, classes > 2 ? classes : 1);
    wanted('hidden units', model.hidden.length, shape.hidden ?? 0);
  }
  if (sumsTooLarge(model)) problems.push('a row could take a sum of it beyond the bits that circuits have for it');
  if (model.family === 'forest') {
    wanted('classes', model.classes, classes);
    const { trees = 0, depth = 0 } = shape;
    if (model.trees.length > trees) problems.push(`${model.trees.length} trees, expected at most ${trees}`);
    for (const [at, tree] of model.trees.entries()) problems.push(...treeProblems(tree, at, model, depth));
  }
  return problems.slice(0, 20);
}

function widthsOf(model: Own): number[] {
  if (model.family === 'forest') return [model.width];
  if (model.family !== 'dense') return [model.weights.length];
  const { hidden, outputs } = model;
  const first = hidden.length > 0 ? hidden : outputs;
  const widths = first.map(({ weights }) => weights.length);
  // Outputs behind hidden units read those.
  const behind = hidden.length > 0 && outputs.some(({ weights }) => weights.length !== hidden.length);
  return behind ? [...widths, -1] : widths;
}

type Dense = Extract<Own, { family: 'dense' }>;

/** Whether a row of bytes could take a sum beyond what there is for it; of a forest that follows from its other limits. */
function sumsTooLarge(model: Own): boolean {
  if (model.family === 'linear') return reachOf(model) >= SCORE_LIMIT;
  if (model.family === 'linear-regression') return reachOf(model) >= SUM_LIMIT;
  return model.family === 'dense' && denseSumsTooLarge(model);
}

/** Whether a row of bytes could take a hidden sum to 2^17 or an output to 2^21; see `DenseModel`. */
function denseSumsTooLarge({ hidden, outputs }: Dense): boolean {
  const bounds = ({ weights, bias }: Dense['outputs'][number], most: readonly number[]) => {
    const reach = (sign: number) =>
      weights.reduce((sum, weight, i) => sum + (weight * sign > 0 ? weight * (most[i] ?? 0) : 0), bias);
    return [reach(-1), reach(1)] as const;
  };
  const bytes = new Array<number>(hidden[0]?.weights.length ?? outputs[0]!.weights.length).fill(255);
  const inner = hidden.map((unit) => bounds(unit, bytes));
  const activations = inner.map(([, high]) => Math.max(high, 0) >> 7);
  const outer = outputs.map((unit) => bounds(unit, hidden.length > 0 ? activations : bytes));
  const beyond = (limit: number) => (bound: readonly [number, number]) => bound[0] <= -limit || bound[1] >= limit;
  return inner.some(beyond(2 ** 17)) || outer.some(beyond(2 ** 21));
}

type Forest = Extract<Own, { family: 'forest' }>;

/** Every node that splits has its two children in the list, and no more are there; see `Tree`. */
function treeProblems({ features, values }: Forest['trees'][number], at: number, model: Forest, depth: number) {
  const splits = features.filter((feature) => feature >= 0).length;
  const leaves = (value: number) => model.output === 'sum' || (value >= 0 && value < model.classes);
  const whole = features.length === values.length && features.length === 2 * splits + 1;
  const right = whole && features.every((feature, i) => rightNode(feature, values[i]!, model.width, leaves));
  if (!right) return [`tree ${at} is no tree of ${model.width} features`];
  const levels = depthOf(features);
  return levels <= depth ? [] : [`tree ${at} is ${levels} deep, expected at most ${depth}`];
}

const rightNode = (feature: number, value: number, width: number, leaf: (value: number) => boolean): boolean =>
  feature < 0 ? leaf(value) : feature < width && value >= 1 && value <= 255;

/** Levels of decisions; infinite where the list has not its nodes level by level. */
function depthOf(features: readonly number[]): number {
  let [start, end, depth] = [0, 1, 0];
  while (start < features.length) {
    const splits = features.slice(start, end).filter((feature) => feature >= 0).length;
    if (splits === 0) return end === features.length ? depth : Number.POSITIVE_INFINITY;
    [start, end, depth] = [end, end + 2 * splits, depth + 1];
    if (end > features.length) return Number.POSITIVE_INFINITY;
  }
  return depth;
}

/** All keys of a configuration as its schema has them: the one source of what `init` writes, of docs and of suggestions. */
import { z } from 'zod';
import { DEFAULTS } from './defaults.ts';
import { zConfigFile } from './schema.ts';

/** One key. */
export interface ConfigKey {
  /** Of the keys that lead to it; those of a list's items are below the list. */
  readonly path: readonly string[];
  /** What it is for, in sentences. */
  readonly means: string;
  /** What it takes; empty of a section and of what says so itself. */
  readonly takes: string;
  /** Where the file is silent. */
  readonly fallback?: unknown;
  readonly isSection: boolean;
}

interface JsonSchema {
  readonly [member: string]: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
}

/** Keys of a file with this training.framework and, where that has keys of its own, this training.model_type. */
export function knownKeys(modelType: unknown = DEFAULTS.modelType, framework: unknown = 'reference'): ConfigKey[] {
  const isMeant = ({ properties: { framework: name, model_type: type } = {} }: JsonSchema) =>
    name?.const === framework && (type?.const ?? modelType) === modelType;
  return below(schema(), [], (branches) => branches.find(isMeant));
}

/** What each kind of training takes, by its framework and, where it decides, its type of model. */
export function trainings(): { framework: string; modelType: string | undefined; keys: ConfigKey[] }[] {
  return branchesOf(schema().properties!.training!).map((branch) => {
    const { framework, model_type: type } = branch.properties!;
    const keys = below(branch, ['training'], () => undefined);
    return { framework: framework!.const as string, modelType: type?.const as string | undefined, keys };
  });
}

/** A whole number is a number that is looked at more closely. */
const schema = (): JsonSchema =>
  z.toJSONSchema(zConfigFile, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const { type, checks = [] } = zodSchema._zod.def;
      if (type === 'number' && checks.some(({ _zod }) => _zod.def.check === 'custom')) jsonSchema.type = 'integer';
    },
  }) as JsonSchema;

const branchesOf = ({ oneOf = [] }: JsonSchema): JsonSchema[] =>
  oneOf.flatMap((one) => (one.oneOf ? branchesOf(one) : [one]));

function below(
  { properties, items, ...given }: JsonSchema,
  path: readonly string[],
  choose: (branches: readonly JsonSchema[]) => JsonSchema | undefined,
): ConfigKey[] {
  const branch = choose(branchesOf(given));
  return Object.entries(branch?.properties ?? properties ?? items?.properties ?? {}).flatMap(([name, child]) => {
    const isSection = child.properties !== undefined || child.oneOf !== undefined;
    const key: ConfigKey = {
      path: [...path, name],
      means: String(child.description ?? ''),
      takes: isSection ? '' : takenBy(child),
      ...('default' in child && { fallback: child.default }),
      isSection,
    };
    return [key, ...below(child, key.path, choose)];
  });
}

/** In words, with bounds. */
function takenBy(node: JsonSchema): string {
  if (node.takes !== undefined) return String(node.takes);
  if (node.const !== undefined) return String(node.const);
  if (Array.isArray(node.enum)) return listed(node.enum.map(String));
  if (node.anyOf) return listed(node.anyOf.map(takenBy));
  if (node.type === 'null') return 'null';
  if (node.type === 'boolean') return 'true or false';
  if (node.type === 'array') return listTaken(node);
  if (node.type === 'integer') return `whole number${bounds(node)}`;
  if (node.type === 'number') return `number${bounds(node)}`;
  if (node.type === 'string')
    return node.maxLength === undefined ? 'text' : `text of up to ${node.maxLength} characters`;
  return 'keys and values';
}

function listTaken({ items, minItems, maxItems }: JsonSchema): string {
  const keys = Object.keys(items?.properties ?? {});
  const each = keys.length > 0 ? `keys ${keys.join(', ')}` : takenBy(items ?? {});
  const least = minItems === undefined ? '' : `at least ${minItems}`;
  const most = maxItems === undefined ? '' : `at most ${maxItems}`;
  const size =
    minItems !== undefined && minItems === maxItems ? `of ${minItems}` : [least, most].filter(Boolean).join(', ');
  return `list${size && ` (${size})`}, each: ${each}`;
}

function bounds({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  const words = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [`at most ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`]),
  ];
  return words.map((word) => `, ${word}`).join('');
}

/** Words of which one is meant. */
function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return names.length === 2 ? `either ${names.join(' or ')}` : `one of ${names.join(', ')}`;
}

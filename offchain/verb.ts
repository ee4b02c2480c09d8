/** A verb of a command: what it takes, what it says, and how its parameters are read, with all problems at once. */
import { parseArgs } from 'node:util';
import { type Address, getAddress, type Hex, isAddress, parseEther } from 'viem';
import { HokusaiError } from './errors.ts';
import { nearestFirst } from './nearest.ts';

/** An option, or, where it has a place, what is given without a name. */
export interface Parameter<Value> {
  /** undefined where the text is not what is expected. */
  readonly read: (text: string) => Exclude<Value, undefined> | undefined;
  /** What is expected, in words. */
  readonly expected: string;
  readonly required?: boolean;
  /** It has no value: it is there or not. */
  readonly flag?: boolean;
  /** Its value is a list, and it may be given again, which makes the list longer. */
  readonly many?: boolean;
  /** What it is called where it is given without a name. */
  readonly place?: string;
}

type Given<Takes> = { readonly [Name in keyof Takes]: Takes[Name] extends Parameter<infer Value> ? Value : never };

/** What a verb did, for people and for machines. */
export interface Answer {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** Whether what it was asked about did not pass: the exit code is 1. */
  readonly failed?: boolean;
}

/** Says something while a verb is at work, which is no part of its answer. */
export type Note = (text: string) => void;

export interface Verb {
  /** One line for the list of verbs. */
  readonly summary: string;
  /** What `--help` says after the first line. */
  readonly help: string;
  readonly takes: Readonly<Record<string, Parameter<unknown>>>;
  perform(given: Readonly<Record<string, unknown>>, note: Note): Promise<Answer>;
}

/** Lets `perform` know the types of what its verb takes. */
export const verb = <const Takes>(verb: {
  summary: string;
  help: string;
  takes: Takes;
  perform(given: Given<Takes>, note: Note): Promise<Answer>;
}): Verb => verb as unknown as Verb;

export const text: Parameter<string | undefined> = { read: (given) => given || undefined, expected: 'a value' };
export const flag: Parameter<boolean> = { read: () => true, expected: 'no value', flag: true };

/** 32 bytes: the id of a model or a round. */
export const id: Parameter<Hex | undefined> = {
  read: (given) => (/^0x[0-9a-f]{64}$/i.test(given) ? (given.toLowerCase() as Hex) : undefined),
  expected: '0x and 64 hexadecimal digits',
};
export const address: Parameter<Address | undefined> = {
  read: (given) => (isAddress(given) ? getAddress(given) : undefined),
  expected: 'an address, 0x and 40 hexadecimal digits, with its checksum or in lower case',
};
export const addresses: Parameter<readonly Address[] | undefined> = {
  read(given) {
    const all = given.split(',').map((one) => address.read(one.trim()));
    return all.includes(undefined) ? undefined : (all as Address[]);
  },
  expected: 'addresses with commas between them',
};
export const hex: Parameter<Hex | undefined> = {
  read: (given) => (/^0x([0-9a-f]{2})+$/i.test(given) ? (given as Hex) : undefined),
  expected: '0x and pairs of hexadecimal digits',
};
/** Ether, or whole tokens, both of which have 18 decimals, in the smallest units. */
export const amount: Parameter<bigint | undefined> = {
  read: (given) => (/^\d{1,12}(\.\d{1,18})?$/.test(given) ? parseEther(given) : undefined),
  expected: 'a decimal number with at most 18 decimals, such as 0.5',
};
export const whole = (least: number, most: number): Parameter<number | undefined> => ({
  read: (given) => within(/^\d{1,9}$/, given, least, most),
  expected: `a whole number from ${least} to ${most}`,
});
export const decimal = (least: number, most: number): Parameter<number | undefined> => ({
  read: (given) => within(/^\d{1,9}(\.\d{1,9})?$/, given, least, most),
  expected: `a number from ${least} to ${most}`,
});

function within(form: RegExp, given: string, least: number, most: number): number | undefined {
  const value = Number(given);
  return form.test(given) && value >= least && value <= most ? value : undefined;
}

export const required = <Value>(parameter: Parameter<Value>): Parameter<Exclude<Value, undefined>> =>
  ({ ...parameter, required: true }) as never;
/** Given without a name. One that is not required comes after those that are. */
export const place = <Value>(name: string, parameter: Parameter<Value>): Parameter<Value> => ({
  ...parameter,
  place: name,
});

/** `minStake` is given as `--min-stake`. */
const optionName = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * Reads the parameters of a verb.
 *
 * @throws HokusaiError `USAGE` (configuration) with everything that is wrong with them
 */
export function readParameters(name: string, { takes }: Pick<Verb, 'takes'>, args: readonly string[]) {
  const named = new Map(
    Object.entries(takes).flatMap(([key, p]) => (p.place ? [] : [[optionName(key), key] as const])),
  );
  const places = Object.entries(takes).flatMap(([key, p]) => (p.place ? [key] : []));
  const given: Record<string, unknown> = {};
  const problems: string[] = [];
  const take = (key: string, label: string, value: string) => {
    const { read, expected, many } = takes[key]!;
    const found = read(value);
    if (key in given && !many) problems.push(`${label} is given twice`);
    if (found === undefined) problems.push(`${label} ${value}: expected ${expected}`);
    given[key] = many ? [...((given[key] as unknown[]) ?? []), ...((found as unknown[]) ?? [])] : found;
  };
  for (const token of tokens(args, named, takes)) {
    if (token.kind === 'positional') {
      const key = places.shift();
      if (key === undefined) problems.push(`${token.value} is one too many`);
      else take(key, takes[key]!.place!, token.value);
    } else if (token.kind === 'option' && token.name !== 'json') {
      const key = named.get(token.rawName);
      if (key === undefined) problems.push(unknown(token.rawName, [...named.keys()]));
      else if (takes[key]!.flag && token.value !== undefined) problems.push(`${token.rawName} takes no value`);
      else if (takes[key]!.flag) given[key] = true;
      else if (token.value === undefined) problems.push(`${token.rawName}: expected ${takes[key]!.expected}`);
      else take(key, token.rawName, token.value);
    }
  }
  for (const [key, { required: needed, place: at }] of Object.entries(takes)) {
    if (needed && !(key in given)) problems.push(`${at ?? optionName(key)} is missing`);
  }
  if (problems.length > 0) throw usage(name, problems);
  return given;
}

function tokens(args: readonly string[], named: ReadonlyMap<string, string>, takes: Verb['takes']) {
  const options = Object.fromEntries(
    [...named].map(([option, key]) => [
      option.slice(2),
      { type: takes[key]!.flag ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  // A value that begins with -- is an option whose predecessor lacks its value.
  const parts = args.flatMap((arg, i) => {
    const lacks = named.has(arg) && !takes[named.get(arg)!]!.flag && (args[i + 1] ?? '--').startsWith('--');
    return lacks ? [`${arg}=`] : [arg];
  });
  const settings = { args: parts, options, strict: false, allowPositionals: true, tokens: true } as const;
  return parseArgs(settings).tokens.map((token) =>
    token.kind === 'option' && token.value === '' ? { ...token, value: undefined } : token,
  );
}

const unknown = (given: string, known: readonly string[]): string => {
  const [nearest] = nearestFirst(given, [...known]);
  return `${given} is not known${nearest ? `, did you mean ${nearest}?` : ''}`;
};

export const usage = (name: string, problems: readonly string[]): HokusaiError =>
  new HokusaiError('configuration', 'USAGE', `hokusai ${name}: ${problems.join('; ')}.`, {
    details: { problems },
    next: `See hokusai ${name} --help.`,
  });

/** A command with verbs of its own, some of which may be commands again. */
export interface Command {
  /** One line, where the command is a verb of another. */
  readonly about: string;
  readonly verbs: Readonly<Record<string, Verb | Command>>;
}

/**
 * Finds the verb, reads its parameters and performs it; or says what there is to know about it.
 *
 * @param note shown to people while the verb is at work
 */
export async function perform(
  name: string,
  { about, verbs }: Command,
  [chosen, ...rest]: readonly string[],
  note: Note,
): Promise<Answer> {
  const asksHelp = (arg: string | undefined) => arg === '--help' || arg === '-h' || arg === 'help';
  if (chosen === undefined || asksHelp(chosen))
    return { text: overview(name, about, verbs), json: { verbs: Object.keys(verbs) } };
  const found = Object.hasOwn(verbs, chosen) ? verbs[chosen] : undefined;
  if (!found) throw usage(name, [`there is no verb ${chosen}; there are ${Object.keys(verbs).join(', ')}`]);
  if ('verbs' in found) return perform(`${name} ${chosen}`, found, rest, note);
  const help = `${usageLine(`${name} ${chosen}`, found)}\n\n${found.help}`;
  if (rest.some(asksHelp)) return { text: help, json: { help } };
  return found.perform(readParameters(`${name} ${chosen}`, found, rest), note);
}

function overview(name: string, about: string, verbs: Command['verbs']): string {
  const width = Math.max(...Object.keys(verbs).map((verb) => verb.length)) + 2;
  const summary = (verb: Verb | Command) => ('verbs' in verb ? verb.about : verb.summary);
  const lines = Object.entries(verbs).map(([name, verb]) => `  ${name.padEnd(width)}${summary(verb)}`);
  return `Usage: hokusai ${name} VERB [OPTION...]\n\n${about}\n\n${lines.join('\n')}\n\nhokusai ${name} VERB --help explains one of them.`;
}

function usageLine(name: string, { takes }: Verb): string {
  const parts = Object.entries(takes).map(([key, { place: at, required: needed, flag: bare }]) => {
    const shown = at ?? `${optionName(key)}${bare ? '' : ' …'}`;
    return needed ? shown : `[${shown}]`;
  });
  const line = `Usage: hokusai ${name}`;
  const rows = [line];
  for (const part of [...parts, '[--json]']) {
    if (`${rows.at(-1)} ${part}`.length > 118) rows.push(' '.repeat(line.length));
    rows[rows.length - 1] += ` ${part}`;
  }
  return rows.join('\n');
}

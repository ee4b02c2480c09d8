// What is wrong in a configuration file, where it is, and what was probably meant.
import { type Document, isMap, isNode, isScalar, isSeq, type LineCounter, visit } from 'yaml';
import type { z } from 'zod';
import { HokusaiError } from '../errors.ts';
import { nearestFirst } from '../nearest.ts';
import { knownKeys } from './keys.ts';

/** One thing in a configuration file that somebody should look at. */
export interface ConfigProblem {
  /** 1-based; of a key that is missing, the line of the section where it belongs. */
  line: number;
  /** Keys joined by dots; empty for the file as a whole. */
  path: string;
  message: string;
}

/** What the YAML parser minds, and aliases. */
export function syntaxProblems(document: Document, lines: LineCounter): ConfigProblem[] {
  const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    line: lines.linePos(pos[0]).line,
    path: '',
    message,
  }));
  visit(document, {
    Alias: (_, alias) => {
      const { line } = lines.linePos(alias.range![0]);
      problems.push({ line, path: '', message: `write out what *${alias.source} stands for: aliases are not read` });
    },
  });
  return problems;
}

/** Replaces those of zod's messages that speak of JavaScript. */
export function describe(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type') return undefined;
  const expected = { object: 'keys and values', array: 'a list' }[issue.expected as string];
  const found = issue.input === undefined ? 'missing' : issue.input === null ? 'no value' : undefined;
  const article = expected ?? `a ${issue.expected}`;
  return `${found ?? 'wrong type'}, expected ${article}`;
}

/** What the schema minds, with the line in the file. */
export function explain(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ConfigProblem[] {
  const keys = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') {
    return [{ line: lineOf(document, lines, keys), path: keys.join('.'), message: issue.message }];
  }
  return issue.keys.map((key) => {
    const path = [...keys, key];
    return {
      line: lineOf(document, lines, path),
      path: path.join('.'),
      message: unknownKey(
        keys,
        key,
        knownKeys(document.getIn(['training', 'model_type']), document.getIn(['training', 'framework'])).map(
          ({ path }) => path,
        ),
      ),
    };
  });
}

/** The nearest key of the same section; or the section where a key of that very name belongs. */
function unknownKey(keys: string[], key: string, known: readonly (readonly string[])[]): string {
  const section = keys.filter((name) => !/^\d+$/.test(name));
  const elsewhere = known.find((path) => path.at(-1) === key);
  if (elsewhere !== undefined) return `unknown key here, did you mean ${elsewhere.join('.')}?`;
  const here = known.filter((path) => path.length === section.length + 1 && section.every((k, at) => path[at] === k));
  const names = nearestFirst(
    key,
    here.map((path) => path.at(-1)!),
  );
  return `unknown key, did you mean ${names[0]}? Known here: ${names.join(', ')}`;
}

/** Line of the deepest of these nested keys that is in the file. */
export function lineOf(document: Document, lines: LineCounter, keys: string[]): number {
  let node: unknown = document.contents;
  let start = isNode(node) ? node.range![0] : 0;
  for (const key of keys) {
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key) : null;
    const item = isSeq(node) ? node.items[Number(key)] : undefined;
    const [at, next] = pair ? [pair.key, pair.value] : [item, item];
    if (!isNode(at)) break;
    start = at.range![0];
    node = next;
  }
  return lines.linePos(start).line;
}

/** What follows from another framework (its model types, its hyperparameters) is no problem of its own. */
export function withoutConsequences(problems: ConfigProblem[]): ConfigProblem[] {
  const foreign = problems.some(({ path }) => path === 'training.framework');
  return problems.filter(({ path }) => !foreign || path === 'training.framework' || !path.startsWith('training.'));
}

/** All problems of a file as one error. */
export function problemsFound(code: string, file: string, problems: ConfigProblem[]): HokusaiError {
  const sorted = problems.toSorted((a, b) => a.line - b.line);
  const told = sorted.map(({ line, path, message }) => `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`);
  return new HokusaiError('configuration', code, told.join('\n'), {
    details: { file, problems: sorted },
    next: problems.some(({ path, message }) => path === 'data' && message.startsWith('missing'))
      ? 'Correct these lines; `hokusai init DIR --data FILE.csv --label COLUMN --config THIS_FILE` adds files of a table.'
      : 'Correct these lines; `hokusai init` writes a file that explains every key.',
  });
}

/**
 * Writes docs/configuration.md, which says of every key of hokusai.yaml and every environment variable what it means. A test
 * compares it.
 *
 *   node scripts/configuration-page.ts
 */
import { writeFileSync } from 'node:fs';
import { ENVIRONMENT } from '../offchain/config/environment.ts';
import { type ConfigKey, knownKeys, trainings } from '../offchain/config/keys.ts';

const HEADER = `# Configuration

Made by \`node scripts/configuration-page.ts\` from the schema that checks the file; do not edit.

\`hokusai init\` writes a \`hokusai.yaml\` with a comment on every key. A key that is left out has its default, an unknown one is
an error that says which was meant, and all problems of a file are told at once, with their lines. Paths in the file are
relative to it. An argument beats the environment, the environment beats the file, the file beats the defaults. Files that
were written for the Python pipeline run as they are.
`;

/** The page. */
export function configurationPage(): string {
  const keys = knownKeys();
  const [sections, single] = [keys.filter(isTop), keys.filter((key) => key.path.length === 1 && !key.isSection)];
  const pages = sections.map((section) => {
    const own = keys.filter(({ path }) => path[0] === section.path[0] && path.length > 1);
    const head = `\n## ${section.path[0]}\n\n${section.means}\n`;
    return section.path[0] === 'training' ? `${head}${trainingTables()}` : `${head}\n${table(own, 1)}`;
  });
  return [HEADER, ...pages, '\n## Of no section\n\n', table(single, 0), environmentTable()].join('');
}

const isTop = ({ path, isSection }: ConfigKey): boolean => path.length === 1 && isSection;

/** What all kinds of training have in common is told once. */
function trainingTables(): string {
  const all = trainings();
  const [{ keys: first }] = all as [(typeof all)[number]];
  const common = ['framework', 'model_type'];
  const named = first.filter(({ path }) => common.includes(path[1]!));
  const kinds = [...new Set(all.map(({ framework }) => framework))].map((name) => `"${name}"`);
  const choices = named.map((key) =>
    key.path[1] === 'framework' ? { ...key, takes: `one of ${kinds.join(', ')}` } : { ...key, takes: 'text' },
  );
  const tables = all.map(({ framework, modelType, keys }) => {
    const own = keys.filter(({ path, isSection }) => !common.includes(path[1]!) && !isSection);
    const title = modelType === undefined ? `"${framework}"` : `"${framework}", \`model_type: ${modelType}\``;
    return `\n### ${title}\n\n${table(own, 1)}`;
  });
  return `\n${table(choices, 1)}${tables.join('')}`;
}

function table(keys: readonly ConfigKey[], from: number): string {
  const rows = keys.map(({ path, takes, fallback, means }) => {
    const value = fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``;
    return row(`\`${path.slice(from).join('.')}\``, takes, value, means);
  });
  return `${row('key', 'takes', 'default', 'meaning')}${row('---', '---', '---', '---')}${rows.join('')}`;
}

function environmentTable(): string {
  const rows = ENVIRONMENT.map(({ name, means }) => row(`\`${name}\``, means));
  return `\n## Environment\n\n${row('variable', 'meaning')}${row('---', '---')}${rows.join('')}`;
}

const row = (...cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;

if (import.meta.main) writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());

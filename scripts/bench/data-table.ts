/** A table like those that people bring: numbers, categories, a date, contacts, free text; the same for the same seed. */
import { createWriteStream } from 'node:fs';
import { uniform } from '../../test/offchain/tables.ts';

const SEED = 42;
const WORDS = 3000;
const GIVEN = ['Anna', 'John', 'Maria', 'Peter', 'Julia', 'Thomas', 'Laura', 'David', 'Emma', 'Mark', 'Ines', 'Paul'];
const FAMILY = ['Smith', 'Miller', 'Brown', 'Garcia', 'Schmidt', 'Rossi', 'Novak', 'Kim', 'Meyer', 'Clark', 'Silva'];
const NAMES = 'id,age,income,score,height,weight,visits,sex,region,plan,email,phone,joined,note,comment,recovered';

/** Writes so many rows of 16 columns as CSV. */
export async function writeTable(file: string, rows: number): Promise<void> {
  const random = uniform(SEED);
  const upTo = (most: number) => Math.floor(random() * most);
  const pick = <Item>(items: readonly Item[]): Item => items[upTo(items.length)]!;
  const syllables = [
    'ba',
    'con',
    'de',
    'fer',
    'gu',
    'hal',
    'in',
    'lo',
    'mar',
    'ne',
    'per',
    'ro',
    'san',
    'ti',
    'ver',
    'ul',
  ];
  const words = Array.from({ length: WORDS }, () =>
    Array.from({ length: 1 + upTo(4) }, () => pick(syllables)).join(''),
  );
  const phone = () => `+1 212 555 ${1000 + upTo(9000)}`;
  const mail = () => `${pick(GIVEN)}.${pick(FAMILY)}${upTo(1e4)}@mail.example.com`.toLowerCase();
  const text = (length: number) => {
    const parts = Array.from({ length }, () => pick(words));
    if (random() < 0.05) parts.push('call', phone());
    if (random() < 0.05) parts.push('write to', mail());
    if (random() < 0.05) parts.push('seen by', `Dr ${pick(GIVEN)} ${pick(FAMILY)}`);
    return `${parts.join(' ')}.`;
  };
  const row = (id: number) =>
    [
      ...[
        id,
        18 + upTo(70),
        (random() * 90_000).toFixed(2),
        (random() * 100).toFixed(4),
        (150 + random() * 50).toFixed(1),
      ],
      ...[(50 + random() * 60).toFixed(1), upTo(20), pick(['f', 'm']), pick(['north', 'south', 'east', 'west'])],
      ...[random() < 0.03 ? '' : pick(['basic', 'plus', 'pro']), mail(), phone()],
      `20${10 + upTo(15)}-0${1 + upTo(9)}-${10 + upTo(18)}`,
      ...[`"${text(16)}"`, `"${text(10)}"`, random() < 0.3 ? 'yes' : 'no'],
    ].join(',');
  const output = createWriteStream(file);
  output.write(`${NAMES}\n`);
  for (let from = 0; from < rows; from += 5000) {
    const block = Array.from({ length: Math.min(5000, rows - from) }, (_, i) => `${row(from + i + 1)}\n`).join('');
    if (!output.write(block)) await new Promise<void>((drained) => output.once('drain', () => drained()));
  }
  await new Promise<void>((done) => output.end(() => done()));
}

import { spawnSync } from 'node:child_process';
import { cpuUsage } from 'node:process';
import { Finder } from '../../offchain/pii/finder.ts';
import { zPii } from '../../offchain/pii/options.ts';
import type { Recogniser } from '../../offchain/pii/recogniser.ts';
import { recognisersFor } from '../../offchain/pii/recognisers.ts';
import { type LabelledText, labelledTexts } from '../../test/offchain/pii-labelled.ts';
import type { Figure } from '../bench.ts';

const NOTES = 12_000;
const REPETITIONS = 5;
/** Microseconds of CPU that Presidio's pattern recognisers take for a note, where they are not there to be measured. */
const PUBLISHED = 450;
/** What both find by patterns, and what Presidio calls it. */
const COMMON: Readonly<Record<string, string>> = {
  ...{ email: 'EMAIL_ADDRESS', credit_card: 'CREDIT_CARD', iban: 'IBAN_CODE', ip: 'IP_ADDRESS', us_ssn: 'US_SSN' },
  ...{
    crypto: 'CRYPTO',
    phone: 'PHONE_NUMBER',
    us_itin: 'US_ITIN',
    es_nif: 'ES_NIF',
    it_fiscal_code: 'IT_FISCAL_CODE',
  },
  ...{ uk_nhs: 'UK_NHS', in_aadhaar: 'IN_AADHAAR' },
};

/** Runs Presidio's recognisers without a language model on the notes of its input. */
const PRESIDIO = `
import json, sys, time
from presidio_analyzer.nlp_engine import NlpArtifacts
import presidio_analyzer.predefined_recognizers as predefined
names = ["EmailRecognizer", "CreditCardRecognizer", "IbanRecognizer", "IpRecognizer", "UsSsnRecognizer", "CryptoRecognizer",
         "PhoneRecognizer", "UsItinRecognizer", "EsNifRecognizer", "ItFiscalCodeRecognizer", "NhsRecognizer",
         "InAadhaarRecognizer", "DateRecognizer", "UrlRecognizer", "UsPassportRecognizer", "UsBankRecognizer",
         "UsLicenseRecognizer", "MedicalLicenseRecognizer"]
recognizers = [getattr(predefined, name)() for name in names if hasattr(predefined, name)]
notes = json.load(sys.stdin)
def run():
    return [[[r.entity_type, r.start, r.end] for one in recognizers
             for r in (one.analyze(note, one.supported_entities, None) or [])] for note in notes]
run()
started = time.process_time()
found = run()
json.dump({"microseconds": 1e6 * (time.process_time() - started) / len(notes), "found": found}, sys.stdout)
`;

interface Presidio {
  microseconds: number;
  found: (readonly [type: string, start: number, end: number])[][];
}

/** Undefined where HOKUSAI_BENCH_PYTHON, by default python3, has no presidio-analyzer. */
function runPresidio(notes: readonly string[]): Presidio | undefined {
  const python = process.env.HOKUSAI_BENCH_PYTHON ?? 'python3';
  const { status, stdout } = spawnSync(python, ['-c', PRESIDIO], {
    ...{ input: JSON.stringify(notes), encoding: 'utf8', maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'ignore'] },
  });
  return status === 0 ? (JSON.parse(stdout) as Presidio) : undefined;
}

/** Microseconds of CPU for a note, the least of some repetitions. */
function pace(finder: Finder, notes: readonly string[]): number {
  const once = (): number => {
    const started = cpuUsage();
    for (const note of notes) finder.find(note);
    const { user, system } = cpuUsage(started);
    return (user + system) / notes.length;
  };
  return Math.min(...Array.from({ length: REPETITIONS }, once));
}

const recall = (
  texts: readonly LabelledText[],
  type: string,
  finds: (at: number, start: number, end: number) => boolean,
) => {
  const all = texts.flatMap(({ labels }, at) =>
    labels.filter((label) => label.type === type).map((label) => ({ at, ...label })),
  );
  return all.filter(({ at, start, end }) => finds(at, start, end)).length / all.length;
};

/** What scanning a free text for personal data costs, in all and by type, and what it finds, beside Presidio's patterns. */
export async function* benchPii(): AsyncIterable<Figure> {
  const texts = labelledTexts(11, NOTES);
  const notes = texts.map(({ text }) => text);
  const recognisers = recognisersFor(zPii.parse({}));
  const finderOf = (some: readonly Recogniser[]) => new Finder(some, 0.5);
  const presidio = runPresidio(notes);
  const peer = presidio ? "Presidio's patterns" : "Presidio's patterns, as published";
  const against = presidio?.microseconds ?? PUBLISHED;
  const figure = (name: string, microseconds: number): Figure => ({
    ...{ name, value: microseconds, unit: 'us CPU/note', rows: NOTES, peer, ratio: microseconds / against },
  });
  const inText = ['person', 'address'];
  yield figure('pii.note', pace(finderOf(recognisers), notes));
  yield figure('pii.note.structured', pace(finderOf(recognisers.filter(({ type }) => !inText.includes(type))), notes));
  const anchors = pace(finderOf([]), notes);
  for (const [type, some] of Map.groupBy(recognisers, ({ type }) => type)) {
    const value = Math.max(0, pace(finderOf(some), notes) - anchors);
    yield { name: `pii.note.${type}`, value, unit: 'us CPU/note', rows: NOTES };
  }
  const all = finderOf(recognisers);
  const ours = notes.map((note) => all.find(note));
  for (const [type, theirs] of Object.entries(COMMON)) {
    const value = recall(texts, type, (at, start, end) =>
      ours[at]!.some((span) => span.type === type && span.start === start && span.end === end),
    );
    const other =
      presidio &&
      recall(texts, type, (at, start, end) =>
        presidio.found[at]!.some(([name, from, to]) => name === theirs && from === start && to === end),
      );
    const beside = other ? { peer: `Presidio's ${other.toFixed(3)}`, ratio: value / other } : {};
    yield { name: `pii.recall.${type}`, value, unit: 'of values', rows: NOTES, ...beside };
  }
}

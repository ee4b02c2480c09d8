import * as values from './pii-values.ts';
import { Draw } from './pii-values.ts';
import { uniform } from './tables.ts';

/** A text and where personal data stands in it. */
export interface LabelledText {
  readonly text: string;
  readonly labels: readonly { readonly type: string; readonly start: number; readonly end: number }[];
}

/** What a type's values are and how people write around them; `*` is the value. */
const KINDS: Readonly<Record<string, readonly [value: (draw: Draw) => string, ...phrases: string[]]>> = {
  email: [values.email, 'mail me at *', 'wrote from *', 'cc: *', '(*)', 'address <*>'],
  credit_card: [values.creditCard, 'paid with card *', 'charged * twice', 'used *', 'cc number: *'],
  iban: [values.iban, 'refund to *', 'IBAN: *', 'account *', 'transferred from *'],
  ip: [values.ip, 'login from *', 'host *', 'client=*', 'blocked *'],
  mac: [values.mac, 'device *', 'MAC *', 'interface eth0 has *'],
  url: [values.url, 'opened *', 'backup under *', 'link: *'],
  us_ssn: [values.usSsn, 'SSN *', 'social security number *', 'on file as *'],
  us_itin: [values.idNumber('us_itin'), 'ITIN *', 'files as *'],
  crypto: [values.crypto, 'sent to *', 'wallet *', 'payout: *'],
  secret: [values.secret, 'key *', 'token: *', 'pasted * in the chat', 'Authorization: Bearer *'],
  phone: [values.phone, 'call *', 'phone: *', 'reachable under *', 'his number is *', 'tel. *', 'WhatsApp *'],
  date_of_birth: [values.date, 'born on *', 'DOB *', 'date of birth: *', 'birthday *'],
  es_nif: [values.idNumber('es_nif'), 'DNI *', 'con documento *'],
  it_fiscal_code: [values.idNumber('it_fiscal_code'), 'codice fiscale *', 'CF: *', 'registered as *'],
  fr_nir: [values.idNumber('fr_nir'), 'NIR *', 'sécurité sociale *'],
  uk_nhs: [values.idNumber('uk_nhs'), 'NHS number *', 'NHS no *'],
  nl_bsn: [values.idNumber('nl_bsn'), 'BSN *', 'burgerservicenummer *'],
  fi_personal_identity_code: [values.idNumber('fi_personal_identity_code'), 'HETU *', 'id *'],
  br_cpf: [values.idNumber('br_cpf'), 'CPF *', 'cpf: *'],
  in_aadhaar: [values.idNumber('in_aadhaar'), 'Aadhaar *', 'aadhaar no. *'],
  cn_resident_id: [values.idNumber('cn_resident_id'), 'resident id *', 'holder *'],
  mx_curp: [values.idNumber('mx_curp'), 'CURP *', 'clave *'],
  ca_sin: [values.idNumber('ca_sin'), 'SIN *', 'social insurance number *'],
  person: [
    values.person,
    ...[
      'spoke with *',
      '* called back',
      'signed by *',
      'patient * was seen',
      'Dear *',
      'ask Dr. * about it',
      '* agreed',
    ],
    ...['please contact *', 'according to *', 'met * and his team', 'Regards, *', "* didn't answer"],
  ],
  address: [values.address, 'lives at *', 'deliver to *', 'moved from *', 'address: *'],
};

const FILLERS = [
  'the customer was not satisfied with the delivery',
  'nothing else to report',
  'please check again tomorrow',
  'refund of 25 euros agreed',
  'item 3 of 7 was missing',
  'she said that the parcel arrived two days late',
  'follow up in 14 days',
  'room 12 on floor 4',
  'temperature 37.2, pulse 80',
];

/** How phrases become a text: notes, a line of a log, keys and values, a message. */
const STYLES: readonly ((phrases: readonly string[]) => string)[] = [
  (phrases) => phrases.map((phrase) => `${phrase[0]!.toUpperCase()}${phrase.slice(1)}.`).join(' '),
  (phrases) => phrases.join(', '),
  (phrases) => `[INFO] ${phrases.join(' | ')}`,
  (phrases) => phrases.join('\n'),
  (phrases) => `Hello,\n\n${phrases.join('; ')}\n\nThanks`,
];

/** Stands for values until the text is made, so that styles cannot change them. */
const MARK = '\u0001';

/** Texts with up to three values and as much that looks alike; a third have none. */
export function labelledTexts(seed: number, count: number): LabelledText[] {
  const draw = new Draw(uniform(seed));
  const types = Object.keys(KINDS);
  return Array.from({ length: count }, (_, at) => {
    const chosen =
      at % 3 === 0 ? [] : [types[at % types.length]!, ...Array.from({ length: draw.below(3) }, () => draw.of(types))];
    const filled = chosen.map((type) => {
      const [value, ...phrases] = KINDS[type]!;
      return { type, value: value(draw), phrase: draw.of(phrases).replace('*', MARK) };
    });
    const others = Array.from({ length: 1 + draw.below(3) }, () =>
      draw.below(2) ? draw.of(FILLERS) : draw.of(values.NOBODYS)(draw),
    );
    const phrases = [...others.slice(1), ...filled.map(({ phrase }) => phrase), others[0]!];
    return fillIn(draw.of(STYLES)(phrases), filled);
  });
}

function fillIn(pattern: string, filled: readonly { type: string; value: string }[]): LabelledText {
  const parts = pattern.split(MARK);
  let text = parts[0]!;
  const labels = filled.map(({ type, value }, at) => {
    const start = text.length;
    text += value + parts[at + 1]!;
    return { type, start, end: start + value.length };
  });
  return { text, labels };
}

/** Cells of a column that holds one type, by its name, with some that are empty or nobody's. */
export function labelledColumn(seed: number, type: string, count: number): (string | null)[] {
  const draw = new Draw(uniform(seed));
  return Array.from({ length: count }, () =>
    draw.below(20) === 0 ? draw.of([null, 'n/a', '-']) : KINDS[type]![0](draw),
  );
}

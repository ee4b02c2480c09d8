import { address } from './address.ts';
import { creditCard } from './credit-card.ts';
import { crypto } from './crypto.ts';
import { dateOfBirth } from './date-of-birth.ts';
import { email } from './email.ts';
import { iban } from './iban.ts';
import { nationalIds } from './national-ids.ts';
import { network } from './network.ts';
import type { CheckedPiiOptions } from './options.ts';
import { passport } from './passport.ts';
import { person } from './person.ts';
import { phone } from './phone.ts';
import type { Recogniser } from './recogniser.ts';
import { secret } from './secret.ts';

/** All that come along. */
export const recognisersFor = ({ regions }: Pick<CheckedPiiOptions, 'regions'>): readonly Recogniser[] => [
  email,
  phone(regions),
  creditCard,
  iban,
  ...network,
  crypto,
  ...nationalIds,
  passport,
  dateOfBirth,
  secret,
  person,
  address,
];

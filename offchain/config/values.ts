// What the sections of a configuration share: kinds of values, and their bounds.
import { parseUnits } from 'viem';
import { z } from 'zod';

/** Of ether and of the reward token. */
const DECIMALS = 18;
/** A decimal of so many digits survives the way through a double. */
const EXACT_DIGITS = 15;
const MAX_UINT128 = 2n ** 128n - 1n;
/** More wei than there are; `Policy` keeps fees in 96 bits. */
const MAX_WEI = 2n ** 90n - 1n;
export const MAX_UINT32 = 2 ** 32 - 1;
/** Seconds. */
export const DAY = 24 * 3600;

export const text = z.string().min(1);

/** A whole number. That of zod ends the check of all else around it. */
export const int = () => z.number().refine(Number.isSafeInteger, 'wrong type, expected a whole number');

/** An amount of whole tokens, such as `100` or `"0.25"`, in the token's smallest units: at least `least`. */
export const tokens = (least: bigint, amount: string) => decimal('tokens', least, MAX_UINT128, amount);

/** An amount of ether, in wei. */
export const ether = (amount: string) => decimal('ether', 0n, MAX_WEI, amount);

function decimal(unit: 'tokens' | 'ether', least: bigint, most: bigint, amount: string) {
  const schema = z
    .union([z.string(), z.number()], { error: `expected an amount of ${unit}, such as 100 or "0.25"` })
    .meta({ takes: `${unit}, up to 18 decimals, in quotes from 16 digits on` });
  return schema
    .transform((given, context) => {
      const written = String(given);
      const refuse = (message: string): never => {
        context.issues.push({ code: 'custom', message, input: given });
        return z.NEVER;
      };
      if (typeof given === 'number' && written.replace(/\D/g, '').length > EXACT_DIGITS) {
        return refuse('an amount of more than 15 digits has to be in quotes, or it would be rounded');
      }
      if (!/^\d+(\.\d{1,18})?$/.test(written)) {
        return refuse(`expected whole ${unit} as a plain decimal number with at most 18 decimals`);
      }
      const units = parseUnits(written, DECIMALS);
      if (units >= least && units <= most) return units;
      return refuse(
        `expected ${least} to 2^${most.toString(2).length} - 1 of the smallest units of ${unit} (10^18 are one)`,
      );
    })
    .prefault(amount);
}

/** Whether these members are right by themselves, so that what they mean together can be looked at. */
export function holds(value: unknown, members: z.ZodRawShape): boolean {
  return z.object(members).safeParse(value).success;
}

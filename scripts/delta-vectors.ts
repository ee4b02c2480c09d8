// Writes test/vectors/delta.json: edge cases of the DeltaOne score, with results from the definitions (delta-reference.ts).
// The table is checked in, and a test makes it again.
import { writeFileSync } from 'node:fs';
import * as reference from '../test/offchain/delta-reference.ts';

const LANE_MAX = 2n ** 31n - 1n;
const Z05 = 1_644_854n;
const Z0025 = 2_807_034n;
const A05 = 53_687_091n;
const A0025 = 2_684_354n;

type Row = [name: string, lanes: bigint[], zMicro: bigint, alpha30: bigint, minDeltaBps?: bigint];

/** Lanes of n rows, b fixed and c broken: the rest is right before and after. */
function lanes(n: bigint, b: bigint, c: bigint): bigint[] {
  return [n - b - c, 0n, b / 2n, c / 2n, c - c / 2n, b - b / 2n, 0n, 0n];
}

const rows: Row[] = [
  ['one row, tied', lanes(1n, 0n, 0n), Z05, A05],
  ['one row, fixed', lanes(1n, 1n, 0n), Z05, A05],
  ['one row, broken', lanes(1n, 0n, 1n), Z05, A05],
  ['all fixed', lanes(1000n, 1000n, 0n), Z05, A05],
  ['all broken', lanes(1000n, 0n, 1000n), Z05, A05],
  ['nothing changed', lanes(1000n, 0n, 0n), Z05, A05],
  ['tie', lanes(1000n, 50n, 50n), Z05, A05],
  ['one ahead', lanes(1000n, 51n, 50n), Z05, A05],
  ['one behind', lanes(1000n, 50n, 51n), Z05, A05],
  ['minus a third of a bps is minus one bps', lanes(30_000n, 0n, 1n), Z05, A05],
  ['four fixed, alpha 1/16 would pass and 0.05 does not', lanes(100n, 4n, 0n), Z05, A05],
  ['five fixed pass the exact test at 0.05', lanes(100n, 5n, 0n), Z05, A05],
  ['exact test at equality: 1/2^5 <= 2^25/2^30', lanes(100n, 5n, 0n), Z05, 2n ** 25n],
  ['exact test one unit below equality', lanes(100n, 5n, 0n), Z05, 2n ** 25n - 1n],
  ['exact test at the largest alpha, one ahead', lanes(1000n, 51n, 50n), 1n, 2n ** 29n],
  ['exact test at the largest alpha, tied', lanes(1000n, 50n, 50n), 1n, 2n ** 29n],
  ['225 discordant, just passing', lanes(4096n, 126n, 99n), Z05, A05],
  ['225 discordant, just failing', lanes(4096n, 125n, 100n), Z05, A05],
  ['225 discordant, all fixed', lanes(225n, 225n, 0n), Z0025, A0025],
  ['226 discordant, the exact test does not apply', lanes(4096n, 113n, 113n), Z05, A05],
  ['226 discordant, ahead', lanes(4096n, 140n, 86n), Z05, A05],
  ['40 of 4,096 ahead at alpha 0.05', lanes(4096n, 102n, 62n), Z05, A05],
  ['40 of 4,096 ahead at alpha 0.05 / 20', lanes(4096n, 102n, 62n), Z0025, A0025],
  ['lower bound equal to the least gain is not above it', lanes(4096n, 302n, 62n), Z05, A05, 510n],
  ['lower bound one above the least gain', lanes(4096n, 302n, 62n), Z05, A05, 509n],
  ['with the root rounded down the bound would be 1,637', lanes(3n, 3n, 0n), 1_470_767n, A05],
  ['one row fewer than asked for', lanes(99n, 6n, 0n), Z05, A05],
  ['as many rows as asked for', lanes(100n, 6n, 0n), Z05, A05],
  ['one lane full', [LANE_MAX, 0n, 0n, 0n, 0n, 0n, 0n, 0n], Z05, A05],
  ['a full lane fixed', [0n, 0n, LANE_MAX, 0n, 0n, 0n, 0n, 0n], Z05, A05],
  ['a full lane broken', [0n, 0n, 0n, 0n, LANE_MAX, 0n, 0n, 0n], 10_000_000n, 1n],
  ['both fixed lanes full, z at its limit', [0n, 0n, LANE_MAX, 0n, 0n, LANE_MAX, 0n, 0n], 10_000_000n, 1n],
  ['every lane full', Array<bigint>(8).fill(LANE_MAX), 10_000_000n, 1n],
  ['2^31 - 1 rows, 1 point ahead', lanes(LANE_MAX, 42_949_672n, 21_474_836n), Z0025, A0025],
];

function vector([name, cells, zMicro, alpha30, minDeltaBps = 0n]: Row) {
  const [n, b, c] = [cells.reduce((sum, lane) => sum + lane, 0n), cells[2]! + cells[5]!, cells[3]! + cells[4]!];
  const payableBps = reference.payableBps(n, b, c, zMicro);
  const exact = reference.exactBinomialPasses(b, c, alpha30);
  const tokensPerDeltaOne = 1_000_000_000_000_000_007n;
  const cap = 25n * 10n ** 18n;
  const figures = {
    countsPacked: cells.reduceRight((packed, lane) => packed * 2n ** 31n + lane, 0n),
    ...{ n, b, c, zMicro, alpha30, minRows: 100n, minDeltaBps, tokensPerDeltaOne, cap },
    ...{ deltaOneBps: reference.deltaOneBps(n, b, c), payableBps },
    reward: reference.reward(payableBps, tokensPerDeltaOne, cap),
  };
  const gate = n >= 100n && payableBps > minDeltaBps && exact;
  return { name, ...mapValues(figures), exactBinomialPasses: exact, gate };
}

function mapValues<K extends string>(figures: Record<K, bigint>): Record<K, string> {
  return Object.fromEntries(Object.entries<bigint>(figures).map(([k, v]) => [k, v.toString()])) as Record<K, string>;
}

export function deltaVectors(): string {
  return `${JSON.stringify(rows.map(vector), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(new URL('../test/vectors/delta.json', import.meta.url), deltaVectors());

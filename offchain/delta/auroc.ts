// The twin of contracts/DeltaOneAuroc.sol: the DeltaOne score of the area under the ROC curve from placements, which are
// counted in halves. The bound, by DeLong, DeLong and Clarke-Pearson (1988), is derived there.
import { ceilDiv, ceilSqrt, type Figures, floorDiv, LANES, lanes, MAX_ROWS, requireThat } from './counts.ts';

/** Whether a metric is of how rows are ranked: then models of two classes commit to scores instead of classes. */
export const isRanking = (metric: string): metric is 'auroc' => metric === 'auroc';

/** First word: m, k, sums of the placements of both models; second: sums of their squared differences. */
export function aurocFigures(first: bigint, second: bigint, zMicro: bigint): Figures {
  const [m, k, baseline, candidate] = lanes(first, LANES.auroc[0]);
  const [positiveSquares, negativeSquares] = lanes(second, LANES.auroc[1]);
  const pairs = 2n * m * k;
  requireThat(m + k <= MAX_ROWS && baseline <= pairs && candidate <= pairs, first);
  const D = candidate - baseline;
  const [Wm, Wk] = [m * positiveSquares - D * D, k * negativeSquares - D * D];
  requireThat(Wm >= 0n && Wk >= 0n, second);
  const defined = m >= 2n && k >= 2n;
  const figures = { n: m + k, positives: m, defined, exact: true };
  if (!defined) return { ...figures, deltaOneBps: 0n, payableBps: 0n };
  const X = Wm * (k - 1n) + Wk * (m - 1n);
  const R = ceilSqrt(ceilDiv(zMicro * zMicro * X * 10n ** 8n, (m - 1n) * (k - 1n)));
  return {
    ...figures,
    deltaOneBps: floorDiv(10_000n * D, pairs),
    payableBps: floorDiv(10n ** 10n * D - R, 10n ** 6n * pairs),
  };
}

// A round of each kind of score, settled with a real proof of its circuit.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type LocalChain, startLocalChain } from '../../offchain/chain/local.ts';
import * as actions from '../../offchain/chain/round.ts';
import { score } from '../../offchain/delta/delta.ts';
import { scoreSignals } from '../../offchain/prove/score.ts';
import * as real from '../real-round.ts';

let chain: LocalChain;
before(async () => {
  chain = await startLocalChain();
});
after(() => chain?.stop());

const SALTS = { labelsSalt: 11n, baselineSalt: 22n, candidateSalt: 33n };
const column = (n: number, of: (i: number) => number) => Uint16Array.from({ length: n }, (_, i) => of(i));
/** A value from 0 to 39,996 that rows have in no order. */
const value = (i: number) => (i * 7_919) % 39_997;

const ROWS: Record<string, real.Rows> = {
  'the accuracy of ten classes': {
    ...{ metric: 'accuracy', classes: 10, ...SALTS },
    labels: column(600, (i) => i % 10),
    baselinePredictions: column(600, (i) => (i % 7 === 0 ? (i + 3) % 10 : i % 10)),
    candidatePredictions: column(600, (i) => (i % 100 === 5 ? (i + 1) % 10 : i % 10)),
  },
  'the squared errors of a regression': {
    ...{ metric: 'mse', classes: 0, ...SALTS },
    labels: column(600, value),
    baselinePredictions: column(600, (i) => value(i) + 9_000 + (i % 11) * 100),
    candidatePredictions: column(600, (i) => value(i) + 1_000 + (i % 13) * 100),
  },
  'the absolute errors of a regression': {
    ...{ metric: 'mae', classes: 0, ...SALTS },
    labels: column(500, value),
    baselinePredictions: column(500, (i) => value(i) + 9_000 + (i % 11) * 100),
    candidatePredictions: column(500, (i) => Math.max(0, value(i) - 1_000 - (i % 13) * 100)),
  },
  'the area under the ROC curve': {
    ...{ metric: 'auroc', classes: 2, ...SALTS },
    labels: column(500, (i) => i % 2),
    baselinePredictions: column(500, (i) => value(i) + (i % 2) * 8_000),
    candidatePredictions: column(500, (i) => value(i) + (i % 2) * 25_000),
  },
};

describe('a round that settles with a real proof', () => {
  for (const [name, rows] of Object.entries(ROWS)) {
    it(`of ${name}, as its twin says, at no more gas than a binary one and its second word`, async () => {
      const m = await real.createRealModel(chain, { salt: real.tag(rows.metric), rows });
      const roundId = await real.openRound(m);
      await real.voteAll(m, roundId, await real.scored(m, roundId));
      const settlement = await real.settlement(m, roundId);
      const sent = await actions.settle(m.settler, roundId, settlement);
      const { counts } = await scoreSignals({ ...rows, contextHash: 0n });
      const { alpha30, zMicro, minDeltaBps, minRows, minPositives } = m.policy.gate;
      const terms = {
        ...{ alpha30: BigInt(alpha30), zMicro: BigInt(zMicro), minDeltaBps: BigInt(minDeltaBps) },
        ...{ minRows: BigInt(minRows), minPositives: BigInt(minPositives), guardrails: [] },
      };
      const expected = score(rows.metric, rows.classes, counts, terms);
      assert.equal(expected.failed, '');
      const { state, deltaOneBps, payableBps } = await actions.round(m.owner, roundId);
      assert.deepEqual([state, deltaOneBps, payableBps].map(String), [
        'SETTLED',
        String(expected.deltaOneBps),
        String(expected.payableBps),
      ]);
      assert.ok(sent.gas < 450_000, String(sent.gas));
    });
  }
});

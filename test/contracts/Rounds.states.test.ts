import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { type Hex, numberToHex, zeroHash } from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, STATE, STATUS } from '../scenario.ts';

describe('Rounds: what can be done in which state', async () => {
  const s = await createScenario();
  const { rounds } = s;
  const { fresh, reverts } = await prepareAttacks(s);
  const [validator] = s.validators;
  const overlap = {
    ...{ rowsRoot: zeroHash, featuresRoot: zeroHash, digest: zeroHash },
    ...{ contributionSalt: zeroHash, contributionProof: [], benchmarkSalt: zeroHash, benchmarkProof: [] },
  };
  const word = [0n, 0n] as const;
  const proof = { a: word, b: [word, word] as const, c: word };

  /** Each step, in the states that it is allowed in. */
  const steps: Record<string, { states: readonly number[]; call: (roundId: Hex) => Promise<unknown> }> = {
    open: {
      states: [STATE.COMMITTED],
      call: async () => s.openOnly(await s.contribution()),
    },
    cancel: { states: [STATE.COMMITTED], call: (roundId) => rounds.write.cancel([roundId], as(s.contributor)) },
    draw: { states: [STATE.OPEN], call: (roundId) => rounds.write.draw([roundId], as(s.outsider)) },
    voteCommit: {
      states: [STATE.VOTING],
      call: (roundId) => rounds.write.voteCommit([roundId, tag('x')], as(validator!)),
    },
    voteReveal: { states: [STATE.VOTING], call: (roundId) => s.voteReveal(roundId, s.vote(), validator!) },
    settle: {
      states: [STATE.VOTING],
      call: (roundId) => rounds.write.settle([roundId, s.vote(), proof, [1n], 1n], as(s.settler)),
    },
    reject: {
      states: [STATE.VOTING],
      call: (roundId) => rounds.write.reject([roundId, s.vote({ status: STATUS.PII })], as(s.settler)),
    },
    // Of the three states that it ends, the error names the last.
    expire: {
      states: [STATE.VOTING, STATE.COMMITTED, STATE.OPEN],
      call: (roundId) => rounds.write.expire([roundId], as(s.outsider)),
    },
    finalise: { states: [STATE.SETTLED], call: (roundId) => rounds.write.finalise([roundId], as(s.outsider)) },
    proveOverlap: {
      states: [STATE.SETTLED],
      call: (roundId) => rounds.write.proveOverlap([roundId, overlap], as(s.outsider)),
    },
    veto: { states: [STATE.SETTLED], call: (roundId) => rounds.write.veto([roundId], as(s.owner)) },
  };

  /** How a round gets into each state. */
  const reached: Record<keyof typeof STATE, () => Promise<Hex>> = {
    NONE: async () => (await rounds.read.commitmentOf([await s.contribution()]))[1],
    COMMITTED: async () => s.commit(await s.contribution()),
    OPEN: () => s.open(),
    VOTING: () => s.drawn(),
    SETTLED: async () => {
      const roundId = await s.drawn();
      await s.settle(roundId);
      return roundId;
    },
    FINALISED: async () => {
      const roundId = await reached.SETTLED();
      await s.finalise(roundId);
      return roundId;
    },
    REJECTED: async () => {
      const roundId = await s.drawn();
      await s.reject(roundId, { status: STATUS.SCHEMA });
      return roundId;
    },
    VOIDED: async () => {
      const roundId = await s.open();
      await s.until((await s.round(roundId)).deadline + 1);
      await rounds.write.expire([roundId], as(s.outsider));
      return roundId;
    },
  };

  for (const [name, state] of Object.entries(STATE)) {
    fresh(`${name}: every step that it is not for is refused`, async () => {
      const roundId = await reached[name as keyof typeof STATE]();
      assert.equal((await s.round(roundId)).state, state);
      const refused = Object.values(steps).filter(({ states }) => !states.includes(state));
      for (const { states, call } of refused) {
        await reverts(call(roundId), 'RoundsWrongState', [roundId, states[0]!, state]);
      }
      assert.equal((await s.round(roundId)).state, state);
      if (state >= STATE.FINALISED) return;
      for (const wallet of [s.contributor, s.settler, validator!]) {
        const nothing = [roundId, address(wallet)];
        await reverts(rounds.write.withdraw([roundId], as(wallet)), 'RoundsNothingToWithdraw', nothing);
      }
    });
  }

  fresh('before the draw nobody has a seat, and nobody can have voted twice', async () => {
    const given = await s.contribution();
    const [, roundId] = await rounds.read.commitmentOf([given]);
    const [one, two] = [s.vote(), s.vote({ metricsHash: numberToHex(1, { size: 32 }) })];
    const signatures = [await s.sign(roundId, one, validator!), await s.sign(roundId, two, validator!)] as const;
    for (const step of [() => s.commit(given), () => s.openOnly(given), () => s.draw(roundId)]) {
      const proving = rounds.write.proveDoubleVote([roundId, one, signatures[0], two, signatures[1]], as(s.outsider));
      await reverts(proving, 'RoundsNotValidator', [roundId, address(validator!)]);
      await step();
    }
    await rounds.write.proveDoubleVote([roundId, one, signatures[0], two, signatures[1]], as(s.outsider));
  });
});

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { type Hex, numberToHex, parseSignature, recoverAddress, serializeSignature } from 'viem';
import { address, as, prepareAttacks, SCALAR_FIELD, tag } from '../attack.ts';
import { createScenario, STATE, STATUS } from '../scenario.ts';

const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe('Rounds: attacks on votes', async () => {
  const s = await createScenario();
  const { rounds, modelId } = s;
  const { attack, reverts } = await prepareAttacks(s);
  const recovered = async (roundId: Hex, signature: Hex, content = s.vote()) =>
    recoverAddress({ hash: await rounds.read.voteDigest([roundId, content]), signature });

  attack('too few signatures', async () => {
    const roundId = await s.open();
    const signatures = await s.sign(roundId, s.vote(), s.validators.slice(0, 1));
    await reverts(s.settle(roundId, { signatures }), 'RoundsTooFewSignatures', [roundId, 2n, 1n]);
    await reverts(s.settle(roundId, { signatures: [] }), 'RoundsTooFewSignatures', [roundId, 2n, 0n]);
  });

  attack('one signer twice', async () => {
    const roundId = await s.open();
    const [first] = s.validators;
    const signatures = await s.sign(roundId, s.vote(), [first!, first!]);
    await reverts(s.settle(roundId, { signatures }), 'RoundsUnorderedSigner', [
      ...[roundId, address(first!), address(first!)],
    ]);
  });

  attack('signers out of order', async () => {
    const roundId = await s.open();
    const [first, second] = s.validators;
    const signatures = await s.sign(roundId, s.vote(), [second!, first!]);
    await reverts(s.settle(roundId, { signatures }), 'RoundsUnorderedSigner', [
      ...[roundId, address(second!), address(first!)],
    ]);
  });

  attack('a signature of somebody who is no validator, also beyond the threshold', async () => {
    const roundId = await s.open();
    for (const validators of [s.validators.slice(0, 1), s.validators]) {
      const signers = [...validators, s.outsider].sort((a, b) => (BigInt(address(a)) < BigInt(address(b)) ? -1 : 1));
      const signatures = await s.sign(roundId, s.vote(), signers);
      await reverts(s.settle(roundId, { signatures }), 'RoundsNotValidator', [roundId, address(s.outsider)]);
    }
    await s.settle(roundId);
  });

  attack('the second form of a signature, with a high s', async () => {
    const roundId = await s.open();
    const [first, second] = await s.sign(roundId, s.vote());
    const { r, s: low, yParity } = parseSignature(first!);
    const high = numberToHex(SECP256K1_N - BigInt(low), { size: 32 });
    const flipped = serializeSignature({ r, s: high, yParity: yParity === 0 ? 1 : 0 });
    await reverts(s.settle(roundId, { signatures: [flipped, second!] }), 'ECDSAInvalidSignatureS', [high]);
  });

  attack('a vote used twice', async () => {
    const roundId = await s.open();
    const args = await s.settlement(roundId);
    await rounds.write.settle([...args], as(s.settler));
    const state = [roundId, STATE.OPEN, STATE.SETTLED];
    await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsWrongState', state);
    await s.finalise(roundId);
    const final = [roundId, STATE.OPEN, STATE.FINALISED];
    await reverts(rounds.write.settle([...args], as(s.settler)), 'RoundsWrongState', final);
    await reverts(s.reject(roundId), 'RoundsWrongState', final);
  });

  attack('a vote for another round', async () => {
    const first = await s.open();
    const signatures = await s.sign(first, s.vote());
    await s.reject(first);
    const second = await s.open('second');
    const signer = await recovered(second, signatures[0]!);
    await reverts(s.settle(second, { signatures }), 'RoundsNotValidator', [second, signer]);
  });

  attack('a vote whose content was changed after signing', async () => {
    const roundId = await s.open();
    const signatures = await s.sign(roundId, s.vote());
    for (const change of [
      { baselinePredictionsRoot: 1n },
      { candidateCommitment: 1n },
      { candidatePredictionsRoot: 1n },
      { trainingSetRoot: tag('other') },
      { metricsHash: tag('other') },
    ]) {
      const signer = await recovered(roundId, signatures[0]!, s.vote(change));
      await reverts(s.settle(roundId, { vote: change, signatures }), 'RoundsNotValidator', [roundId, signer]);
    }
    const rejection = s.vote({ status: STATUS.PII });
    const signer = await recovered(roundId, signatures[0]!, rejection);
    const rejecting = rounds.write.reject([roundId, rejection, signatures], as(s.outsider));
    await reverts(rejecting, 'RoundsNotValidator', [roundId, signer]);
  });

  attack('a vote and a proof from a second chain with the same addresses', async () => {
    const other = await createScenario(31338);
    assert.equal(other.rounds.address, rounds.address);
    assert.notEqual(other.modelId, modelId);
    const given = await s.contribution();
    const [here, there] = [await rounds.read.commitmentOf([given]), await other.rounds.read.commitmentOf([given])];
    assert.notEqual(here[0], there[0]);
    assert.notEqual(here[1], there[1]);
    const roundId = await other.open();
    const signatures = await other.sign(roundId, other.vote(), undefined, { chainId: 31337 });
    const hash = await other.rounds.read.voteDigest([roundId, other.vote()]);
    const signer = await recoverAddress({ hash, signature: signatures[0]! });
    await reverts(other.settle(roundId, { signatures }), 'RoundsNotValidator', [roundId, signer], other.rounds);

    const [, , , proof] = await s.settlement(await s.open());
    const [, vote, valid, , counts, attestation] = await other.settlement(roundId);
    const context = await other.rounds.read.contextHash([roundId, vote.candidateCommitment, address(s.settler)]);
    const args = [roundId, vote, valid, proof, counts, attestation] as const;
    const settling = other.rounds.write.settle([...args], as(other.settler));
    await reverts(settling, 'RoundsInvalidProof', [roundId, s.policy.circuitId, context], other.rounds);
  });

  attack('settle with a finding that is not SCORED, or reject with SCORED', async () => {
    const roundId = await s.open();
    for (const status of Object.values(STATUS).slice(1)) {
      await reverts(s.settle(roundId, { vote: { status } }), 'RoundsWrongStatus', [roundId, status]);
    }
    await reverts(s.reject(roundId, { status: STATUS.SCORED }), 'RoundsWrongStatus', [roundId, STATUS.SCORED]);
  });

  attack('a baseline that predicts otherwise than it was recorded', async () => {
    const first = await s.open();
    await s.reject(first);
    const second = await s.open('second');
    const worse = { baselinePredictionsRoot: 500n };
    await reverts(s.settle(second, { vote: worse }), 'RoundsBaselineMismatch', [second, 501n, 500n]);
    await reverts(s.reject(second, worse), 'RoundsBaselineMismatch', [second, 501n, 500n]);
    await s.settle(second);
  });

  attack('a commitment that no circuit can take', async () => {
    const roundId = await s.open();
    for (const value of [0n, SCALAR_FIELD, SCALAR_FIELD + 78n]) {
      const candidate = s.settle(roundId, { vote: { candidateCommitment: value } });
      await reverts(candidate, 'RoundsNotFieldElement', [value]);
      const baseline = s.reject(roundId, { baselinePredictionsRoot: value });
      await reverts(baseline, 'RoundsNotFieldElement', [value]);
    }
  });
});

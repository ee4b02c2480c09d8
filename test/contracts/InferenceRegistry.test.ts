import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { encodeAbiParameters, type Hex, keccak256, zeroHash } from 'viem';
import { address, as, prepareAttacks, tag } from '../attack.ts';
import { createScenario, proofOf, STATE } from '../scenario.ts';

const CIRCUIT = tag('a circuit');

describe('InferenceRegistry', async () => {
  const s = await createScenario();
  const { inferenceRegistry: registry, modelRegistry, modelId } = s;
  const { attack, fresh, reverts, emits } = await prepareAttacks(s);
  const [foldId] = await modelRegistry.read.foldIds([(await modelRegistry.read.model([modelId])).benchmarkId]);
  const { featuresRoot } = await modelRegistry.read.fold([foldId!]);
  const inference = { circuitId: CIRCUIT, modelCommitment: 77n, foldId: foldId!, predictionsRoot: 501n };
  type Inference = typeof inference;

  /** A chunk that proves these signals, as the double has it. */
  const chunk = (signals: readonly bigint[]) => ({
    proof: proofOf(BigInt(keccak256(encodeAbiParameters([{ type: 'uint256[]' }], [signals])))),
    stateOut: signals[4]!,
  });
  type Link = ReturnType<typeof chunk>;
  /** The honest chain that passes through these states. */
  function chain(states: readonly bigint[], { modelCommitment, predictionsRoot } = inference, root = featuresRoot) {
    return [...states, 0n].map((stateOut, i) => {
      const roots = stateOut === 0n ? [root, predictionsRoot] : [0n, 0n];
      return chunk([modelCommitment, ...roots, i === 0 ? 0n : states[i - 1]!, stateOut]);
    });
  }
  const prove = (chunks: readonly Link[], by = s.outsider, what: Inference = inference) =>
    registry.write.proveInference([what, [...chunks]], as(by));
  const invalid = (stateIn: bigint, what: Inference = inference) => [idOf(what), stateIn] as const;
  const idOf = ({ circuitId, modelCommitment, foldId: fold, predictionsRoot }: Inference): Hex =>
    keccak256(
      encodeAbiParameters(
        [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'bytes32' }, { type: 'uint256' }],
        [circuitId, modelCommitment, fold, predictionsRoot],
      ),
    );

  fresh('records a model that is proven in one chunk, for all who ask', async () => {
    assert.equal(await registry.read.isProven([inference]), false);
    const { circuitId, modelCommitment, predictionsRoot } = inference;
    await emits(prove(chain([])), 'InferenceProven', [modelCommitment, foldId, circuitId, predictionsRoot], registry);
    assert.equal(await registry.read.isProven([inference]), true);
    assert.equal(await registry.read.inferenceIdOf([inference]), idOf(inference));
    for (const other of [
      { ...inference, circuitId: tag('other') },
      { ...inference, modelCommitment: 78n },
      { ...inference, foldId: tag('other') },
      { ...inference, predictionsRoot: 502n },
    ]) {
      assert.equal(await registry.read.isProven([other]), false);
    }
    await reverts(prove(chain([])), 'InferenceRegistryAlreadyProven', [idOf(inference)], registry);
  });

  fresh('goes on over several transactions, each sender with his own chain', async () => {
    const mine = chain([11n, 12n, 13n]);
    const theirs = chain([21n]);
    const advanced = [idOf(inference), address(s.outsider), 12n];
    await emits(prove(mine.slice(0, 2)), 'InferenceAdvanced', advanced, registry);
    assert.equal(await registry.read.stateOf([inference, address(s.outsider)]), 12n);
    await prove(theirs.slice(0, 1), s.settler);
    assert.equal(await registry.read.stateOf([inference, address(s.settler)]), 21n);
    assert.equal(await registry.read.isProven([inference]), false);
    await prove(mine.slice(2));
    assert.equal(await registry.read.isProven([inference]), true);
    await reverts(prove(theirs.slice(1), s.settler), 'InferenceRegistryAlreadyProven', [idOf(inference)], registry);
  });

  attack('a chunk left out, twice, out of order, or from the middle', async () => {
    const [a, b, c, d] = chain([11n, 12n, 13n]) as [Link, Link, Link, Link];
    for (const chunks of [[a, c, d], [b, c, d], [d], [a, b, b, c, d], [a, a, b, c, d], [b, a, c, d]]) {
      await reverts(prove(chunks), 'InferenceRegistryInvalidProofs', invalid(0n), registry);
    }
    await prove([a]);
    for (const chunks of [[a], [c], [a, b, c, d], [d]]) {
      await reverts(prove(chunks), 'InferenceRegistryInvalidProofs', invalid(11n), registry);
    }
    await prove([b, c, d]);
  });

  attack('go on from another sender’s chunks', async () => {
    const chunks = chain([11n]);
    await prove(chunks.slice(0, 1));
    await reverts(prove(chunks.slice(1), s.settler), 'InferenceRegistryInvalidProofs', invalid(0n), registry);
  });

  attack('an end before the last chunk, and no chunk at all', async () => {
    const [first, last] = chain([11n]);
    await reverts(prove([last!, first!]), 'InferenceRegistryChunkAfterLast', [1n], registry);
    await reverts(prove([...chain([]), ...chain([])]), 'InferenceRegistryChunkAfterLast', [1n], registry);
    await reverts(prove([]), 'InferenceRegistryNoChunk', [], registry);
  });

  attack('a proof for another model, other predictions, other features, or another circuit', async () => {
    const refused = (chunks: Link[]) => reverts(prove(chunks), 'InferenceRegistryInvalidProofs', invalid(0n), registry);
    await refused(chain([], { ...inference, modelCommitment: 78n }));
    await refused(chain([], { ...inference, predictionsRoot: 502n }));
    await refused(chain([], inference, featuresRoot + 1n));
    const [{ proof }] = chain([]) as [Link];
    await refused([{ proof: { ...proof, a: [proof.a[0] + 1n, 0n] }, stateOut: 0n }]);
    const unknown = { ...inference, circuitId: tag('nobody registered it') };
    await reverts(
      prove(chain([]), s.outsider, unknown),
      'CircuitRegistryUnknownCircuit',
      [unknown.circuitId],
      s.circuitRegistry,
    );
    const nowhere = { ...inference, foldId: tag('no fold') };
    await reverts(prove(chain([]), s.outsider, nowhere), 'ModelRegistryUnknownFold', [nowhere.foldId], modelRegistry);
  });

  attack('a bad chunk behind a good one: nothing of both is kept', async () => {
    const [first, last] = chain([11n]);
    const bad = { ...last!, proof: proofOf(1n) };
    await reverts(prove([first!, bad]), 'InferenceRegistryInvalidProofs', invalid(0n), registry);
    assert.equal(await registry.read.stateOf([inference, address(s.outsider)]), 0n);
  });

  attack('settle at level 2 what was not proven, of either model', async () => {
    const model = await s.createModel('inferred', { inferenceCircuitId: CIRCUIT });
    const roundId = await s.drawn('inferred', { modelId: model });
    const vote = await s.scored(roundId);
    const { foldId: drawn, headCommitment } = await s.round(roundId);
    const root = (await modelRegistry.read.fold([drawn])).featuresRoot;
    const head = {
      ...inference,
      foldId: drawn,
      modelCommitment: headCommitment,
      predictionsRoot: vote.baselinePredictionsRoot,
    };
    const candidate = {
      ...head,
      modelCommitment: vote.candidateCommitment,
      predictionsRoot: vote.candidatePredictionsRoot,
    };
    const missing = (what: Inference) => reverts(s.settle(roundId), 'InferenceRegistryNotProven', [what], registry);
    await missing(head);
    const before = await s.networkHelpers.takeSnapshot();
    await prove(chain([], head, root), s.outsider, head);
    await missing(candidate);
    await before.restore();
    await prove(chain([], candidate, root), s.outsider, candidate);
    await missing(head);
    // Of the head on the other fold, and of its other predictions, which cannot be proven but by another model.
    const [one, two] = await modelRegistry.read.foldIds([(await modelRegistry.read.model([model])).benchmarkId]);
    const elsewhere = { ...head, foldId: drawn === one ? two! : one! };
    await prove(
      chain([], elsewhere, (await modelRegistry.read.fold([elsewhere.foldId])).featuresRoot),
      s.outsider,
      elsewhere,
    );
    await missing(head);
    await prove(chain([31n], head, root), s.outsider, head);
    await s.settle(roundId);
    assert.equal((await s.round(roundId)).state, STATE.SETTLED);
  });

  fresh('a level 1 model settles without it, and below the gate nothing is to be proven', async () => {
    await s.settle(await s.drawn());
    const model = await s.createModel('inferred', { inferenceCircuitId: CIRCUIT });
    const roundId = await s.drawn('rejected', { modelId: model });
    await s.reject(roundId);
    assert.equal((await s.round(roundId)).state, STATE.REJECTED);
    const nothing = await registry.read.stateOf([{ ...inference, circuitId: zeroHash }, address(s.owner)]);
    assert.equal(nothing, 0n);
  });
});

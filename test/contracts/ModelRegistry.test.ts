import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { encodeAbiParameters, getAbiItem, getAddress, keccak256, numberToHex, stringToHex, zeroAddress } from 'viem';
import { prepareAttacks, SCALAR_FIELD, tag } from '../attack.ts';
import { createScenario } from '../scenario.ts';

const types = (...names: string[]) => names.map((type) => ({ type }));

function foldId(fold: object) {
  const members = types('bytes32', 'uint256', 'uint256', 'bytes32', 'bytes32', 'bytes32', 'uint32', 'uint16');
  return keccak256(encodeAbiParameters(members, [tag('hokusai.fold'), ...Object.values(fold)]));
}

describe('ModelRegistry', async () => {
  const s = await createScenario();
  const { modelRegistry, modelId } = s;
  const owner = getAddress(s.owner.account.address);
  const { fresh, reverts: revertsIn } = await prepareAttacks(s);
  const reverts = (call: Promise<unknown>, error: string, args: readonly unknown[]) =>
    revertsIn(call, error, args, modelRegistry);
  type Fold = ReturnType<typeof s.fold>;
  const update = (folds: Fold[]) => modelRegistry.write.updateBenchmark([modelId, folds], { account: s.owner.account });

  fresh('ids are hashes that anybody can make again from the events', async () => {
    const modelTypes = types('bytes32', 'uint256', 'address', 'address', 'bytes32');
    const salt = numberToHex(0, { size: 32 });
    const model = [tag('hokusai.model'), 31337n, modelRegistry.address, owner, salt];
    assert.equal(modelId, keccak256(encodeAbiParameters(modelTypes, model)));

    const [registered] = await modelRegistry.getEvents.BenchmarkRegistered({ modelId }, { fromBlock: 0n });
    const ids = registered!.args.folds!.map((fold) => foldId(fold));
    assert.deepEqual(registered!.args.foldIds, ids);
    const { benchmarkId } = await modelRegistry.read.model([modelId]);
    assert.deepEqual(await modelRegistry.read.foldIds([benchmarkId]), ids);
    const benchmark = encodeAbiParameters(types('bytes32', 'bytes32[]'), [tag('hokusai.benchmark'), ids]);
    assert.equal(benchmarkId, keccak256(benchmark));
    assert.equal(registered!.args.benchmarkId, benchmarkId);

    const [policyEvent] = await modelRegistry.getEvents.PolicyRegistered({ modelId }, { fromBlock: 0n });
    const { policyHash } = await modelRegistry.read.model([modelId]);
    const policyType = getAbiItem({ abi: modelRegistry.abi, name: 'policy' }).outputs;
    assert.equal(policyHash, keccak256(encodeAbiParameters(policyType, [policyEvent!.args.policy!])));
    assert.deepEqual(await modelRegistry.read.policy([policyHash]), policyEvent!.args.policy);
    assert.deepEqual(await modelRegistry.read.fold([ids[1]!]), s.fold(1));
  });

  type Changes = Parameters<typeof s.registerModel>[1] & Partial<typeof s.policy.gate>;
  const DAY = 86_400;
  const U128 = 2n ** 128n - 1n;
  const limits: [
    field: string,
    allowed: (number | bigint)[],
    refused: (number | bigint)[],
    min: bigint,
    max: bigint,
  ][] = [
    ['alpha30', [1, 2 ** 29], [0, 2 ** 29 + 1], 1n, 2n ** 29n],
    ['zMicro', [1, 10_000_000], [0, 10_000_001], 1n, 10_000_000n],
    ['minDeltaBps', [0, 9_999], [10_000], 0n, 9_999n],
    ['minRows', [1, 4_096], [0, 2 ** 31], 1n, 2n ** 31n - 1n],
    ['minPositives', [0, 2 ** 31 - 1], [2 ** 31], 0n, 2n ** 31n - 1n],
    ['minContributionRows', [1, 2 ** 32 - 1], [0], 1n, 2n ** 32n - 1n],
    ['roundsPerFold', [1, 1_000], [0, 1_001], 1n, 1_000n],
    ['openDuration', [60, 30 * DAY], [59, 30 * DAY + 1], 60n, BigInt(30 * DAY)],
    ['voteDuration', [60, 14 * DAY], [59, 14 * DAY + 1], 60n, BigInt(14 * DAY)],
    ['revealDuration', [60, 3 * DAY], [59, 3 * DAY + 1], 60n, BigInt(3 * DAY)],
    ['settleDuration', [60, 3 * DAY], [59, 3 * DAY + 1], 60n, BigInt(3 * DAY)],
    ['delay', [0, 7 * DAY], [7 * DAY + 1], 0n, BigInt(7 * DAY)],
    ['epochDuration', [3_600, 366 * DAY], [3_599, 366 * DAY + 1], 3_600n, BigInt(366 * DAY)],
    ['vestingDuration', [0, 4 * 365 * DAY], [4 * 365 * DAY + 1], 0n, BigInt(4 * 365 * DAY)],
    ['tokensPerDeltaOne', [100n, U128], [0n, 99n], 100n, U128],
    ['epochReward', [s.policy.maxReward, U128], [0n], 1n, U128],
    ['maxReward', [1n, s.policy.epochReward], [0n, s.policy.epochReward + 1n], 1n, s.policy.epochReward],
    ['threshold', [2, 3], [0, 1, 4], 2n, 3n],
    ['committeeSize', [], [17], 0n, 16n],
  ];
  /** A member of the policy or of its gate. */
  const having = (field: string, value: unknown): Changes =>
    field in s.policy.gate ? { gate: { ...s.policy.gate, [field]: value } } : { [field]: value };
  for (const [field, allowed, refused, min, max] of limits) {
    fresh(`policy: ${field} lies in ${min} to ${max}`, async () => {
      let salt = 1;
      for (const value of allowed) await s.registerModel(numberToHex(salt++, { size: 32 }), having(field, value));
      for (const value of refused) {
        const name = stringToHex(field, { size: 32 });
        const registering = s.registerModel(numberToHex(salt++, { size: 32 }), having(field, value));
        await reverts(registering, 'ModelRegistryPolicyOutOfRange', [name, BigInt(value), min, max]);
        // Of this one the folds are looked at before.
        if (field === 'minRows') continue;
        const { write } = modelRegistry;
        const updating = write.updatePolicy([modelId, { ...s.policy, ...having(field, value) }], {
          account: s.owner.account,
        });
        await reverts(updating, 'ModelRegistryPolicyOutOfRange', [name, BigInt(value), min, max]);
      }
    });
  }

  const name = (field: string) => stringToHex(field, { size: 32 });
  const outOfRange = (call: Promise<unknown>, field: string, ...of: [bigint, bigint, bigint]) =>
    reverts(call, 'ModelRegistryPolicyOutOfRange', [name(field), ...of]);

  fresh('policy: 1 to 16 validators, and more than half of them to agree', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => numberToHex(i + 1, { size: 20 }));
    await s.registerModel(tag('one'), { validators: many(1), threshold: 1 });
    await s.registerModel(tag('most'), { validators: many(16), threshold: 9 });
    const tooMany = s.registerModel(tag('many'), { validators: many(17), threshold: 9 });
    await outOfRange(tooMany, 'validators', 17n, 1n, 16n);
    const none = s.registerModel(tag('none'), { validators: [], threshold: 0 });
    await outOfRange(none, 'validators', 0n, 1n, 16n);
    const half = s.registerModel(tag('half'), { validators: many(4), threshold: 2 });
    await outOfRange(half, 'threshold', 2n, 3n, 4n);
  });

  fresh('policy: a committee by lot of 1 to 16, and nobody by name beside it', async () => {
    const lot = { validators: [], committeeSize: 16, threshold: 9 };
    await s.registerModel(tag('lot'), lot);
    await s.registerModel(tag('one'), { ...lot, committeeSize: 1, threshold: 1 });
    const both = s.registerModel(tag('both'), { committeeSize: 3 });
    await outOfRange(both, 'validators', 3n, 0n, 0n);
    const half = s.registerModel(tag('half'), { ...lot, threshold: 8 });
    await outOfRange(half, 'threshold', 8n, 9n, 16n);
    const more = s.registerModel(tag('more'), { ...lot, threshold: 17 });
    await outOfRange(more, 'threshold', 17n, 9n, 16n);
  });

  fresh('policy: at most eight guardrails', async () => {
    const guardrail = { metric: stringToHex('f1', { size: 32 }), maxLossBps: 100 };
    const gate = (count: number) => ({ ...s.policy.gate, guardrails: Array.from({ length: count }, () => guardrail) });
    const eight = await s.registerModel(tag('eight'), { gate: gate(8) });
    const { policyHash } = await modelRegistry.read.model([eight]);
    assert.deepEqual((await modelRegistry.read.policy([policyHash])).gate, gate(8));
    await outOfRange(s.registerModel(tag('nine'), { gate: gate(9) }), 'guardrails', 9n, 0n, 8n);
  });

  fresh(
    'a policy and a benchmark of before stay readable, and one of another model costs nothing to share',
    async () => {
      const { policyHash, benchmarkId } = await modelRegistry.read.model([modelId]);
      const before = await modelRegistry.read.policy([policyHash]);
      const account = { account: s.owner.account };
      await modelRegistry.write.updatePolicy([modelId, { ...s.policy, evaluationFee: 1n }], account);
      await modelRegistry.write.updateBenchmark([modelId, [s.fold(5)]], account);
      const after = await modelRegistry.read.model([modelId]);
      assert.notEqual(after.policyHash, policyHash);
      assert.notEqual(after.benchmarkId, benchmarkId);
      assert.deepEqual(await modelRegistry.read.policy([policyHash]), before);
      assert.equal((await modelRegistry.read.foldIds([benchmarkId])).length, 2);
      await modelRegistry.write.updatePolicy([modelId, s.policy], account);
      assert.equal((await modelRegistry.read.model([modelId])).policyHash, policyHash);
    },
  );

  fresh('attack: a validator counted twice, or one that is nobody', async () => {
    const [a, b, c] = s.policy.validators.map((validator) => getAddress(validator));
    for (const [validators, previous, next] of [
      [[a!, a!, b!], a!, a!],
      [[b!, a!, c!], b!, a!],
      [[zeroAddress, a!, b!], zeroAddress, zeroAddress],
    ] as const) {
      const registering = s.registerModel(tag('twice'), { validators });
      await reverts(registering, 'ModelRegistryUnorderedValidator', [previous, next]);
    }
  });

  fresh('attack: a benchmark whose metric is not the policy’s', async () => {
    const other = stringToHex('f1_score', { size: 32 });
    await reverts(update([{ ...s.fold(0), metric: other }]), 'ModelRegistryMetricMismatch', [s.policy.metric, other]);
    const policy = { ...s.policy, metric: other };
    const updating = modelRegistry.write.updatePolicy([modelId, policy], { account: s.owner.account });
    await reverts(updating, 'ModelRegistryMetricMismatch', [s.policy.metric, other]);
  });

  fresh('folds: 1 to 64 of them, of minRows rows or more, roots in the field', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => s.fold(i));
    await reverts(update([]), 'ModelRegistryFoldCountOutOfRange', [0n, 64n]);
    await reverts(update(many(65)), 'ModelRegistryFoldCountOutOfRange', [65n, 64n]);
    await update(many(64));
    for (const n of [999, 2 ** 31]) {
      const fold = { ...s.fold(0), n };
      const rows = [foldId(fold), BigInt(n), 1_000n, 2n ** 31n - 1n];
      await reverts(update([fold]), 'ModelRegistryFoldRowsOutOfRange', rows);
    }
    const policy = { ...s.policy, gate: { ...s.policy.gate, minRows: 4_097 } };
    const raising = modelRegistry.write.updatePolicy([modelId, policy], { account: s.owner.account });
    const rows = [foldId(s.fold(0)), 4_096n, 4_097n, 2n ** 31n - 1n];
    await reverts(raising, 'ModelRegistryFoldRowsOutOfRange', rows);
    for (const root of [0n, SCALAR_FIELD]) {
      await reverts(update([{ ...s.fold(0), labelsRoot: root }]), 'ModelRegistryNotFieldElement', [root]);
      await reverts(update([{ ...s.fold(0), featuresRoot: root }]), 'ModelRegistryNotFieldElement', [root]);
    }
  });

  fresh('attack: a metric that nothing can be paid for, or classes that its counts do not hold', async () => {
    const named = (text: string) => stringToHex(text, { size: 32 });
    for (const [text, classes] of [
      ['accuracy', 0],
      ['accuracy', 1],
      ['f1', 3],
      ['mse', 2],
      ['auroc', 0],
      ['mape', 0],
      ['no metric', 2],
    ] as const) {
      const metric = named(text);
      const registering = s.registerModel(tag(text), { metric }, [{ ...s.fold(0), metric, classes }]);
      await reverts(registering, 'ModelRegistryUnsupportedMetric', [metric, BigInt(classes)]);
    }
    for (const [text, classes] of [
      ['accuracy', 9],
      ['f1', 2],
      ['mse', 0],
      ['auroc', 2],
    ] as const) {
      const metric = named(text);
      await s.registerModel(tag(text), { metric }, [{ ...s.fold(0), metric, classes }]);
    }
    await reverts(update([{ ...s.fold(0), classes: 1 }]), 'ModelRegistryUnsupportedMetric', [named('accuracy'), 1n]);
  });

  fresh('attack: register, update or advance what is another’s', async () => {
    const outsider = getAddress(s.outsider.account.address);
    const as = { account: s.outsider.account };
    const strangers = [modelId, owner, outsider];
    const policy = modelRegistry.write.updatePolicy([modelId, s.policy], as);
    await reverts(policy, 'ModelRegistryNotOwner', strangers);
    const folds = modelRegistry.write.updateBenchmark([modelId, [s.fold(0)]], as);
    await reverts(folds, 'ModelRegistryNotOwner', strangers);
    for (const wallet of [s.outsider, s.owner]) {
      const advancing = modelRegistry.write.advanceHead([modelId, tag('round'), s.head], { account: wallet.account });
      const caller = getAddress(wallet.account.address);
      await reverts(advancing, 'ModelRegistryNotRounds', [modelId, getAddress(s.rounds.address), caller]);
    }
    await reverts(s.registerModel(numberToHex(0, { size: 32 })), 'ModelRegistryModelExists', [modelId]);
  });

  fresh('what was never registered is unknown', async () => {
    const unknown = tag('unknown');
    await reverts(modelRegistry.read.model([unknown]), 'ModelRegistryUnknownModel', [unknown]);
    await reverts(modelRegistry.read.head([unknown]), 'ModelRegistryUnknownModel', [unknown]);
    await reverts(modelRegistry.read.policy([unknown]), 'ModelRegistryUnknownPolicy', [unknown]);
    await reverts(modelRegistry.read.fold([unknown]), 'ModelRegistryUnknownFold', [unknown]);
    await reverts(modelRegistry.read.foldIds([unknown]), 'ModelRegistryUnknownBenchmark', [unknown]);
  });
});

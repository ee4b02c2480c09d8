import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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
  const { start, reverts: revertsIn } = await prepareAttacks(s);
  const fresh = (title: string, test: () => Promise<void>) =>
    it(title, async () => {
      await start.restore();
      await test();
    });
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
    assert.deepEqual(await modelRegistry.read.foldIds([modelId]), ids);
    const benchmark = encodeAbiParameters(types('bytes32', 'bytes32[]'), [tag('hokusai.benchmark'), ids]);
    assert.equal(registered!.args.benchmarkId, keccak256(benchmark));

    const [policyEvent] = await modelRegistry.getEvents.PolicyRegistered({ modelId }, { fromBlock: 0n });
    const { policyHash } = await modelRegistry.read.model([modelId]);
    const policyType = getAbiItem({ abi: modelRegistry.abi, name: 'policy' }).outputs;
    assert.equal(policyHash, keccak256(encodeAbiParameters(policyType, [policyEvent!.args.policy!])));
    assert.deepEqual(await modelRegistry.read.policy([policyHash]), policyEvent!.args.policy);
    assert.deepEqual(await modelRegistry.read.fold([ids[1]!]), s.fold(1));
  });

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
    ['minContributionRows', [1, 2 ** 32 - 1], [0], 1n, 2n ** 32n - 1n],
    ['roundsPerFold', [1, 1_000], [0, 1_001], 1n, 1_000n],
    ['roundDuration', [60, 2_592_000], [59, 2_592_001], 60n, 2_592_000n],
    ['delay', [0, 2_592_000], [2_592_001], 0n, 2_592_000n],
    ['tokensPerDeltaOne', [100n, 2n ** 128n - 1n], [0n, 99n], 100n, 2n ** 128n - 1n],
    ['maxReward', [1n, 2n ** 128n - 1n], [0n], 1n, 2n ** 128n - 1n],
    ['threshold', [2, 3], [0, 1, 4], 2n, 3n],
  ];
  for (const [field, allowed, refused, min, max] of limits) {
    fresh(`policy: ${field} lies in ${min} to ${max}`, async () => {
      let salt = 1;
      for (const value of allowed) await s.registerModel(numberToHex(salt++, { size: 32 }), { [field]: value });
      for (const value of refused) {
        const name = stringToHex(field, { size: 32 });
        const registering = s.registerModel(numberToHex(salt++, { size: 32 }), { [field]: value });
        await reverts(registering, 'ModelRegistryPolicyOutOfRange', [name, BigInt(value), min, max]);
      }
    });
  }

  fresh('policy: 1 to 255 validators, and more than half of them to agree', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => numberToHex(i + 1, { size: 20 }));
    await s.registerModel(tag('one'), { validators: many(1), threshold: 1 });
    await s.registerModel(tag('most'), { validators: many(255), threshold: 128 });
    const name = (field: string) => stringToHex(field, { size: 32 });
    const tooMany = s.registerModel(tag('many'), { validators: many(256), threshold: 200 });
    await reverts(tooMany, 'ModelRegistryPolicyOutOfRange', [name('validators'), 256n, 1n, 255n]);
    const none = s.registerModel(tag('none'), { validators: [], threshold: 0 });
    await reverts(none, 'ModelRegistryPolicyOutOfRange', [name('validators'), 0n, 1n, 255n]);
    const half = s.registerModel(tag('half'), { validators: many(4), threshold: 2 });
    await reverts(half, 'ModelRegistryPolicyOutOfRange', [name('threshold'), 2n, 3n, 4n]);
  });

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

  fresh(
    'folds: 1 to 64 of them, of minRows rows or more, two classes or more or none, roots in the field',
    async () => {
      const many = (count: number) => Array.from({ length: count }, (_, i) => s.fold(i));
      await reverts(update([]), 'ModelRegistryFoldCountOutOfRange', [0n, 64n]);
      await reverts(update(many(65)), 'ModelRegistryFoldCountOutOfRange', [65n, 64n]);
      await update(many(64));
      for (const n of [999, 2 ** 31]) {
        const fold = { ...s.fold(0), n };
        const rows = [foldId(fold), BigInt(n), 1_000n, 2n ** 31n - 1n];
        await reverts(update([fold]), 'ModelRegistryFoldRowsOutOfRange', rows);
      }
      const policy = { ...s.policy, minRows: 4_097 };
      const raising = modelRegistry.write.updatePolicy([modelId, policy], { account: s.owner.account });
      const rows = [foldId(s.fold(0)), 4_096n, 4_097n, 2n ** 31n - 1n];
      await reverts(raising, 'ModelRegistryFoldRowsOutOfRange', rows);
      const single = { ...s.fold(0), classes: 1 };
      await reverts(update([single]), 'ModelRegistryTooFewClasses', [foldId(single), 1n]);
      await update([{ ...s.fold(0), classes: 0 }]);
      for (const root of [0n, SCALAR_FIELD]) {
        await reverts(update([{ ...s.fold(0), labelsRoot: root }]), 'ModelRegistryNotFieldElement', [root]);
        await reverts(update([{ ...s.fold(0), featuresRoot: root }]), 'ModelRegistryNotFieldElement', [root]);
      }
    },
  );

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
  });
});

import '@nomicfoundation/hardhat-toolbox-viem';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { network } from 'hardhat';
import {
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  numberToHex,
  parseEther,
  stringToHex,
  type WalletClient,
  zeroAddress,
} from 'viem';
import { address, as, tag } from '../attack.ts';

const DAY = 86_400;
const DELAY = 63 * DAY;
const STAKE = parseEther('1');
const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const STATE = { UNKNOWN: 0, ACTIVE: 1, PAUSED: 2, LEAVING: 3, SLASHED: 4 };
/** By one with a stake, in a tier with others; of views with 21,000 and calldata. Changed by hand where that is meant. */
const GAS = {
  register: 199_718,
  registerFirst: 256_094,
  setRecipient: 37_535,
  addStake: 49_740,
  pause: 44_714,
  resume: 43_459,
  unbond: 47_432,
  withdraw: 37_255,
  slash: 95_294,
  setUnbondingDelay: 39_139,
  draw16of16: 119_064,
  eligible16: 142_111,
  seatOfLast: 26_279,
};

type Estimate = (args: readonly unknown[], options: { account: unknown }) => Promise<bigint>;

describe('ValidatorRegistry', async () => {
  const { viem, networkHelpers } = await network.create();
  const publicClient = await viem.getPublicClient();
  const [admin, rounds, otherRounds, reporter, ...validators] = (await viem.getWalletClients()) as WalletClient[];
  const manager = await viem.deployContract('AccessManager', [address(admin!)]);
  const registry = await viem.deployContract('ValidatorRegistry', [manager.address, DELAY]);
  const [a, b, c] = validators as [WalletClient, WalletClient, WalletClient];
  const { write, read } = registry;
  const start = await networkHelpers.takeSnapshot();

  const fresh = (title: string, test: () => Promise<void>) =>
    it(title, async () => {
      await start.restore();
      await test();
    });
  const attack = (title: string, test: () => Promise<void>) => fresh(`attack: ${title}`, test);
  const reverts = (call: Promise<unknown>, error: string, args: readonly unknown[], contract: unknown = registry) =>
    viem.assertions.revertWithCustomErrorWithArgs(call as never, contract as never, error as never, args as never);
  const emits = (call: Promise<Hex>, event: string, args: readonly unknown[]) =>
    viem.assertions.emitWithArgs(call as never, registry as never, event as never, args as never);
  const register = (wallet: WalletClient, value = STAKE, of = rounds!) =>
    write.register([address(of), RECIPIENT], { ...as(wallet), value });
  const slash = (of: WalletClient, by = rounds!, to = address(reporter!)) => write.slash([address(of), to], as(by));
  const state = async (wallet: WalletClient) => (await read.validator([address(wallet)])).state;
  const balance = (of: Hex) => publicClient.getBalance({ address: of });
  const draw = async (seed: string, size = 16n, minStake = STAKE, except: Hex = zeroAddress, by = rounds!) => {
    const block = await publicClient.getBlockNumber();
    const args = [tag(seed), size, minStake, except, block + 1n] as const;
    return read.members([await read.draw([...args], as(by))]);
  };
  const eligible = async (accounts: readonly Hex[], minStake = 0n, except: Hex = zeroAddress, by = rounds!) =>
    read.members([await read.eligible([accounts, minStake, except], as(by))]);
  const gasOf = async (hash: Promise<Hex>) =>
    Number((await publicClient.getTransactionReceipt({ hash: await hash })).gasUsed);

  fresh('a validator registers, pauses, resumes, leaves, withdraws and comes back', async () => {
    const who = address(a);
    await emits(register(a), 'ValidatorRegistered', [who, address(rounds!), 1n, RECIPIENT, STAKE]);
    const { listedSince, ...registered } = await read.validator([who]);
    const kept = { id: 1, state: STATE.ACTIVE, listedAt: 1, stake: STAKE, withdrawableAt: 0 };
    assert.deepEqual(registered, { ...kept, rounds: address(rounds!), ageRecipient: RECIPIENT });
    assert.equal(BigInt(listedSince), await publicClient.getBlockNumber());
    assert.equal(await read.accountOf([1]), who);
    assert.equal(await read.accountOf([2]), zeroAddress);
    assert.deepEqual(await draw('x'), [who]);
    await emits(write.setRecipient(['age1other'], as(a)), 'RecipientChanged', [who, 'age1other']);
    await emits(write.addStake({ ...as(a), value: 5n }), 'StakeAdded', [who, 5n, STAKE + 5n]);
    await emits(write.pause(as(a)), 'ValidatorPaused', [who]);
    assert.deepEqual(await draw('x'), []);
    await write.addStake({ ...as(a), value: 1n });
    assert.deepEqual(await draw('x'), []);
    await emits(write.resume(as(a)), 'ValidatorResumed', [who]);
    assert.deepEqual(await draw('x'), [who]);
    const at = (await networkHelpers.time.latest()) + 10;
    await networkHelpers.time.setNextBlockTimestamp(at);
    await emits(write.unbond(as(a)), 'ValidatorLeaving', [who, BigInt(at + DELAY)]);
    await networkHelpers.time.setNextBlockTimestamp(at + DELAY);
    await emits(write.withdraw(as(a)), 'StakeWithdrawn', [who, STAKE + 6n]);
    assert.equal(await balance(registry.address), 0n);
    assert.equal(await state(a), STATE.PAUSED);
    await write.addStake({ ...as(a), value: STAKE });
    await write.resume(as(a));
    assert.deepEqual(await draw('x'), [who]);
  });

  fresh('one without a stake is eligible where its policy lists it, and is drawn nowhere', async () => {
    await register(a, 0n);
    await register(b, 1n);
    await register(c, STAKE);
    const all = [address(c), address(reporter!), address(a), address(b)];
    assert.deepEqual(await eligible(all), [address(c), address(a), address(b)]);
    assert.deepEqual(await eligible(all, 1n), [address(c), address(b)]);
    assert.deepEqual(await eligible(all, 0n, address(a)), [address(c), address(b)]);
    assert.deepEqual(await eligible(all, 0n, zeroAddress, otherRounds!), []);
    assert.deepEqual([...(await draw('x', 16n, 0n))].sort(), [address(b), address(c)].sort());
    assert.deepEqual(await draw('x', 16n, 0n, address(b)), [address(c)]);
    assert.deepEqual(await draw('x', 16n, STAKE + 1n), []);
    assert.deepEqual(await draw('x', 16n, 2n ** 256n - 1n), []);
    assert.equal(await read.listed([address(rounds!)]), 2n);
  });

  fresh('a committee has 1 to 16 seats; an outsider has none', async () => {
    for (const wallet of validators) await register(wallet);
    const committee = await draw('x');
    assert.equal(new Set(committee).size, 16);
    for (const size of [0n, 17n]) await reverts(draw('x', size), 'ValidatorRegistryCommitteeSize', [size, 16n]);
    const many = Array.from({ length: 17 }, () => address(a));
    await reverts(eligible(many), 'ValidatorRegistryCommitteeSize', [17n, 16n]);
    const packed = await read.draw([tag('x'), 3n, STAKE, zeroAddress, 10n ** 9n], as(rounds!));
    const drawn = await read.members([packed]);
    for (const wallet of validators) {
      assert.equal(await read.seatOf([packed, address(wallet)]), BigInt(drawn.indexOf(address(wallet)) + 1));
    }
    // The empty seats are not the seats of who never registered.
    assert.equal(await read.seatOf([packed, address(reporter!)]), 0n);
    assert.equal(await read.seatOf([0n, address(a)]), 0n);
    assert.deepEqual(await read.members([0n]), []);
  });

  fresh('the drawn committee follows from the seed and the ids alone', async () => {
    for (const wallet of validators.slice(0, 9)) await register(wallet);
    const ticket = (id: number) =>
      ((BigInt(keccak256(`${tag('x')}${numberToHex(id, { size: 32 }).slice(2)}`)) >> 16n) << 16n) | BigInt(id);
    const expected = validators.slice(0, 9).map((wallet, i) => ({ account: address(wallet), ticket: ticket(i + 1) }));
    expected.sort((one, other) => (one.ticket < other.ticket ? -1 : 1));
    assert.deepEqual(
      await draw('x', 5n),
      expected.slice(0, 5).map(({ account }) => account),
    );
  });

  fresh('what is given is checked: recipient, rounds, stake, delay', async () => {
    const bytes = (length: number) => 'x'.repeat(length);
    for (const length of [0, 129]) {
      const registering = write.register([address(rounds!), bytes(length)], as(a));
      await reverts(registering, 'ValidatorRegistryRecipientLength', [BigInt(length), 128n]);
    }
    await reverts(write.register([zeroAddress, RECIPIENT], as(a)), 'ValidatorRegistryZeroRounds', [address(a)]);
    await write.register([address(rounds!), bytes(128)], as(a));
    await reverts(write.setRecipient([''], as(a)), 'ValidatorRegistryRecipientLength', [0n, 128n]);
    await networkHelpers.setBalance(address(a), 2n ** 97n);
    const tooMuch = write.addStake({ ...as(a), value: 2n ** 96n });
    await reverts(tooMuch, 'ValidatorRegistryStakeTooLarge', [address(a), 2n ** 96n, 2n ** 96n - 1n]);
    await write.addStake({ ...as(a), value: 2n ** 96n - 1n });
    assert.deepEqual(await draw('x', 1n, 2n ** 96n - 1n), [address(a)]);
    for (const delay of [63 * DAY - 1, 180 * DAY + 1]) {
      const limits = [BigInt(delay), BigInt(63 * DAY), BigInt(180 * DAY)];
      await reverts(write.setUnbondingDelay([delay], as(admin!)), 'ValidatorRegistryDelayOutOfRange', limits);
      const deploying = viem.deployContract('ValidatorRegistry', [manager.address, delay]);
      await reverts(deploying, 'ValidatorRegistryDelayOutOfRange', limits);
    }
  });

  fresh('every action has the states that it is allowed in', async () => {
    const who = address(a);
    const nobody = [() => write.pause(as(a)), () => write.resume(as(a)), () => write.unbond(as(a)), () => slash(a)];
    nobody.push(
      ...[() => write.withdraw(as(a)), () => write.addStake(as(a)), () => write.setRecipient([RECIPIENT], as(a))],
    );
    for (const action of nobody) await reverts(action(), 'ValidatorRegistryNotRegistered', [who]);
    await reverts(read.validator([who]), 'ValidatorRegistryNotRegistered', [who]);
    const wrong = (call: Promise<unknown>, expected: number, actual: number) =>
      reverts(call, 'ValidatorRegistryWrongState', [who, expected, actual]);
    await register(a);
    await wrong(write.resume(as(a)), STATE.PAUSED, STATE.ACTIVE);
    await wrong(write.withdraw(as(a)), STATE.LEAVING, STATE.ACTIVE);
    await write.pause(as(a));
    await wrong(write.pause(as(a)), STATE.ACTIVE, STATE.PAUSED);
    await wrong(write.withdraw(as(a)), STATE.LEAVING, STATE.PAUSED);
    await write.unbond(as(a));
    const { withdrawableAt } = await read.validator([who]);
    await wrong(write.pause(as(a)), STATE.ACTIVE, STATE.LEAVING);
    await wrong(write.resume(as(a)), STATE.PAUSED, STATE.LEAVING);
    for (const action of [write.unbond(as(a)), write.addStake({ ...as(a), value: 1n })]) {
      await reverts(action, 'ValidatorRegistryLeaving', [who, BigInt(withdrawableAt)]);
    }
    await write.setRecipient([RECIPIENT], as(a));
    await slash(a);
    await wrong(write.pause(as(a)), STATE.ACTIVE, STATE.SLASHED);
    await wrong(write.resume(as(a)), STATE.PAUSED, STATE.SLASHED);
    await wrong(write.withdraw(as(a)), STATE.LEAVING, STATE.SLASHED);
    for (const action of [write.unbond(as(a)), write.addStake({ ...as(a), value: 1n })]) {
      await reverts(action, 'ValidatorRegistrySlashed', [who]);
    }
    await reverts(register(a), 'ValidatorRegistryAlreadyRegistered', [who, 1n]);
  });

  attack('leave to escape a slash', async () => {
    await register(a);
    await write.unbond(as(a));
    assert.deepEqual(await eligible([address(a)]), []);
    await networkHelpers.time.increase(DELAY + DAY);
    await emits(slash(a), 'ValidatorSlashed', [address(a), address(reporter!), STAKE / 2n, STAKE / 2n]);
    await reverts(write.withdraw(as(a)), 'ValidatorRegistryWrongState', [address(a), STATE.LEAVING, STATE.SLASHED]);
    assert.equal(await balance(registry.address), 0n);
  });

  attack('withdraw too early, or twice', async () => {
    await register(a);
    await register(b);
    const at = (await networkHelpers.time.latest()) + 10;
    await networkHelpers.time.setNextBlockTimestamp(at);
    await write.unbond(as(a));
    await networkHelpers.time.setNextBlockTimestamp(at + DELAY - 1);
    const early = [address(a), BigInt(at + DELAY), BigInt(at + DELAY - 1)];
    await reverts(write.withdraw(as(a)), 'ValidatorRegistryStillBonded', early);
    await networkHelpers.time.setNextBlockTimestamp(at + DELAY);
    await write.withdraw(as(a));
    await reverts(write.withdraw(as(a)), 'ValidatorRegistryWrongState', [address(a), STATE.LEAVING, STATE.PAUSED]);
    assert.equal(await balance(registry.address), STAKE);
  });

  attack('withdraw again from within the withdrawal', async () => {
    await register(b);
    const thief = await viem.deployContract('ReentrantValidator');
    const send = (data: Hex, value = 0n) => thief.write.call!([registry.address, data], { ...as(a), value });
    const { abi } = registry;
    const registering = encodeFunctionData({ abi, functionName: 'register', args: [address(rounds!), RECIPIENT] });
    await send(registering, STAKE);
    await send(encodeFunctionData({ abi, functionName: 'unbond' }));
    await networkHelpers.time.increase(DELAY);
    await send(encodeFunctionData({ abi, functionName: 'withdraw' }));
    assert.equal(await balance(thief.address), STAKE);
    assert.equal(await balance(registry.address), STAKE);
    assert.match(
      String(await thief.read.refusal!()),
      new RegExp(`^${selector('ValidatorRegistryWrongState(address,uint8,uint8)')}`),
    );
  });

  attack('slash from a Rounds contract that the validator did not choose', async () => {
    await register(a);
    for (const wallet of [otherRounds!, admin!, reporter!, a]) {
      const parties = [address(a), address(rounds!), address(wallet)];
      await reverts(slash(a, wallet), 'ValidatorRegistryNotRounds', parties);
    }
    assert.deepEqual(await draw('x', 16n, STAKE, zeroAddress, otherRounds!), []);
  });

  attack('gain by reporting oneself', async () => {
    await register(a, STAKE + 1n);
    const before = await balance(address(b));
    const burnt = await balance(zeroAddress);
    await slash(a, rounds!, address(b));
    assert.equal((await balance(address(b))) - before, STAKE / 2n);
    assert.equal((await balance(zeroAddress)) - burnt, STAKE / 2n + 1n);
  });

  attack('report oneself first, so that the next equivocation cannot be reported', async () => {
    await register(a);
    await slash(a, rounds!, address(b));
    await emits(slash(a), 'ValidatorSlashed', [address(a), address(reporter!), 0n, 0n]);
    await register(b);
    await write.unbond(as(b));
    await networkHelpers.time.increase(DELAY);
    await write.withdraw(as(b));
    await emits(slash(b), 'ValidatorSlashed', [address(b), address(reporter!), 0n, 0n]);
    assert.equal(await state(b), STATE.SLASHED);
    const trap = await viem.deployContract('RevertingRecipient');
    await slash(a, rounds!, trap.address);
  });

  attack('a reporter or validator that takes no money', async () => {
    const trap = await viem.deployContract('RevertingRecipient');
    await register(a);
    const refused = [getAddress(trap.address), STAKE / 2n];
    await reverts(slash(a, rounds!, trap.address), 'ValidatorRegistryTransferFailed', refused);
    assert.equal(await state(a), STATE.ACTIVE);
    await slash(a);

    const { abi } = registry;
    const send = (data: Hex, value = 0n) => trap.write.call!([registry.address, data], { ...as(b), value });
    const registering = encodeFunctionData({ abi, functionName: 'register', args: [address(rounds!), RECIPIENT] });
    await send(registering, STAKE);
    await slash({ account: { address: trap.address } } as never);
    assert.equal(await balance(registry.address), 0n);
  });

  attack('come back after a slash on a policy’s list', async () => {
    await register(a, 0n);
    await slash(a);
    assert.deepEqual(await eligible([address(a)]), []);
    const { state, stake, listedAt } = await read.validator([address(a)]);
    assert.deepEqual({ state, stake, listedAt }, { state: STATE.SLASHED, stake: 0n, listedAt: 0 });
  });

  attack('register twice, for a second id', async () => {
    await register(a);
    await reverts(register(a), 'ValidatorRegistryAlreadyRegistered', [address(a), 1n]);
    await write.unbond(as(a));
    await networkHelpers.time.increase(DELAY);
    await write.withdraw(as(a));
    await reverts(register(a, STAKE, otherRounds!), 'ValidatorRegistryAlreadyRegistered', [address(a), 1n]);
    await register(b);
    assert.equal((await read.validator([address(b)])).id, 2);
  });

  attack('be drawn while paused, leaving or slashed', async () => {
    for (const wallet of validators.slice(0, 6)) await register(wallet);
    const gone = validators.slice(0, 3) as [WalletClient, WalletClient, WalletClient];
    await write.pause(as(gone[0]));
    await write.unbond(as(gone[1]));
    await slash(gone[2]);
    const left = validators.slice(3, 6).map(address);
    for (let i = 0; i < 8; i++) assert.deepEqual([...(await draw(`seed ${i}`))].sort(), [...left].sort());
    assert.deepEqual(await eligible(gone.map(address)), []);
    assert.equal(await read.listed([address(rounds!)]), 3n);
  });

  attack('shorten or lengthen the delay of those who are leaving already', async () => {
    await write.setUnbondingDelay([100 * DAY], as(admin!));
    await register(a);
    await register(b);
    await write.unbond(as(a));
    const { withdrawableAt } = await read.validator([address(a)]);
    await emits(write.setUnbondingDelay([DELAY], as(admin!)), 'UnbondingDelayChanged', [100n * 86_400n, BigInt(DELAY)]);
    await write.unbond(as(b));
    const sooner = await read.validator([address(b)]);
    assert.ok(sooner.withdrawableAt < withdrawableAt);
    await write.setUnbondingDelay([180 * DAY], as(admin!));
    assert.equal((await read.validator([address(a)])).withdrawableAt, withdrawableAt);
    await networkHelpers.time.setNextBlockTimestamp(sooner.withdrawableAt);
    await write.withdraw(as(b));
    await networkHelpers.time.setNextBlockTimestamp(withdrawableAt - 1);
    const early = [address(a), BigInt(withdrawableAt), BigInt(withdrawableAt - 1)];
    await reverts(write.withdraw(as(a)), 'ValidatorRegistryStillBonded', early);
  });

  attack('change the delay at once, or as somebody else', async () => {
    const { abi } = registry;
    const wait = 3 * DAY;
    const ROLE = 7n;
    const data = encodeFunctionData({ abi, functionName: 'setUnbondingDelay', args: [70 * DAY] });
    const set = (wallet: WalletClient) => write.setUnbondingDelay([70 * DAY], as(wallet));
    const unauthorized = (wallet: WalletClient) => reverts(set(wallet), 'AccessManagedUnauthorized', [address(wallet)]);
    await manager.write.setTargetFunctionRole([registry.address, [data.slice(0, 10) as Hex], ROLE], as(admin!));
    await manager.write.grantRole([ROLE, address(b), wait], as(admin!));
    for (const wallet of [a, rounds!, admin!]) await unauthorized(wallet);
    const operation = await manager.read.hashOperation([address(b), registry.address, data]);
    await reverts(set(b), 'AccessManagerNotScheduled', [operation], manager);
    await manager.write.schedule([registry.address, data, 0], as(b));
    const at = await manager.read.getSchedule([operation]);
    assert.equal(at, (await networkHelpers.time.latest()) + wait);
    await networkHelpers.time.setNextBlockTimestamp(at - 1);
    await reverts(set(b), 'AccessManagerNotReady', [operation], manager);
    await networkHelpers.time.setNextBlockTimestamp(at);
    await set(b);
    assert.equal(await read.unbondingDelay(), 70 * DAY);
    await reverts(set(b), 'AccessManagerNotScheduled', [operation], manager);
    // Through `execute` it takes a second schedule, and nothing less.
    await manager.write.schedule([registry.address, data, 0], as(b));
    await networkHelpers.time.increase(wait);
    await manager.write.execute([registry.address, data], as(b));
  });

  fresh('costs the gas on record', async () => {
    const gas: Record<string, number> = { register: 0 };
    gas.registerFirst = await gasOf(register(a));
    await register(c);
    gas.register = await gasOf(register(b));
    gas.setRecipient = await gasOf(write.setRecipient([RECIPIENT.replace('8p', '9p')], as(a)));
    gas.addStake = await gasOf(write.addStake({ ...as(a), value: 1n }));
    gas.pause = await gasOf(write.pause(as(a)));
    gas.resume = await gasOf(write.resume(as(a)));
    gas.unbond = await gasOf(write.unbond(as(a)));
    await networkHelpers.time.increase(DELAY);
    gas.withdraw = await gasOf(write.withdraw(as(a)));
    gas.slash = await gasOf(slash(b));
    gas.setUnbondingDelay = await gasOf(write.setUnbondingDelay([70 * DAY], as(admin!)));
    await start.restore();
    for (const wallet of validators) await register(wallet);
    const { estimateGas } = registry as unknown as { estimateGas: Record<string, Estimate> };
    const drawing = [tag('x'), 16n, STAKE, zeroAddress, 10n ** 9n] as const;
    gas.draw16of16 = Number(await estimateGas.draw!(drawing, as(rounds!)));
    const committee = await read.draw([...drawing], as(rounds!));
    const last = (await read.members([committee]))[15];
    gas.eligible16 = Number(await estimateGas.eligible!([validators.map(address), STAKE, zeroAddress], as(rounds!)));
    gas.seatOfLast = Number(await estimateGas.seatOf!([committee, last], as(rounds!)));
    assert.deepEqual(gas, GAS);
  });

  function selector(signature: string): Hex {
    return keccak256(stringToHex(signature)).slice(0, 10) as Hex;
  }
});

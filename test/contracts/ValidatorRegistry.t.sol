// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IValidatorRegistry, Validator, ValidatorState} from "../../contracts/IValidatorRegistry.sol";
import {ValidatorRegistry} from "../../contracts/ValidatorRegistry.sol";

interface Vm {
    function roll(uint256 number) external;
    function warp(uint256 timestamp) external;
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
uint256 constant STAKE = 1 ether;

/// @notice Takes any step that the registry allows, with 24 accounts and two Rounds contracts.
contract ValidatorSteps {
    uint256 public constant ACCOUNTS = 24;
    ValidatorRegistry public immutable registry;
    /// @notice what was paid out and burnt
    uint256 public out;
    uint256 public paidIn;
    uint256 public slashes;

    constructor(ValidatorRegistry registry_) {
        registry = registry_;
    }

    function accountAt(uint256 i) public pure returns (address) {
        return address(uint160(0xACC0000 + i % ACCOUNTS));
    }

    function roundsAt(uint256 i) public pure returns (address) {
        return address(uint160(0xF0 + i % 2));
    }

    function stateOf(address account) public view returns (ValidatorState) {
        try registry.validator(account) returns (Validator memory found) {
            return found.state;
        } catch {
            return ValidatorState.UNKNOWN;
        }
    }

    function register(uint256 i, uint256 rounds, uint64 stake) external {
        if (stateOf(accountAt(i)) != ValidatorState.UNKNOWN) return;
        _as(i, stake);
        registry.register{value: stake}(roundsAt(rounds), "age1");
    }

    function addStake(uint256 i, uint64 stake) external {
        if (stateOf(accountAt(i)) != ValidatorState.ACTIVE && stateOf(accountAt(i)) != ValidatorState.PAUSED) return;
        _as(i, stake);
        registry.addStake{value: stake}();
    }

    function pause(uint256 i) external {
        if (stateOf(accountAt(i)) != ValidatorState.ACTIVE) return;
        _as(i, 0);
        registry.pause();
    }

    function resume(uint256 i) external {
        if (stateOf(accountAt(i)) != ValidatorState.PAUSED) return;
        _as(i, 0);
        registry.resume();
    }

    function unbond(uint256 i) external {
        if (stateOf(accountAt(i)) != ValidatorState.ACTIVE && stateOf(accountAt(i)) != ValidatorState.PAUSED) return;
        _as(i, 0);
        registry.unbond();
    }

    function withdraw(uint256 i) external {
        if (stateOf(accountAt(i)) != ValidatorState.LEAVING) return;
        Validator memory leaving = registry.validator(accountAt(i));
        if (block.timestamp < leaving.withdrawableAt) vm.warp(leaving.withdrawableAt);
        out += leaving.stake;
        vm.prank(accountAt(i));
        registry.withdraw();
    }

    /// @dev One in four: else all would be slashed before anything else happened.
    function slash(uint256 i, uint256 chance) external {
        if (chance % 4 != 0 || stateOf(accountAt(i)) == ValidatorState.UNKNOWN) return;
        Validator memory slashed = registry.validator(accountAt(i));
        out += slashed.stake;
        slashes++;
        vm.prank(slashed.rounds);
        registry.slash(accountAt(i), address(0x4E9));
    }

    function _as(uint256 i, uint256 stake) private {
        vm.deal(accountAt(i), accountAt(i).balance + stake);
        paidIn += stake;
        vm.roll(block.number + 1);
        vm.prank(accountAt(i));
    }
}

/// @notice Whatever is done in whatever order, the registry holds what its validators staked and lists who it should.
contract ValidatorRegistryInvariants {
    ValidatorRegistry private registry;
    ValidatorSteps private steps;

    function setUp() public {
        registry = new ValidatorRegistry(address(new AccessManager(address(this))), 63 days);
        steps = new ValidatorSteps(registry);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(steps);
    }

    function invariant_balanceIsTheSumOfTheStakes() public view {
        uint256 sum = 0;
        for (uint256 i = 0; i < steps.ACCOUNTS(); i++) {
            if (steps.stateOf(steps.accountAt(i)) != ValidatorState.UNKNOWN) {
                sum += registry.validator(steps.accountAt(i)).stake;
            }
        }
        require(address(registry).balance == sum, "balance");
        require(steps.paidIn() - steps.out() == sum, "money made or lost");
    }

    function invariant_listedAreTheActiveWithAStake() public {
        for (uint256 r = 0; r < 2; r++) {
            address rounds = steps.roundsAt(r);
            uint256 count = 0;
            for (uint256 i = 0; i < steps.ACCOUNTS(); i++) {
                if (steps.stateOf(steps.accountAt(i)) == ValidatorState.UNKNOWN) continue;
                Validator memory one = registry.validator(steps.accountAt(i));
                bool expected = one.state == ValidatorState.ACTIVE && one.stake > 0;
                require((one.listedAt != 0) == expected, "listed");
                require(one.state != ValidatorState.SLASHED || one.stake == 0, "slashed with a stake");
                require((one.withdrawableAt != 0) == (one.state == ValidatorState.LEAVING), "withdrawableAt");
                if (expected && one.rounds == rounds) count++;
            }
            require(registry.listed(rounds) == count, "count");
            vm.prank(rounds);
            uint256 committee = registry.draw("seed", 16, 0, address(0), block.number + 1);
            address[] memory drawn = registry.members(committee);
            require(drawn.length == (count < 16 ? count : 16), "drawn");
            for (uint256 i = 0; i < drawn.length; i++) {
                require(registry.validator(drawn[i]).rounds == rounds, "of another rounds");
                require(registry.seatOf(committee, drawn[i]) == i + 1, "drawn twice");
            }
        }
    }
}

contract ValidatorRegistryTest {
    ValidatorRegistry private registry;
    /// @dev This contract is the Rounds of all validators here.
    uint256 private registered;

    function setUp() public {
        registry = new ValidatorRegistry(address(new AccessManager(address(this))), 63 days);
    }

    function accountAt(uint256 i) private pure returns (address) {
        return address(uint160(0xACC0000 + i));
    }

    function _register(uint256 stake) private returns (address account) {
        account = accountAt(++registered);
        vm.deal(account, stake);
        vm.prank(account);
        registry.register{value: stake}(address(this), "age1");
    }

    function _draw(bytes32 seed, uint256 size, uint256 minStake) private view returns (uint256) {
        return registry.draw(seed, size, minStake, address(0), block.number + 1);
    }

    function _reverts(bytes memory reason, bytes memory expected) private pure {
        require(keccak256(reason) == keccak256(expected), "wrong error");
    }

    /// @dev All of them by brute force, and not by tiers.
    function testFuzz_drawIsTheLowestTickets(bytes32 seed, uint64[20] calldata stakes, uint64 minStake, uint8 size)
        public
    {
        for (uint256 i = 0; i < stakes.length; i++) {
            _register(stakes[i] >> (4 * (i % 16)));
        }
        size = size % 16 + 1;
        address except = accountAt(3);
        uint256 committee = registry.draw(seed, size, minStake, except, block.number + 1);
        uint256 expected = 0;
        uint256 previous = 0;
        for (uint256 seat = 0; seat < size; seat++) {
            uint256 next = type(uint256).max;
            for (uint256 id = 1; id <= stakes.length; id++) {
                uint256 stake = registry.validator(accountAt(id)).stake;
                if (stake == 0 || stake < minStake || id == 3) continue;
                uint256 ticket = (uint256(keccak256(abi.encode(seed, id))) & ~uint256(0xffff)) | id;
                if (ticket > previous && ticket < next) next = ticket;
            }
            if (next == type(uint256).max) break;
            expected |= uint256(uint16(next)) << (16 * seat);
            previous = next;
        }
        require(committee == expected, "committee");
    }

    /// @dev 6 validators of very different stakes, 2 seats: 30 ordered committees, 6,000 seeds, 200 expected of each.
    function test_drawIsUniform() public {
        for (uint256 i = 0; i < 6; i++) {
            _register(STAKE << (i * 2));
        }
        uint256[64] memory seen;
        for (uint256 i = 0; i < 6_000; i++) {
            uint256 committee = _draw(keccak256(abi.encode("uniform", i)), 2, STAKE);
            seen[(committee & 7) | ((committee >> 16) << 3)]++;
        }
        uint256 squares = 0;
        for (uint256 first = 1; first <= 6; first++) {
            for (uint256 second = 1; second <= 6; second++) {
                uint256 count = seen[first | (second << 3)];
                if (first == second) require(count == 0, "drawn twice");
                else squares += count > 200 ? (count - 200) ** 2 : (200 - count) ** 2;
            }
        }
        // The 99.9 % quantile of chi-square with 29 degrees of freedom is 58.3; too even would be as suspicious.
        require(squares < 58 * 200 && squares > 10 * 200, "not uniform");
    }

    function testFuzz_attack_reorderTheListOnceTheSeedIsKnown(bytes32 seed, uint256 order) public {
        for (uint256 i = 0; i < 12; i++) {
            _register(STAKE);
        }
        uint256 before = _draw(seed, 5, STAKE);
        for (uint256 i = 0; i < 12; i++) {
            address mover = accountAt(1 + (order >> (4 * i)) % 12);
            vm.prank(mover);
            registry.pause();
            vm.prank(mover);
            registry.resume();
        }
        require(_draw(seed, 5, STAKE) == before, "the order matters");
    }

    /// @dev Those who come, come back or stake more after the seed is known take part in the next draw.
    function testFuzz_attack_joinOnceTheSeedIsKnown(bytes32 seed) public {
        for (uint256 i = 0; i < 8; i++) {
            _register(STAKE);
        }
        address small = _register(STAKE - 1);
        address away = _register(STAKE);
        vm.prank(away);
        registry.pause();
        vm.roll(100);
        uint256 before = registry.draw(seed, 16, STAKE, address(0), 100);
        _register(STAKE);
        vm.prank(away);
        registry.resume();
        vm.deal(small, 1);
        vm.prank(small);
        registry.addStake{value: 1}();
        vm.roll(101);
        require(registry.draw(seed, 16, STAKE, address(0), 100) == before, "joined");
        require(registry.members(before).length == 8, "drawn");
        require(registry.members(registry.draw(seed, 16, STAKE, address(0), 101)).length == 11, "next draw");
    }

    /// @dev Who leaves once he knows the seed hands his seat to the next lowest, and moves nobody else.
    function testFuzz_attack_drawOneselfOut(bytes32 seed, uint8 who) public {
        for (uint256 i = 0; i < 7; i++) {
            _register(STAKE);
        }
        address[] memory before = registry.members(_draw(seed, 5, STAKE));
        address[] memory all = registry.members(_draw(seed, 7, STAKE));
        uint256 gone = who % 5;
        vm.prank(before[gone]);
        registry.unbond();
        address[] memory left = registry.members(_draw(seed, 5, STAKE));
        require(left.length == 5, "size");
        for (uint256 i = 0; i < 5; i++) {
            require(left[i] == all[i < gone ? i : i + 1], "somebody else moved");
        }
        // Out of a list as small as the committee nobody can be replaced: it is smaller by one, not filled twice.
        vm.prank(left[0]);
        registry.unbond();
        vm.prank(left[1]);
        registry.unbond();
        require(registry.members(_draw(seed, 5, STAKE)).length == 4, "filled up");
    }

    function test_attack_stuffTheListWithJunk() public {
        for (uint256 i = 0; i < 20; i++) {
            _register(STAKE);
        }
        uint256 gasBefore = gasleft();
        uint256 committee = _draw("seed", 16, STAKE);
        uint256 clean = gasBefore - gasleft();
        for (uint256 i = 0; i < 256; i++) {
            _register(0);
            _register(1 + i % 2);
            _register(STAKE / 4);
        }
        gasBefore = gasleft();
        require(_draw("seed", 16, STAKE) == committee, "junk is drawn");
        require(gasBefore - gasleft() < clean + clean / 10, "junk costs gas");
        // Only what has half the stake is looked at, and no more than a tier has places. A transaction of its own pays
        // 2,000 more for each of at most 256 + 20 validators and 18 words of lists.
        uint256 near = 1 << 59;
        for (uint256 i = 0; i < 236; i++) {
            _register(near);
        }
        gasBefore = gasleft();
        require(_draw("seed", 16, STAKE) == committee, "junk is drawn");
        require(gasBefore - gasleft() < 300_000, "a full tier costs too much");
    }

    function test_attack_fillATier() public {
        for (uint256 i = 0; i < 256; i++) {
            _register(STAKE);
        }
        address late = accountAt(9_999);
        vm.deal(late, 2 * STAKE);
        vm.prank(late);
        try registry.register{value: STAKE}(address(this), "age1") {
            revert("registered");
        } catch (bytes memory reason) {
            bytes4 refusal = IValidatorRegistry.ValidatorRegistryTierFull.selector;
            _reverts(reason, abi.encodeWithSelector(refusal, address(this), 59, 256));
        }
        vm.prank(late);
        registry.register{value: 2 * STAKE}(address(this), "age1");
        require(registry.listed(address(this)) == 257, "the next tier is open");
        // Who is in a full tier can move within it, and comes back to the place that he left.
        address one = accountAt(7);
        vm.deal(one, 1);
        vm.prank(one);
        registry.addStake{value: 1}();
        vm.prank(one);
        registry.pause();
        vm.prank(one);
        registry.resume();
        require(registry.validator(one).listedAt == 256, "place");
    }

    function test_attack_useUpTheIdsForGasAlone() public {
        _register(0);
        _skipIdsTo(32_766);
        address last = _register(0);
        require(registry.validator(last).id == 32_767, "id");
        address late = accountAt(9_999);
        vm.deal(late, STAKE);
        vm.prank(late);
        try registry.register{value: 0.1 ether - 1}(address(this), "age1") {
            revert("registered");
        } catch (bytes memory reason) {
            bytes4 refusal = IValidatorRegistry.ValidatorRegistryFull.selector;
            _reverts(reason, abi.encodeWithSelector(refusal, 32_767, 0.1 ether - 1));
        }
        vm.prank(late);
        require(registry.register{value: 0.1 ether}(address(this), "age1") == 32_768, "reserved");
        _skipIdsTo(65_534);
        require(registry.validator(_register(0.1 ether)).id == 65_535, "last id");
        uint256 committee = _draw("seed", 2, 0);
        require(registry.members(committee).length == 2 && committee >> 32 == 0, "packed");
        vm.deal(accountAt(10_000), STAKE);
        vm.prank(accountAt(10_000));
        try registry.register{value: STAKE}(address(this), "age1") {
            revert("registered");
        } catch (bytes memory reason) {
            bytes4 refusal = IValidatorRegistry.ValidatorRegistryFull.selector;
            _reverts(reason, abi.encodeWithSelector(refusal, 65_535, STAKE));
        }
    }

    /// @dev Sets the last id given, wherever the compiler put it: beside the authority and the delay.
    function _skipIdsTo(uint16 id) private {
        for (uint256 slot = 0; slot < 16; slot++) {
            uint256 word = uint256(vm.load(address(registry), bytes32(slot)));
            if (address(uint160(word)) != registry.authority()) continue;
            require(uint40(word >> 168) == 63 days, "layout");
            word = (word & ~(uint256(0xffff) << 208)) | (uint256(id) << 208);
            vm.store(address(registry), bytes32(slot), bytes32(word));
            return;
        }
        revert("layout");
    }
}

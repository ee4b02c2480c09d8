// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModelRegistry} from "../../contracts/IModelRegistry.sol";
import {Award, IRewards, Sibling} from "../../contracts/IRewards.sol";
import {Rewards} from "../../contracts/Rewards.sol";
import {RewardToken} from "../../contracts/RewardToken.sol";
import {ModelRegistryDouble} from "./ModelRegistryDouble.sol";

interface Vm {
    function warp(uint256 timestamp) external;
    function prank(address sender) external;
}

/// @notice Whatever the tree of payees and whatever the Rounds contract does: nobody is paid twice, nothing is paid that
/// was not reserved, and nothing is reserved that was not allocated.
contract RewardsTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant MODEL = "model";
    bytes32 private constant ROUND = "round";
    uint128 private constant MAX = type(uint128).max;
    uint256 private constant DEPTH = 3;
    uint256 private constant LEAVES = 2 ** DEPTH;

    Rewards private rewards;
    RewardToken private token;

    /// @dev A tree as its maker states it, by place.
    struct Tree {
        bytes32[] hashes;
        uint128[] sums;
        bytes32 payeesRoot;
    }

    function setUp() public {
        ModelRegistryDouble modelRegistry = new ModelRegistryDouble();
        rewards = new Rewards(IModelRegistry(address(modelRegistry)));
        token = new RewardToken("Reward", "RWD", type(uint256).max, address(rewards), address(this));
        modelRegistry.set(MODEL, address(this), address(token));
    }

    /// @dev This contract is the model's Rounds; nobody voted.
    function hasVoted(bytes32, address) external pure returns (bool) {
        return false;
    }

    function testFuzz_sharesAddUpToTheReward(uint128 reward, uint96[] calldata weights) public {
        uint256 n = weights.length % 33;
        if (reward == 0 || n == 0) return;
        Tree memory tree = Tree(new bytes32[](2 * n), new uint128[](2 * n), 0);
        for (uint256 p = 2 * n - 1; p > 0; p--) {
            // Every third weight is small, so that some shares round to nothing.
            if (p >= n) _setLeaf(tree, p, 1 + uint128(p % 3 == 0 ? weights[p - n] % 4 : weights[p - n]));
            else _setNode(tree, p, tree.sums[2 * p] + tree.sums[2 * p + 1]);
        }
        _award(tree, reward);

        uint256 paid;
        for (uint256 p = n; p < 2 * n; p++) {
            (bool success, uint256 share) = _claim(tree, p);
            require(success || _shareOf(tree, p, reward) == 0, "refused");
            require(share == _shareOf(tree, p, reward), "share");
            paid += share;
            if (success) {
                (success,) = _claim(tree, p);
                require(!success, "twice");
            }
        }
        require(paid == reward && token.totalSupply() == reward, "sum");
    }

    /// @dev Sums are what the maker likes: right, too small, too large, or zero.
    function testFuzz_attack_overlappingRangesByATreeThatLies(
        uint128 reward,
        uint128[LEAVES] calldata weights,
        uint256 lies
    ) public {
        if (reward == 0) return;
        Tree memory tree = Tree(new bytes32[](2 * LEAVES), new uint128[](2 * LEAVES), 0);
        for (uint256 p = 2 * LEAVES - 1; p > 0; p--) {
            uint256 kind = (lies >> (3 * p)) & 7;
            if (p >= LEAVES) {
                _setLeaf(tree, p, kind == 0 ? 0 : weights[p - LEAVES] / (kind == 1 ? 1 : 16));
                continue;
            }
            uint256 sum = uint256(tree.sums[2 * p]) + tree.sums[2 * p + 1];
            if (kind == 0) sum = tree.sums[2 * p];
            if (kind == 1) sum *= 2;
            if (kind == 2) sum = 0;
            // A node hanging in two places.
            if (kind == 3) (tree.hashes[2 * p], tree.sums[2 * p]) = (tree.hashes[2 * p + 1], tree.sums[2 * p + 1]);
            if (kind == 3) sum = 2 * uint256(tree.sums[2 * p + 1]);
            _setNode(tree, p, sum > MAX ? MAX : uint128(sum));
        }
        _award(tree, reward);

        for (uint256 times = 0; times < 2; times++) {
            for (uint256 p = LEAVES; p < 2 * LEAVES; p++) {
                _claim(tree, p);
            }
        }
        require(token.totalSupply() <= reward, "more than the reward");
    }

    /// @dev An adversarial Rounds: whatever it calls, in whatever order and epoch.
    function testFuzz_attack_budgetAddsUpWhateverRoundsDoes(uint128 allocation, uint256[24] calldata moves) public {
        rewards.allocateBudget(MODEL, allocation);
        // Kept apart, because the optimiser takes block.timestamp for a constant.
        uint256 time = 1_000_000;
        vm.warp(time);
        for (uint256 i = 0; i < moves.length; i++) {
            bytes32 roundId = bytes32((moves[i] >> 8) % 4);
            uint128 amount = uint128(moves[i] >> 128) / uint128(1 + (moves[i] >> 16) % 5);
            if (moves[i] % 7 < 3) _try(abi.encodeCall(IRewards.reserve, (MODEL, roundId, amount, allocation / 2, 100)));
            else if (moves[i] % 7 < 5) _try(abi.encodeCall(IRewards.keep, (MODEL, roundId, amount % (allocation | 1))));
            else if (moves[i] % 7 == 5) _try(abi.encodeCall(IRewards.award, (MODEL, roundId, "root", 0)));
            else vm.warp(time += 60);

            uint256 reserved;
            for (uint256 k = 0; k < 4; k++) {
                reserved += rewards.awardOf(MODEL, bytes32(k)).reserved;
            }
            require(rewards.budget(MODEL) + reserved == allocation, "budget");
            uint256 spent;
            for (uint256 epoch = 10_000; epoch <= time / 100; epoch++) {
                require(rewards.spent(MODEL, 100, epoch) <= allocation / 2, "epoch");
                spent += rewards.spent(MODEL, 100, epoch);
            }
            require(spent == reserved, "epochs");
        }
    }

    function testFuzz_canReserveSaysWhetherReserveSucceeds(
        uint64 allocation,
        uint64 before,
        uint64 amount,
        uint64 epochReward,
        uint8 epochDuration
    ) public {
        rewards.allocateBudget(MODEL, allocation);
        _try(abi.encodeCall(IRewards.reserve, (MODEL, "before", before, before, epochDuration / 2)));
        bool expected = rewards.canReserve(MODEL, amount, epochReward, epochDuration / 2);
        bool actual = _try(abi.encodeCall(IRewards.reserve, (MODEL, ROUND, amount, epochReward, epochDuration / 2)));
        require(actual == expected, "canReserve");
    }

    function _setLeaf(Tree memory tree, uint256 place, uint128 weight) private pure {
        tree.sums[place] = weight;
        tree.hashes[place] = keccak256(abi.encode(keccak256("hokusai.payee"), _payee(place), weight));
    }

    function _setNode(Tree memory tree, uint256 place, uint128 sum) private pure {
        (uint256 left, uint256 right) = (2 * place, 2 * place + 1);
        tree.sums[place] = sum;
        tree.hashes[place] = keccak256(
            abi.encode(
                keccak256("hokusai.payeeNode"),
                tree.hashes[left],
                tree.sums[left],
                tree.hashes[right],
                tree.sums[right]
            )
        );
    }

    function _award(Tree memory tree, uint128 reward) private {
        tree.payeesRoot = keccak256(abi.encode(keccak256("hokusai.payees"), tree.hashes[1], tree.sums[1]));
        rewards.allocateBudget(MODEL, reward);
        rewards.reserve(MODEL, ROUND, reward, reward, 1 days);
        rewards.award(MODEL, ROUND, tree.payeesRoot, 0);
    }

    /// @dev Two leaves of the tree have one payee, so that a payee can try another's place.
    function _payee(uint256 place) private pure returns (address) {
        return address(uint160(0xAE0000 + place / 2));
    }

    function _claim(Tree memory tree, uint256 place) private returns (bool success, uint256 share) {
        uint256 depth;
        while (place >> (depth + 1) > 0) {
            depth++;
        }
        Sibling[] memory siblings = new Sibling[](depth);
        for (uint256 i = 0; i < depth; i++) {
            uint256 sibling = (place >> i) ^ 1;
            siblings[i] = Sibling(tree.hashes[sibling], tree.sums[sibling]);
        }
        uint256 before = token.balanceOf(_payee(place));
        vm.prank(_payee(place));
        success = _try(abi.encodeCall(IRewards.claim, (MODEL, ROUND, tree.sums[place], place, siblings)));
        share = token.balanceOf(_payee(place)) - before;
    }

    function _shareOf(Tree memory tree, uint256 place, uint256 reward) private pure returns (uint256) {
        uint256 from;
        for (uint256 p = place; p > 1; p /= 2) {
            if (p % 2 == 1) from += tree.sums[p - 1];
        }
        return reward * (from + tree.sums[place]) / tree.sums[1] - reward * from / tree.sums[1];
    }

    function _try(bytes memory call) private returns (bool success) {
        (success,) = address(rewards).call(call);
    }
}

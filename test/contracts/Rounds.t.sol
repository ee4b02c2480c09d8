// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fold, Head, Policy} from "../../contracts/IModelRegistry.sol";
import {ICircuitRegistry, Proof} from "../../contracts/ICircuitRegistry.sol";
import {Contribution, IRounds, Round, State, Status, Vote} from "../../contracts/IRounds.sol";
import {ModelRegistry} from "../../contracts/ModelRegistry.sol";
import {RewardToken} from "../../contracts/RewardToken.sol";
import {Rounds} from "../../contracts/Rounds.sol";
import {CircuitRegistryDouble} from "./CircuitRegistryDouble.sol";

interface Vm {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function roll(uint256 number) external;
    function warp(uint256 timestamp) external;
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
}

/// @notice Whatever the quorum, the fee and the end of a round: what came in goes out, and the budget adds up.
contract RoundsTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant CONTRIBUTOR = address(0xC0);
    address private constant PAYEE = address(0xAE);
    address private constant SETTLER = address(0x5E);
    uint256 private constant BUDGET = 1e20;
    uint128 private constant MAX_REWARD = 1e19;

    ModelRegistry private modelRegistry;
    CircuitRegistryDouble private circuitRegistry;
    Rounds private rounds;
    RewardToken private token;
    /// @dev By ascending address.
    uint256[] private keys;

    function setUp() public {
        modelRegistry = new ModelRegistry();
        circuitRegistry = new CircuitRegistryDouble();
        rounds = new Rounds(modelRegistry, ICircuitRegistry(address(circuitRegistry)));
        token = new RewardToken("Reward", "RWD", BUDGET, address(rounds), address(this));
        for (uint256 key = 1; key <= 9; key++) {
            keys.push(key);
            for (uint256 i = keys.length - 1; i > 0 && vm.addr(keys[i]) < vm.addr(keys[i - 1]); i--) {
                (keys[i], keys[i - 1]) = (keys[i - 1], keys[i]);
            }
        }
    }

    function testFuzz_settledRoundPaysOutItsFeeAndItsReward(uint16 signers, uint128 fee, uint32 b, uint32 c) public {
        (bytes32 roundId, bytes32 modelId) = _open(fee);
        (uint256 mask, bytes[] memory signatures) = _sign(roundId, _vote(Status.SCORED), signers);
        uint256 fixedRows = 3_000 + b % 3_000;
        uint256 counts = (10_000 - fixedRows - c % 1_000) | (fixedRows << 62) | (uint256(c % 1_000) << 93);
        Proof memory proof = _prove(roundId, counts);
        vm.prank(SETTLER);
        rounds.settle(roundId, _vote(Status.SCORED), signatures, proof, counts, 1);

        require(rounds.round(roundId).shareholders == mask | 1 << 255, "shareholders");
        _requirePaidOut(roundId, mask, fee);
        uint256 reward = rounds.round(roundId).reward;
        require(reward > 0 && reward <= MAX_REWARD, "reward");
        require(rounds.budget(modelId) + reward == BUDGET, "budget");

        rounds.finalise(roundId);
        vm.prank(PAYEE);
        rounds.claim(roundId);
        require(token.balanceOf(PAYEE) == reward && token.totalSupply() == reward, "minted");
        require(modelRegistry.head(modelId).modelCommitment == 8, "head");
    }

    function testFuzz_rejectedRoundPaysOutItsFeeAndNoReward(uint16 signers, uint128 fee, uint8 reason) public {
        (bytes32 roundId, bytes32 modelId) = _open(fee);
        Status status = Status(1 + reason % 8);
        (uint256 mask, bytes[] memory signatures) = _sign(roundId, _vote(status), signers);
        vm.prank(SETTLER);
        rounds.reject(roundId, _vote(status), signatures);
        _requirePaidOut(roundId, mask, fee);
        require(rounds.budget(modelId) == BUDGET && rounds.slot(modelId) == 0, "given back");
    }

    function testFuzz_timedOutRoundPaysTheContributorBack(uint128 fee, uint32 late) public {
        (bytes32 roundId, bytes32 modelId) = _open(fee);
        vm.warp(block.timestamp + 1 hours + 1 + late);
        rounds.expire(roundId);
        vm.prank(CONTRIBUTOR);
        rounds.claimFee(roundId);
        require(CONTRIBUTOR.balance == fee && address(rounds).balance == 0, "refund");
        require(rounds.budget(modelId) == BUDGET && rounds.slot(modelId) == 0, "given back");
    }

    function test_attack_openInTheBlockOfTheCommit() public {
        Contribution memory contribution = _contribution(_register(0));
        (bytes32 commitment, bytes32 roundId) = rounds.commitmentOf(contribution);
        rounds.commit(commitment);
        vm.prank(CONTRIBUTOR);
        try rounds.open(contribution) {
            revert("opened");
        } catch (bytes memory reason) {
            bytes memory expected = abi.encodeWithSelector(
                IRounds.RoundsOpenedTooEarly.selector, roundId, block.number, block.number
            );
            require(keccak256(reason) == keccak256(expected), "wrong error");
        }
    }

    function _register(uint128 fee) private returns (bytes32 modelId) {
        Policy memory policy;
        policy.circuitId = circuitRegistry.CIRCUIT_ID();
        policy.metric = "accuracy";
        policy.alpha30 = 2 ** 25;
        policy.zMicro = 1_900_000;
        policy.minRows = 1;
        policy.minContributionRows = 1;
        policy.threshold = 5;
        policy.roundsPerFold = 1;
        policy.roundDuration = 1 hours;
        policy.tokensPerDeltaOne = 1e18;
        policy.maxReward = MAX_REWARD;
        policy.evaluationFee = fee;
        policy.validators = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            policy.validators[i] = vm.addr(keys[i]);
        }
        Fold[] memory folds = new Fold[](1);
        folds[0] = Fold(1, 2, "rows", "quantiser", "accuracy", 10_000, 2);
        modelId = modelRegistry.registerModel(0, address(rounds), address(token), Head(7, "set"), policy, folds);
        rounds.allocateBudget(modelId, BUDGET);
    }

    function _contribution(bytes32 modelId) private view returns (Contribution memory) {
        bytes32 policyHash = modelRegistry.model(modelId).policyHash;
        return Contribution(modelId, CONTRIBUTOR, PAYEE, "data", 1, "ciphertext", policyHash, "salt");
    }

    function _open(uint128 fee) private returns (bytes32 roundId, bytes32 modelId) {
        modelId = _register(fee);
        Contribution memory contribution = _contribution(modelId);
        bytes32 commitment;
        (commitment, roundId) = rounds.commitmentOf(contribution);
        rounds.commit(commitment);
        vm.roll(block.number + 1);
        vm.deal(CONTRIBUTOR, fee);
        vm.prank(CONTRIBUTOR);
        rounds.open{value: fee}(contribution);
    }

    function _vote(Status status) private pure returns (Vote memory) {
        bytes32 trainingSetRoot = keccak256(abi.encode(keccak256("hokusai.trainingSet"), bytes32("set"), bytes32("data")));
        return Vote(status, 5, 8, 6, trainingSetRoot, "metrics");
    }

    /// @dev The five lowest validators, which is the threshold, and whoever else the mask names.
    function _sign(bytes32 roundId, Vote memory vote, uint16 signers)
        private
        view
        returns (uint256 mask, bytes[] memory signatures)
    {
        mask = (signers & 511) | 31;
        uint256 count;
        for (uint256 i = 0; i < 9; i++) {
            count += (mask >> i) & 1;
        }
        signatures = new bytes[](count);
        bytes32 digest = rounds.voteDigest(roundId, vote);
        for (uint256 i = 9; i > 0; i--) {
            if ((mask >> (i - 1)) & 1 == 0) continue;
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[i - 1], digest);
            signatures[--count] = abi.encodePacked(r, s, v);
        }
    }

    function _prove(bytes32 roundId, uint256 counts) private view returns (Proof memory proof) {
        uint256[] memory signals = rounds.publicSignals(roundId, _vote(Status.SCORED), SETTLER, counts, 1);
        proof.a[0] = uint256(keccak256(abi.encode(signals)));
    }

    function _requirePaidOut(bytes32 roundId, uint256 mask, uint256 fee) private {
        require(address(rounds).balance == fee, "escrow");
        uint256 shares = rounds.round(roundId).shares;
        for (uint256 i = 0; i < keys.length; i++) {
            if ((mask >> i) & 1 == 0) continue;
            address validator = vm.addr(keys[i]);
            vm.deal(validator, 0);
            vm.prank(validator);
            rounds.claimFee(roundId);
            require(validator.balance == fee / shares, "share");
        }
        vm.prank(SETTLER);
        rounds.claimFee(roundId);
        require(SETTLER.balance == fee / shares + fee % shares, "settler's share");
        require(address(rounds).balance == 0, "left over");
    }
}

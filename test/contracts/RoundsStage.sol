// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitRegistry} from "../../contracts/ICircuitRegistry.sol";
import {Fold, Head, IModelRegistry, Policy} from "../../contracts/IModelRegistry.sol";
import {IInferenceRegistry} from "../../contracts/IInferenceRegistry.sol";
import {IRounds, Round, State, Status, Vote} from "../../contracts/IRounds.sol";
import {IRewards} from "../../contracts/IRewards.sol";
import {IValidatorRegistry, ValidatorState} from "../../contracts/IValidatorRegistry.sol";
import {RewardToken} from "../../contracts/RewardToken.sol";
import {Parts} from "../../contracts/RoundRecords.sol";
import {RoundsLedger, vm} from "./RoundsLedger.sol";
import {VerifierSpy} from "./VerifierSpy.sol";

/// @notice The contracts as they are deployed, two models, and what any move needs.
/// @dev Rounds and its neighbours are taken from the artifacts of the last `hardhat build`: this file alone does not
/// build them again.
abstract contract RoundsStage is RoundsLedger {
    modifier move() {
        vm.warp(time);
        vm.roll(height);
        _;
        _watchTurns();
    }

    constructor() {
        vm.warp(time);
        vm.roll(height);
        address accessManager = _deploy("AccessManager.sol:AccessManager", abi.encode(GUARDIAN));
        modelRegistry = IModelRegistry(_deploy("contracts/ModelRegistry.sol:ModelRegistry", ""));
        spy = new VerifierSpy();
        bytes memory arguments = abi.encode(accessManager, uint40(63 days));
        validatorRegistry = IValidatorRegistry(_deploy("ValidatorRegistry.sol:ValidatorRegistry", arguments));
        rewards = IRewards(_deploy("Rewards.sol:Rewards", abi.encode(address(modelRegistry))));
        IInferenceRegistry none = IInferenceRegistry(address(0));
        Parts memory parts = Parts(modelRegistry, ICircuitRegistry(address(spy)), none, validatorRegistry, rewards);
        rounds = IRounds(_deploy("contracts/Rounds.sol:Rounds", abi.encode(parts, accessManager)));
        token = new RewardToken("Reward", "RWD", CAP, address(rewards), TOKEN_OWNER);
        expectedClock = rounds.clock();
        for (uint256 i = 0; i < 3; i++) {
            contributors[i] = vm.addr(500 + i);
        }
        for (uint256 i = 0; i < 7; i++) {
            _register(STAKE + i * STAKE / 4);
        }
        for (uint256 m = 0; m < MODELS; m++) {
            heads[m] = Head(7 + m, "set");
            (Policy memory policy, Fold[] memory folds) = (_policy(m, 0), _folds(3));
            vm.prank(OWNER);
            modelIds[m] =
                modelRegistry.registerModel(bytes32(m), address(rounds), address(token), heads[m], policy, folds);
            _allocate(m, 60e18);
        }
    }

    /// @dev As it is built to be deployed, and not with this file's settings.
    function _deploy(string memory artifact, bytes memory arguments) private returns (address deployed) {
        bytes memory code = bytes.concat(vm.getCode(artifact), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(deployed != address(0), artifact);
    }

    function roundCount() external view returns (uint256) {
        return roundIds.length;
    }

    function moveCount() external view returns (uint256) {
        return moves.length;
    }

    function _call(address by, address to, uint256 value, bytes memory data)
        internal
        returns (bool ok, bytes memory result)
    {
        if (value != 0) vm.deal(by, by.balance + value);
        vm.prank(by);
        (ok, result) = to.call{value: value}(data);
    }

    function _asRounds(address by, uint256 value, bytes memory data) internal returns (bool ok) {
        (ok,) = _call(by, address(rounds), value, data);
    }

    function _count(string memory name) internal {
        if (successes[name]++ == 0) moves.push(name);
    }

    function _warp(uint256 seconds_) internal {
        _watchTurns();
        uint256 from = time < pausedUntil ? pausedUntil : time;
        time += seconds_;
        if (time > from) expectedClock += time - from;
        vm.warp(time);
    }

    /// @dev Until the clock shows it, unless it does not move.
    function _until(uint256 clock) internal {
        if (clock <= expectedClock) return;
        _warp((time < pausedUntil ? pausedUntil - time : 0) + clock - expectedClock);
    }

    function _roll(uint256 blocks) internal {
        height += blocks;
        vm.roll(height);
    }

    /// @dev The first of those that wait, by the order of their commits.
    function _front(uint256 m) internal returns (bytes32) {
        bytes32[] storage queue = queues[m];
        while (fronts[m] < queue.length && rounds.round(queue[fronts[m]]).state != State.COMMITTED) fronts[m]++;
        return fronts[m] < queue.length ? queue[fronts[m]] : bytes32(0);
    }

    function _watchTurns() internal {
        for (uint256 m = 0; m < MODELS; m++) {
            bytes32 turn = rounds.slot(modelIds[m]) == 0 ? _front(m) : bytes32(0);
            if (turn == turnOf[m]) continue;
            turnOf[m] = turn;
            turnSince[m] = expectedClock;
        }
    }

    function _register(uint256 stake) internal returns (bool ok) {
        address account = vm.addr(1_000 + validators.length);
        bytes memory data = abi.encodeCall(IValidatorRegistry.register, (address(rounds), "age1"));
        (ok,) = _call(account, address(validatorRegistry), stake, data);
        if (!ok) return false;
        validators.push(account);
        placeOf[account] = validators.length;
    }

    function _allocate(uint256 m, uint256 amount) internal returns (bool ok) {
        bytes memory data = abi.encodeCall(IRewards.allocateBudget, (modelIds[m], amount));
        (ok,) = _call(TOKEN_OWNER, address(rewards), 0, data);
        if (ok) allocated[m] += amount;
    }

    /// @dev The first model names four that are active; the other draws three to five of all.
    function _policy(uint256 m, uint256 variant) internal view returns (Policy memory p) {
        p.circuitId = spy.CIRCUIT_ID();
        p.metric = "accuracy";
        p.payPoint = variant % 2 == 1;
        p.roundsPerFold = 2;
        p.minContributionRows = 1;
        p.tokensPerDeltaOne = 1e18;
        p.maxReward = 10e18;
        p.epochReward = 50e18;
        p.epochDuration = 1 days;
        p.vestingDuration = variant % 3 == 2 ? 30 days : 0;
        p.evaluationFee = variant % 7 == 6 ? 0 : uint96(1_000_003 + variant % 5);
        p.bond = variant % 11 == 10 ? 0 : 2_000_011;
        p.openDuration = 2 hours;
        p.voteDuration = 2 hours;
        p.revealDuration = 1 hours;
        p.settleDuration = 1 hours;
        p.delay = 30 minutes;
        p.minStake = uint96(STAKE);
        if (m == 0) p.validators = _allowlist(4);
        else p.committeeSize = uint8(3 + variant % 3);
        p.threshold = uint8((m == 0 ? p.validators.length : p.committeeSize) / 2 + 1);
        (p.gate.alpha30, p.gate.zMicro, p.gate.minDeltaBps, p.gate.minRows) = (2 ** 25, 1_900_000, 10, 1_000);
    }

    function _allowlist(uint256 size) private view returns (address[] memory list) {
        list = new address[](size);
        uint256 count = 0;
        for (uint256 i = 0; i < validators.length && count < size; i++) {
            if (validatorRegistry.validator(validators[i]).state != ValidatorState.ACTIVE) continue;
            uint256 place = count++;
            for (; place > 0 && list[place - 1] > validators[i]; place--) {
                list[place] = list[place - 1];
            }
            list[place] = validators[i];
        }
        if (count == 0) list[count++] = OUTSIDER;
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    /// @dev Each fold has a tree of two rows, one of which is in all of them.
    function _folds(uint256 count) internal returns (Fold[] memory folds) {
        folds = new Fold[](count);
        for (uint256 i = 0; i < count; i++) {
            uint256 root = ++foldsMade;
            bytes32 rowsRoot = _node(_rowLeaf(DIGEST, "bench"), bytes32(root));
            folds[i] = Fold(1_000 + root, 2_000 + root, rowsRoot, "quantiser", "accuracy", 10_000, 2);
        }
    }

    /// @dev 0 and 1 are what an honest validator finds, above and below the gate; 2 to 8 find nothing to score; the rest
    /// lie.
    function voteOfKind(bytes32 roundId, uint256 kind) public view returns (Vote memory vote) {
        if (kind > 1 && kind < 9) {
            vote.status = Status(kind);
            vote.metricsHash = "metrics";
            return vote;
        }
        Round memory r = rounds.round(roundId);
        vote = Vote(
            kind == 1 ? Status.BELOW_GATE : Status.SCORED,
            _field(abi.encode("baseline", r.headCommitment, r.foldId)),
            _field(abi.encode("candidate", roundId)),
            _field(abi.encode("predictions", roundId)),
            _trainingSetRoot(r.headTrainingSetRoot, r.dataRoot),
            "metrics"
        );
        if (kind == 9) vote.candidatePredictionsRoot++;
        if (kind == 10) vote.trainingSetRoot = "another set";
        if (kind == 11) vote.baselinePredictionsRoot++;
        if (kind == 12) vote.candidateCommitment = 0;
    }

    /// @dev What most of a round's validators will say.
    function _consensus(bytes32 roundId) internal pure returns (uint256 kind) {
        kind = uint256(keccak256(abi.encode("consensus", roundId))) % 16;
        if (kind >= 9) kind = kind == 15 ? 9 : kind % 2;
        else if (kind % 2 == 0) kind = 0;
    }
}

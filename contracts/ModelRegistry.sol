// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ContractCode} from "./ContractCode.sol";
import {DeltaOne, GateTerms} from "./DeltaOne.sol";
import {Fold, Head, IModelRegistry, Model, Policy, SCALAR_FIELD} from "./IModelRegistry.sol";

contract ModelRegistry is IModelRegistry {
    bytes32 private constant TAG_MODEL = keccak256("hokusai.model");
    bytes32 private constant TAG_FOLD = keccak256("hokusai.fold");
    bytes32 private constant TAG_BENCHMARK = keccak256("hokusai.benchmark");

    uint256 private constant MAX_ROWS = 2 ** 31 - 1;
    /// @dev `Rounds.draw` walks over the folds that are spent.
    uint256 private constant MAX_FOLDS = 64;
    /// @dev What ValidatorRegistry packs into a word.
    uint256 private constant MAX_SEATS = 16;

    mapping(bytes32 modelId => Model) private _models;
    mapping(bytes32 benchmarkId => bytes32[]) private _foldIds;
    mapping(bytes32 foldId => Fold) private _folds;
    /// @dev Where the policy's bytes are kept as code.
    mapping(bytes32 policyHash => address) private _policies;

    /// @inheritdoc IModelRegistry
    function registerModel(
        bytes32 salt,
        address rounds,
        address rewardToken,
        Head calldata initialHead,
        Policy calldata policy_,
        Fold[] calldata folds
    ) external returns (bytes32 modelId) {
        modelId = keccak256(abi.encode(TAG_MODEL, block.chainid, address(this), msg.sender, salt));
        Model storage registered = _models[modelId];
        if (registered.owner != address(0)) revert ModelRegistryModelExists(modelId);
        _requireFieldElement(initialHead.modelCommitment);
        registered.owner = msg.sender;
        registered.rounds = rounds;
        registered.rewardToken = rewardToken;
        registered.metric = policy_.metric;
        registered.head = initialHead;
        emit ModelRegistered(
            modelId,
            msg.sender,
            rounds,
            rewardToken,
            policy_.metric,
            salt,
            initialHead.modelCommitment,
            initialHead.trainingSetRoot
        );
        _setPolicy(modelId, policy_);
        _setBenchmark(modelId, policy_.gate.minRows, folds);
    }

    /// @inheritdoc IModelRegistry
    function updatePolicy(bytes32 modelId, Policy calldata policy_) external returns (bytes32 policyHash) {
        _requireOwner(modelId);
        bytes32[] memory ids = _foldIds[_models[modelId].benchmarkId];
        for (uint256 i = 0; i < ids.length; i++) {
            _requireRows(ids[i], _folds[ids[i]].n, policy_.gate.minRows);
        }
        return _setPolicy(modelId, policy_);
    }

    /// @inheritdoc IModelRegistry
    function updateBenchmark(bytes32 modelId, Fold[] calldata folds) external returns (bytes32 benchmarkId) {
        _requireOwner(modelId);
        return _setBenchmark(modelId, policy(_models[modelId].policyHash).gate.minRows, folds);
    }

    /// @inheritdoc IModelRegistry
    function advanceHead(bytes32 modelId, bytes32 roundId, Head calldata next) external {
        Model storage registered = _model(modelId);
        if (msg.sender != registered.rounds) revert ModelRegistryNotRounds(modelId, registered.rounds, msg.sender);
        _requireFieldElement(next.modelCommitment);
        Head memory previous = registered.head;
        registered.head = next;
        registered.headRound = roundId;
        emit HeadAdvanced(
            modelId,
            roundId,
            previous.modelCommitment,
            previous.trainingSetRoot,
            next.modelCommitment,
            next.trainingSetRoot
        );
    }

    /// @inheritdoc IModelRegistry
    function model(bytes32 modelId) external view returns (Model memory) {
        return _model(modelId);
    }

    /// @inheritdoc IModelRegistry
    function head(bytes32 modelId) external view returns (Head memory) {
        if (_models[modelId].head.modelCommitment == 0) revert ModelRegistryUnknownModel(modelId);
        return _models[modelId].head;
    }

    /// @inheritdoc IModelRegistry
    function foldIds(bytes32 benchmarkId) external view returns (bytes32[] memory) {
        if (_foldIds[benchmarkId].length == 0) revert ModelRegistryUnknownBenchmark(benchmarkId);
        return _foldIds[benchmarkId];
    }

    /// @inheritdoc IModelRegistry
    function fold(bytes32 foldId) external view returns (Fold memory) {
        if (_folds[foldId].n == 0) revert ModelRegistryUnknownFold(foldId);
        return _folds[foldId];
    }

    /// @inheritdoc IModelRegistry
    function policy(bytes32 policyHash) public view returns (Policy memory) {
        address pointer = _policies[policyHash];
        if (pointer == address(0)) revert ModelRegistryUnknownPolicy(policyHash);
        return abi.decode(ContractCode.read(pointer), (Policy));
    }

    function _setPolicy(bytes32 modelId, Policy calldata policy_) private returns (bytes32 policyHash) {
        _requireInRange(policy_);
        if (policy_.metric != _models[modelId].metric) {
            revert ModelRegistryMetricMismatch(_models[modelId].metric, policy_.metric);
        }
        bytes memory encoded = abi.encode(policy_);
        policyHash = keccak256(encoded);
        if (_policies[policyHash] == address(0)) _policies[policyHash] = ContractCode.write(encoded);
        _models[modelId].policyHash = policyHash;
        emit PolicyRegistered(modelId, policyHash, policy_);
    }

    function _setBenchmark(bytes32 modelId, uint256 minRows, Fold[] calldata folds)
        private
        returns (bytes32 benchmarkId)
    {
        if (folds.length == 0 || folds.length > MAX_FOLDS) {
            revert ModelRegistryFoldCountOutOfRange(folds.length, MAX_FOLDS);
        }
        bytes32 metric = _models[modelId].metric;
        bytes32[] memory ids = new bytes32[](folds.length);
        for (uint256 i = 0; i < folds.length; i++) {
            Fold calldata next = folds[i];
            ids[i] = keccak256(abi.encode(TAG_FOLD, next));
            if (next.metric != metric) revert ModelRegistryMetricMismatch(metric, next.metric);
            if (DeltaOne.countsLength(metric, next.classes) == 0) {
                revert ModelRegistryUnsupportedMetric(metric, next.classes);
            }
            _requireRows(ids[i], next.n, minRows);
            _requireFieldElement(next.labelsRoot);
            _requireFieldElement(next.featuresRoot);
            _folds[ids[i]] = next;
        }
        benchmarkId = keccak256(abi.encode(TAG_BENCHMARK, ids));
        _foldIds[benchmarkId] = ids;
        _models[modelId].benchmarkId = benchmarkId;
        emit BenchmarkRegistered(modelId, benchmarkId, ids, folds);
    }

    function _model(bytes32 modelId) private view returns (Model storage registered) {
        registered = _models[modelId];
        if (registered.owner == address(0)) revert ModelRegistryUnknownModel(modelId);
    }

    function _requireOwner(bytes32 modelId) private view {
        address owner = _model(modelId).owner;
        if (msg.sender != owner) revert ModelRegistryNotOwner(modelId, owner, msg.sender);
    }

    function _requireInRange(Policy calldata p) private pure {
        _requireGate(p.gate);
        _requireWithin("roundsPerFold", p.roundsPerFold, 1, 1_000);
        _requireWithin("minContributionRows", p.minContributionRows, 1, type(uint32).max);
        _requireWithin("tokensPerDeltaOne", p.tokensPerDeltaOne, 100, type(uint128).max);
        _requireWithin("epochReward", p.epochReward, 1, type(uint128).max);
        _requireWithin("maxReward", p.maxReward, 1, p.epochReward);
        _requireWithin("epochDuration", p.epochDuration, 1 hours, 366 days);
        _requireWithin("vestingDuration", p.vestingDuration, 0, 4 * 365 days);
        _requireWithin("openDuration", p.openDuration, 1 minutes, 30 days);
        _requireWithin("voteDuration", p.voteDuration, 1 minutes, 14 days);
        _requireWithin("revealDuration", p.revealDuration, 1 minutes, 3 days);
        _requireWithin("settleDuration", p.settleDuration, 1 minutes, 3 days);
        _requireWithin("delay", p.delay, 0, 7 days);
        _requireCommittee(p);
    }

    function _requireGate(GateTerms calldata g) private pure {
        _requireWithin("alpha30", g.alpha30, 1, 2 ** 29);
        _requireWithin("zMicro", g.zMicro, 1, 10_000_000);
        _requireWithin("minDeltaBps", g.minDeltaBps, 0, 9_999);
        _requireWithin("minRows", g.minRows, 1, MAX_ROWS);
        _requireWithin("minPositives", g.minPositives, 0, MAX_ROWS);
        _requireWithin("guardrails", g.guardrails.length, 0, 8);
    }

    /// @dev Either a committee by lot or validators by name.
    function _requireCommittee(Policy calldata p) private pure {
        _requireWithin("committeeSize", p.committeeSize, 0, MAX_SEATS);
        bool byLot = p.committeeSize != 0;
        _requireWithin("validators", p.validators.length, byLot ? 0 : 1, byLot ? 0 : MAX_SEATS);
        uint256 seats = byLot ? p.committeeSize : p.validators.length;
        _requireWithin("threshold", p.threshold, seats / 2 + 1, seats);
        address previous = address(0);
        for (uint256 i = 0; i < p.validators.length; i++) {
            if (p.validators[i] <= previous) revert ModelRegistryUnorderedValidator(previous, p.validators[i]);
            previous = p.validators[i];
        }
    }

    function _requireWithin(bytes32 field, uint256 value, uint256 min, uint256 max) private pure {
        if (value < min || value > max) revert ModelRegistryPolicyOutOfRange(field, value, min, max);
    }

    function _requireRows(bytes32 foldId, uint256 n, uint256 minRows) private pure {
        if (n < minRows || n > MAX_ROWS) revert ModelRegistryFoldRowsOutOfRange(foldId, n, minRows, MAX_ROWS);
    }

    function _requireFieldElement(uint256 value) private pure {
        if (value == 0 || value >= SCALAR_FIELD) revert ModelRegistryNotFieldElement(value);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitRegistry} from "./ICircuitRegistry.sol";
import {IInferenceRegistry} from "./IInferenceRegistry.sol";
import {Fold, IModelRegistry, Model, Policy} from "./IModelRegistry.sol";
import {IRewards} from "./IRewards.sol";
import {Contribution, IRounds, Round, State, VoidReason, Vote} from "./IRounds.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";
import {RoundClock} from "./RoundClock.sol";

/// @dev The contracts that rounds are played with.
struct Parts {
    IModelRegistry modelRegistry;
    ICircuitRegistry circuitRegistry;
    IInferenceRegistry inferenceRegistry;
    IValidatorRegistry validatorRegistry;
    IRewards rewards;
}

/// @notice What is kept of a round, and what follows from it: its id, the context and the public signals of its proof.
abstract contract RoundRecords is RoundClock {
    bytes32 private constant TAG_COMMITMENT = keccak256("hokusai.commitment");
    bytes32 private constant TAG_ROUND = keccak256("hokusai.round");
    bytes32 private constant TAG_CONTEXT = keccak256("hokusai.context");

    /// @inheritdoc IRounds
    IModelRegistry public immutable modelRegistry;
    /// @inheritdoc IRounds
    ICircuitRegistry public immutable circuitRegistry;
    /// @inheritdoc IRounds
    IInferenceRegistry public immutable inferenceRegistry;
    /// @inheritdoc IRounds
    IValidatorRegistry public immutable validatorRegistry;
    /// @inheritdoc IRounds
    IRewards public immutable rewards;

    mapping(bytes32 roundId => Round) internal _rounds;

    constructor(Parts memory parts) {
        modelRegistry = parts.modelRegistry;
        circuitRegistry = parts.circuitRegistry;
        inferenceRegistry = parts.inferenceRegistry;
        validatorRegistry = parts.validatorRegistry;
        rewards = parts.rewards;
    }

    /// @inheritdoc IRounds
    function round(bytes32 roundId) external view returns (Round memory) {
        return _rounds[roundId];
    }

    /// @inheritdoc IRounds
    function contextHash(bytes32 roundId, uint256 candidateCommitment, address settler)
        external
        view
        returns (uint256)
    {
        Round storage r = _rounds[roundId];
        return _contextHash(roundId, r, _policyOf(r), candidateCommitment, settler);
    }

    /// @inheritdoc IRounds
    function publicSignals(
        bytes32 roundId,
        Vote calldata vote,
        address settler,
        uint256[] calldata counts,
        uint256 attestationHash
    ) external view returns (uint256[] memory) {
        Round storage r = _rounds[roundId];
        uint256 context =
            _contextHash(roundId, r, _policyOf(r), vote.candidateCommitment, settler);
        return _publicSignals(_foldOf(r).labelsRoot, vote, counts, attestationHash, context);
    }

    /// @inheritdoc IRounds
    function commitmentOf(Contribution calldata contribution)
        public
        view
        returns (bytes32 commitment, bytes32 roundId)
    {
        commitment = keccak256(abi.encode(TAG_COMMITMENT, block.chainid, address(this), contribution));
        roundId = _roundId(commitment);
    }

    function _roundId(bytes32 commitment) internal view returns (bytes32) {
        return keccak256(abi.encode(TAG_ROUND, block.chainid, address(this), commitment));
    }

    function _publicSignals(
        uint256 labelsRoot,
        Vote calldata vote,
        uint256[] calldata counts,
        uint256 attestationHash,
        uint256 context
    ) internal pure returns (uint256[] memory signals) {
        signals = new uint256[](counts.length + 5);
        signals[0] = attestationHash;
        signals[1] = labelsRoot;
        signals[2] = vote.baselinePredictionsRoot;
        signals[3] = vote.candidatePredictionsRoot;
        for (uint256 i = 0; i < counts.length; i++) {
            signals[4 + i] = counts[i];
        }
        signals[4 + counts.length] = context;
    }

    /// @dev The shift makes it a field element without a bias.
    function _contextHash(
        bytes32 roundId,
        Round storage r,
        Policy memory policy,
        uint256 candidateCommitment,
        address settler
    ) internal view returns (uint256) {
        bytes memory context = abi.encode(
            TAG_CONTEXT,
            block.chainid,
            address(this),
            roundId,
            r.modelId,
            r.headCommitment,
            r.headTrainingSetRoot,
            r.dataRoot,
            r.payeesRoot,
            r.foldId,
            r.policyHash,
            policy.trainSpecHash,
            policy.circuitId,
            candidateCommitment,
            settler
        );
        return uint256(keccak256(context)) >> 8;
    }

    function _policyOf(Round storage r) internal view returns (Policy memory) {
        return modelRegistry.policy(r.policyHash);
    }

    function _foldOf(Round storage r) internal view returns (Fold memory) {
        return modelRegistry.fold(r.foldId);
    }

    function _requireState(bytes32 roundId, State expected) internal view returns (Round storage r) {
        r = _rounds[roundId];
        if (r.state != expected) revert RoundsWrongState(roundId, expected, r.state);
    }

    /// @dev The bit of an account's seat; zero where it has none. Who never registered has no seat anywhere, and is told
    /// so without a look at the round: most who ask are payees.
    function _seatBit(Round storage r, address account) internal view returns (uint16 bit) {
        uint256 id = validatorRegistry.idOf(account);
        if (id == 0) return 0;
        uint256 committee = r.committee;
        for (bit = 1; committee != 0 && uint16(committee) != id; bit <<= 1) {
            committee >>= 16;
        }
        if (committee == 0) return 0;
    }

    function _requireBy(bytes32 roundId, uint256 deadline) internal view {
        if (clock() > deadline) revert RoundsDeadlinePassed(roundId, deadline, clock());
    }

    function _requireAfter(bytes32 roundId, uint256 deadline) internal view {
        if (clock() <= deadline) revert RoundsDeadlineNotPassed(roundId, deadline, clock());
    }

    /// @dev What a contributor saw is what he gets.
    function _requireCurrent(bytes32 seenPolicy, bytes32 policyHash, bytes32 seenBenchmark, bytes32 benchmarkId)
        internal
        pure
    {
        if (seenPolicy != policyHash) revert RoundsStalePolicy(seenPolicy, policyHash);
        if (seenBenchmark != benchmarkId) revert RoundsStaleBenchmark(seenBenchmark, benchmarkId);
    }

    /// @dev A head that this contract cannot advance, or a budget of another contract, is none of its business.
    function _ownModel(bytes32 modelId) internal view returns (Model memory model) {
        model = modelRegistry.model(modelId);
        if (model.rounds != address(this)) revert RoundsForeignModel(modelId, model.rounds);
    }

    /// @dev Ends a round without pay. What it had reserved, and whether it held the slot, is the caller's matter.
    function _void(bytes32 roundId, Round storage r, VoidReason reason, uint96 refund) internal {
        r.state = State.VOIDED;
        r.refund = refund;
        emit RoundVoided(roundId, r.modelId, r.sponsor, reason);
    }
}

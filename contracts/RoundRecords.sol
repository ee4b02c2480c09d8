// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitRegistry} from "./ICircuitRegistry.sol";
import {IModelRegistry, Model, Policy} from "./IModelRegistry.sol";
import {Contribution, IRounds, Round, State, Vote} from "./IRounds.sol";

/// @notice What is kept of a round, and what follows from it: its id, the context and the public signals of its proof.
abstract contract RoundRecords is IRounds {
    bytes32 private constant TAG_COMMITMENT = keccak256("hokusai.commitment");
    bytes32 private constant TAG_ROUND = keccak256("hokusai.round");
    bytes32 private constant TAG_CONTEXT = keccak256("hokusai.context");

    /// @inheritdoc IRounds
    IModelRegistry public immutable modelRegistry;
    /// @inheritdoc IRounds
    ICircuitRegistry public immutable circuitRegistry;

    mapping(bytes32 roundId => Round) internal _rounds;

    constructor(IModelRegistry modelRegistry_, ICircuitRegistry circuitRegistry_) {
        modelRegistry = modelRegistry_;
        circuitRegistry = circuitRegistry_;
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
        return _contextHash(roundId, r, modelRegistry.policy(r.policyHash), candidateCommitment, settler);
    }

    /// @inheritdoc IRounds
    function publicSignals(
        bytes32 roundId,
        Vote calldata vote,
        address settler,
        uint256 countsPacked,
        uint256 attestationHash
    ) external view returns (uint256[] memory) {
        Round storage r = _rounds[roundId];
        Policy memory policy = modelRegistry.policy(r.policyHash);
        return _publicSignals(roundId, r, policy, vote, settler, countsPacked, attestationHash);
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
        bytes32 roundId,
        Round storage r,
        Policy memory policy,
        Vote calldata vote,
        address settler,
        uint256 countsPacked,
        uint256 attestationHash
    ) internal view returns (uint256[] memory signals) {
        signals = new uint256[](6);
        signals[0] = attestationHash;
        signals[1] = r.labelsRoot;
        signals[2] = vote.baselinePredictionsRoot;
        signals[3] = vote.candidatePredictionsRoot;
        signals[4] = countsPacked;
        signals[5] = _contextHash(roundId, r, policy, vote.candidateCommitment, settler);
    }

    function _requireState(bytes32 roundId, State expected) internal view returns (Round storage r) {
        r = _rounds[roundId];
        if (r.state != expected) revert RoundsWrongState(roundId, expected, r.state);
    }

    /// @dev A head that this contract cannot advance, or a budget of another contract, is none of its business.
    function _ownModel(bytes32 modelId) internal view returns (Model memory model) {
        model = modelRegistry.model(modelId);
        if (model.rounds != address(this)) revert RoundsForeignModel(modelId, model.rounds);
    }

    /// @dev The shift makes it a field element without a bias.
    function _contextHash(
        bytes32 roundId,
        Round storage r,
        Policy memory policy,
        uint256 candidateCommitment,
        address settler
    ) private view returns (uint256) {
        bytes memory context = abi.encode(
            TAG_CONTEXT,
            block.chainid,
            address(this),
            roundId,
            r.modelId,
            r.headCommitment,
            r.headTrainingSetRoot,
            r.dataRoot,
            r.payee,
            r.foldId,
            r.policyHash,
            policy.trainSpecHash,
            policy.circuitId,
            candidateCommitment,
            settler
        );
        return uint256(keccak256(context)) >> 8;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Proof} from "./Groth16.sol";

/// @notice That a model predicts on a fold what a root commits to.
/// @param circuitId an inference circuit: what CircuitRegistry verifies the chunks against
/// @param modelCommitment below SCALAR_FIELD
/// @param foldId whose featuresRoot the model read
/// @param predictionsRoot below SCALAR_FIELD
struct Inference {
    bytes32 circuitId;
    uint256 modelCommitment;
    bytes32 foldId;
    uint256 predictionsRoot;
}

/// @notice One link of a chain of proofs over a fold's rows.
/// @param stateOut where the next chunk takes up, hidden by a salt; 0 in the last
struct Chunk {
    Proof proof;
    uint256 stateOut;
}

/// @title Models proven to predict what they were scored by
/// @notice The verifier of assurance level 2. A long fold is proven in chunks, over as many transactions as the gas
/// limit asks for; once the last is verified it is on record for every round to come, so that `Rounds.settle` costs
/// the same for any model and a head is paid for once per fold.
interface IInferenceRegistry {
    /// @notice The chain of proofs is complete.
    event InferenceProven(
        uint256 indexed modelCommitment, bytes32 indexed foldId, bytes32 indexed circuitId, uint256 predictionsRoot
    );
    /// @notice Verified up to this state; `prover` goes on from it.
    event InferenceAdvanced(bytes32 indexed inferenceId, address indexed prover, uint256 stateOut);

    error InferenceRegistryNoChunk();
    error InferenceRegistryAlreadyProven(bytes32 inferenceId);
    /// @notice At least one of the proofs is bad, is another's, or does not follow on the one before; none counts.
    error InferenceRegistryInvalidProofs(bytes32 inferenceId, uint256 stateIn);
    /// @notice Only the last chunk ends in state 0.
    error InferenceRegistryChunkAfterLast(uint256 index);
    error InferenceRegistryNotProven(Inference inference);

    /// @notice Verifies the sender's next chunks in one pairing check. Anybody who has proofs may send them: what is
    /// proven is true whoever says it, and each sender's chain is his own.
    /// @dev The public signals of a chunk: modelCommitment; featuresRoot and predictionsRoot in the last, else 0 and 0;
    /// the state it takes up, which is 0 in the first; the state it leaves. The roots come from storage and from
    /// `inference`, the states from the chain so far.
    function proveInference(Inference calldata inference, Chunk[] calldata chunks) external;

    /// @notice Reverts with InferenceRegistryNotProven unless both models' predictions on a fold are on record.
    function requireProven(
        bytes32 circuitId,
        bytes32 foldId,
        uint256 headCommitment,
        uint256 baselinePredictionsRoot,
        uint256 candidateCommitment,
        uint256 candidatePredictionsRoot
    ) external view;

    function isProven(Inference calldata inference) external view returns (bool);

    /// @notice Where a sender's chain is; 0 before the first chunk and after the last.
    function stateOf(Inference calldata inference, address prover) external view returns (uint256);

    /// @notice keccak256(abi.encode(inference))
    function inferenceIdOf(Inference calldata inference) external pure returns (bytes32);
}

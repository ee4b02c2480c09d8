// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitRegistry, Proof} from "./ICircuitRegistry.sol";
import {Chunk, IInferenceRegistry, Inference} from "./IInferenceRegistry.sol";
import {IModelRegistry} from "./IModelRegistry.sol";

contract InferenceRegistry is IInferenceRegistry {
    IModelRegistry public immutable modelRegistry;
    ICircuitRegistry public immutable circuitRegistry;

    mapping(bytes32 inferenceId => bool) private _proven;
    mapping(bytes32 inferenceId => mapping(address prover => uint256)) private _states;

    constructor(IModelRegistry modelRegistry_, ICircuitRegistry circuitRegistry_) {
        modelRegistry = modelRegistry_;
        circuitRegistry = circuitRegistry_;
    }

    /// @inheritdoc IInferenceRegistry
    function proveInference(Inference calldata inference, Chunk[] calldata chunks) external {
        bytes32 id = inferenceIdOf(inference);
        if (chunks.length == 0) revert InferenceRegistryNoChunk();
        if (_proven[id]) revert InferenceRegistryAlreadyProven(id);
        uint256 stateIn = _states[id][msg.sender];
        (Proof[] memory proofs, uint256[][] memory signals) = _statements(inference, chunks, stateIn);
        if (!circuitRegistry.verifyAll(inference.circuitId, proofs, signals)) {
            revert InferenceRegistryInvalidProofs(id, stateIn);
        }
        uint256 stateOut = chunks[chunks.length - 1].stateOut;
        _states[id][msg.sender] = stateOut;
        if (stateOut != 0) {
            emit InferenceAdvanced(id, msg.sender, stateOut);
            return;
        }
        _proven[id] = true;
        emit InferenceProven(
            inference.modelCommitment, inference.foldId, inference.circuitId, inference.predictionsRoot
        );
    }

    /// @inheritdoc IInferenceRegistry
    function requireProven(
        bytes32 circuitId,
        bytes32 foldId,
        uint256 headCommitment,
        uint256 baselinePredictionsRoot,
        uint256 candidateCommitment,
        uint256 candidatePredictionsRoot
    ) external view {
        _requireProven(Inference(circuitId, headCommitment, foldId, baselinePredictionsRoot));
        _requireProven(Inference(circuitId, candidateCommitment, foldId, candidatePredictionsRoot));
    }

    /// @inheritdoc IInferenceRegistry
    function isProven(Inference calldata inference) external view returns (bool) {
        return _proven[inferenceIdOf(inference)];
    }

    /// @inheritdoc IInferenceRegistry
    function stateOf(Inference calldata inference, address prover) external view returns (uint256) {
        return _states[inferenceIdOf(inference)][prover];
    }

    /// @inheritdoc IInferenceRegistry
    function inferenceIdOf(Inference calldata inference) public pure returns (bytes32) {
        return keccak256(abi.encode(inference));
    }

    function _requireProven(Inference memory inference) private view {
        if (!_proven[keccak256(abi.encode(inference))]) revert InferenceRegistryNotProven(inference);
    }

    /// @dev What each chunk has to prove, after the state that the sender's chain is in.
    function _statements(Inference calldata inference, Chunk[] calldata chunks, uint256 stateIn)
        private
        view
        returns (Proof[] memory proofs, uint256[][] memory signals)
    {
        uint256 featuresRoot = modelRegistry.fold(inference.foldId).featuresRoot;
        proofs = new Proof[](chunks.length);
        signals = new uint256[][](chunks.length);
        for (uint256 i = 0; i < chunks.length; i++) {
            uint256 stateOut = chunks[i].stateOut;
            proofs[i] = chunks[i].proof;
            signals[i] = new uint256[](5);
            signals[i][0] = inference.modelCommitment;
            if (stateOut == 0) {
                if (i + 1 != chunks.length) revert InferenceRegistryChunkAfterLast(i + 1);
                (signals[i][1], signals[i][2]) = (featuresRoot, inference.predictionsRoot);
            }
            (signals[i][3], signals[i][4]) = (stateIn, stateOut);
            stateIn = stateOut;
        }
    }
}

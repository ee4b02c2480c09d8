// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Policy} from "./IModelRegistry.sol";
import {IRounds, Vote} from "./IRounds.sol";

/// @notice Who signed a vote.
abstract contract RoundVotes is IRounds, EIP712 {
    bytes32 private constant VOTE_TYPEHASH = keccak256(
        "Vote(bytes32 roundId,uint8 status,uint256 baselinePredictionsRoot,uint256 candidateCommitment,"
        "uint256 candidatePredictionsRoot,bytes32 trainingSetRoot,bytes32 metricsHash)"
    );

    constructor() EIP712("Hokusai Rounds", "1") {}

    /// @inheritdoc IRounds
    function voteDigest(bytes32 roundId, Vote calldata vote) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VOTE_TYPEHASH, roundId, vote)));
    }

    /// @dev Signers and validators both ascend, so one walk over the validators finds every signer, and none twice.
    /// @return signers bit i: policy.validators[i]
    function _requireQuorum(bytes32 roundId, Policy memory policy, Vote calldata vote, bytes[] calldata signatures)
        internal
        view
        returns (uint256 signers)
    {
        if (signatures.length < policy.threshold) {
            revert RoundsTooFewSignatures(roundId, policy.threshold, signatures.length);
        }
        bytes32 digest = voteDigest(roundId, vote);
        address previous = address(0);
        uint256 index = 0;
        for (uint256 i = 0; i < signatures.length; i++) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i]);
            if (signer <= previous) revert RoundsUnorderedSigner(roundId, previous, signer);
            while (index < policy.validators.length && policy.validators[index] < signer) index++;
            if (index == policy.validators.length || policy.validators[index] != signer) {
                revert RoundsNotValidator(roundId, signer);
            }
            signers |= 1 << index;
            previous = signer;
        }
    }
}

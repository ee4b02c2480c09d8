// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IRounds, Overlap, Round, State, VoidReason, Vote} from "./IRounds.sol";
import {RoundEscrow} from "./RoundEscrow.sol";
import {RoundQueue} from "./RoundQueue.sol";
import {RoundVotes} from "./RoundVotes.sol";

/// @notice What voids a settled round during its delay: objective proofs of fraud, and the owner's veto. None of them
/// can redirect anything. A fold stays spent by a round that was voided: its counts are known.
abstract contract RoundFrauds is RoundQueue, RoundVotes, RoundEscrow {
    bytes32 private constant TAG_ROW = keccak256("hokusai.row");
    bytes32 private constant TAG_DATA = keccak256("hokusai.data");

    /// @inheritdoc IRounds
    function proveOverlap(bytes32 roundId, Overlap calldata overlap) external {
        Round storage r = _requireInDelay(roundId);
        bytes32 dataRoot =
            keccak256(abi.encode(TAG_DATA, overlap.rowsRoot, overlap.featuresRoot, uint256(r.rows)));
        if (dataRoot != r.dataRoot) revert RoundsDataRootMismatch(roundId, r.dataRoot, dataRoot);
        bool contributed = _isRow(
            overlap.contributionProof, overlap.featuresRoot, overlap.digest, overlap.contributionSalt
        );
        bool measured =
            _isRow(overlap.benchmarkProof, _foldOf(r).rowsRoot, overlap.digest, overlap.benchmarkSalt);
        if (!contributed || !measured) revert RoundsNoOverlap(roundId, overlap.digest);
        _voidSettled(roundId, r, VoidReason.OVERLAP, r.evaluationFee);
        _forfeit(roundId, r.bond, msg.sender);
    }

    /// @inheritdoc IRounds
    function proveDoubleVote(
        bytes32 roundId,
        Vote calldata first,
        bytes calldata firstSignature,
        Vote calldata second,
        bytes calldata secondSignature
    ) external {
        Round storage r = _rounds[roundId];
        (bytes32 digest, bytes32 other) = (voteDigest(roundId, first), voteDigest(roundId, second));
        address signer = ECDSA.recoverCalldata(digest, firstSignature);
        if (digest == other || signer != ECDSA.recoverCalldata(other, secondSignature)) {
            revert RoundsNoDoubleVote(roundId);
        }
        uint16 bit = _requireSeat(roundId, r, signer);
        if (r.state == State.SETTLED && clock() < r.finalisableAt && r.shareholders & bit != 0) {
            r.shareholders &= ~bit;
            if (_count(r.shareholders) < _policyOf(r).threshold) {
                _voidSettled(roundId, r, VoidReason.DOUBLE_VOTE, r.bond + r.evaluationFee);
            }
        }
        validatorRegistry.slash(signer, msg.sender);
    }

    /// @inheritdoc IRounds
    function veto(bytes32 roundId) external payable {
        Round storage r = _requireInDelay(roundId);
        address owner = _ownModel(r.modelId).owner;
        if (msg.sender != owner) revert RoundsNotModelOwner(r.modelId, owner, msg.sender);
        if (msg.value != r.evaluationFee) revert RoundsWrongDeposit(r.evaluationFee, msg.value);
        // The work was done: with the owner's fee for the sponsor, the escrowed one is still the validators'.
        _voidSettled(roundId, r, VoidReason.VETOED, r.bond + r.evaluationFee);
    }

    /// @dev A round without a settler has no shares; its fee is in the refund.
    function _voidSettled(bytes32 roundId, Round storage r, VoidReason reason, uint96 refund) private {
        if (reason != VoidReason.VETOED) r.settler = address(0);
        _void(roundId, r, reason, refund);
        _giveBack(roundId, r);
    }

    /// @dev What a round that pays nothing had taken.
    function _giveBack(bytes32 roundId, Round storage r) internal {
        _freeSlot(r.modelId);
        rewards.keep(r.modelId, roundId, 0);
    }

    /// @dev Leaves are hashed twice, so that no inner node passes for one.
    function _isRow(bytes32[] calldata proof, bytes32 root, bytes32 digest, bytes32 salt)
        private
        pure
        returns (bool)
    {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(TAG_ROW, digest, salt))));
        return MerkleProof.verifyCalldata(proof, root, leaf);
    }

    function _requireInDelay(bytes32 roundId) private view returns (Round storage r) {
        r = _requireState(roundId, State.SETTLED);
        if (clock() >= r.finalisableAt) revert RoundsDelayPassed(roundId, r.finalisableAt, clock());
    }
}

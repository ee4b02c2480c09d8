// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IRounds, Contribution, Round, State, Vote} from "./IRounds.sol";
import {IRoundVoters} from "./IRewards.sol";
import {RoundRecords} from "./RoundRecords.sol";

/// @notice Votes, committed and then revealed by the seats of a round's committee, and who voted for what.
abstract contract RoundVotes is RoundRecords, EIP712 {
    bytes32 private constant TAG_VOTE = keccak256("hokusai.vote");
    bytes32 private constant VOTE_TYPEHASH = keccak256(
        "Vote(bytes32 roundId,uint8 status,uint256 baselinePredictionsRoot,uint256 candidateCommitment,"
        "uint256 candidatePredictionsRoot,bytes32 trainingSetRoot,bytes32 metricsHash)"
    );
    bytes32 private constant CONTRIBUTION_TYPEHASH = keccak256(
        "Contribution(bytes32 modelId,address contributor,bytes32 payeesRoot,bytes32 dataRoot,uint32 rows,"
        "bytes32 ciphertextHash,bytes32 policyHash,bytes32 benchmarkId,bytes32 salt)"
    );

    /// @dev By the bit of a seat: the voteHash; from its reveal on the hash of what was voted.
    mapping(bytes32 roundId => mapping(uint256 bit => bytes32)) private _votes;

    constructor() EIP712("Hokusai Rounds", "1") {}

    /// @inheritdoc IRounds
    function voteCommit(bytes32 roundId, bytes32 voteHash_) external {
        Round storage r = _requireState(roundId, State.VOTING);
        _requireBy(roundId, r.voteDeadline);
        uint16 bit = _requireSeat(roundId, r, msg.sender);
        if (r.committed & bit != 0) revert RoundsAlreadyVoted(roundId, msg.sender);
        r.committed |= bit;
        _votes[roundId][bit] = voteHash_;
        emit VoteCommitted(roundId, msg.sender, voteHash_);
    }

    /// @inheritdoc IRounds
    function voteReveal(bytes32 roundId, Vote calldata vote, bytes32 salt) external {
        Round storage r = _requireState(roundId, State.VOTING);
        if (!_allCommitted(r)) revert RoundsVoteStillOpen(roundId, r.voteDeadline, clock());
        _requireBy(roundId, r.revealDeadline);
        uint16 bit = _requireSeat(roundId, r, msg.sender);
        if (r.committed & ~r.revealed & bit == 0) revert RoundsNoVote(roundId, msg.sender);
        bytes32 actual = voteHash(roundId, msg.sender, vote, salt);
        bytes32 expected = _votes[roundId][bit];
        if (actual != expected) revert RoundsVoteMismatch(roundId, msg.sender, expected, actual);
        r.revealed |= bit;
        _votes[roundId][bit] = keccak256(abi.encode(vote));
        emit VoteRevealed(roundId, msg.sender, vote.status, vote);
    }

    /// @inheritdoc IRoundVoters
    function hasVoted(bytes32 roundId, address account) external view returns (bool) {
        Round storage r = _rounds[roundId];
        uint16 bit = _seatBit(r, account);
        return bit != 0 && r.revealed & bit != 0;
    }

    /// @inheritdoc IRounds
    function voteOf(bytes32 roundId, address validator) external view returns (bytes32) {
        return _votes[roundId][_requireSeat(roundId, _rounds[roundId], validator)];
    }

    /// @inheritdoc IRounds
    function voteHash(bytes32 roundId, address validator, Vote calldata vote, bytes32 salt)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(TAG_VOTE, block.chainid, address(this), roundId, validator, vote, salt));
    }

    /// @inheritdoc IRounds
    function voteDigest(bytes32 roundId, Vote calldata vote) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VOTE_TYPEHASH, roundId, vote)));
    }

    /// @inheritdoc IRounds
    function contributionDigest(Contribution calldata contribution) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CONTRIBUTION_TYPEHASH, contribution)));
    }

    /// @dev The seats that revealed this vote, if they are enough and nobody can reveal any more.
    function _requireQuorum(bytes32 roundId, Round storage r, uint256 threshold, Vote calldata vote)
        internal
        view
        returns (uint16 seats)
    {
        bool shown = _allCommitted(r) && r.revealed == r.committed;
        if (!shown && clock() <= r.revealDeadline) {
            revert RoundsRevealStillOpen(roundId, r.revealDeadline, clock());
        }
        bytes32 content = keccak256(abi.encode(vote));
        uint256 votes = 0;
        for (uint16 bit = 1; bit <= r.revealed && bit != 0; bit <<= 1) {
            if (r.revealed & bit == 0 || _votes[roundId][bit] != content) continue;
            seats |= bit;
            votes++;
        }
        if (votes < threshold) revert RoundsNoQuorum(roundId, threshold, votes);
    }

    function _requireSeat(bytes32 roundId, Round storage r, address account) internal view returns (uint16 bit) {
        bit = _seatBit(r, account);
        if (bit == 0) revert RoundsNotValidator(roundId, account);
    }

    function _allCommitted(Round storage r) private view returns (bool) {
        return r.committed == (1 << r.seats) - 1 || clock() > r.voteDeadline;
    }
}

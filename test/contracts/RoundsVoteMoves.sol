// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Policy} from "../../contracts/IModelRegistry.sol";
import {IRounds, Round, State, Vote} from "../../contracts/IRounds.sol";
import {Proof} from "../../contracts/Groth16.sol";
import {Play, vm} from "./RoundsLedger.sol";
import {RoundsQueueMoves} from "./RoundsQueueMoves.sol";
import {VerifierSpy} from "./VerifierSpy.sol";

/// @notice What happens from the draw on to the settlement or the rejection.
abstract contract RoundsVoteMoves is RoundsQueueMoves {
    uint256 private constant KINDS = 13;

    function draw(uint256 seed) external move {
        bytes32 roundId = _current(seed);
        if (roundId != 0) _draw(roundId, seed >> 8);
    }

    function voteCommit(uint256 seed) external move {
        bytes32 roundId = _current(seed);
        if (roundId == 0) return;
        uint256 kind = (seed >> 8) % 4 == 0 ? (seed >> 16) % KINDS : _consensus(roundId);
        _voteCommit(roundId, _seat(roundId, seed >> 32), kind);
    }

    function voteReveal(uint256 seed) external move {
        bytes32 roundId = _current(seed);
        if (roundId != 0) _voteReveal(roundId, _seat(roundId, seed >> 8), (seed >> 16) % 4 == 0);
    }

    function settle(uint256 seed) external move {
        bytes32 roundId = _current(seed);
        if (roundId == 0) return;
        _settle(roundId, (seed >> 8) % 3 == 0 ? (seed >> 16) % KINDS : _consensus(roundId), seed >> 24);
    }

    function reject(uint256 seed) external move {
        bytes32 roundId = _current(seed);
        if (roundId == 0) return;
        _reject(roundId, (seed >> 8) % 3 == 0 ? (seed >> 16) % KINDS : _consensus(roundId), seed >> 24);
    }

    /// @dev The proposer has chosen the hash that draws.
    function _draw(bytes32 roundId, uint256 seed) internal returns (bool ok) {
        Round memory r = rounds.round(roundId);
        if (r.state == State.OPEN && height > r.anchorBlock + 2 && height <= r.anchorBlock + 258) {
            vm.setBlockhash(r.anchorBlock + 2, keccak256(abi.encode("hash", seed)));
        }
        ok = _asRounds(OUTSIDER, 0, abi.encodeCall(IRounds.draw, (roundId)));
        if (!ok) return false;
        require(r.state == State.OPEN && expectedClock <= r.deadline, "draw: not open, or late");
        Round memory drawn = rounds.round(roundId);
        if (drawn.state == State.OPEN) {
            require(height > r.anchorBlock + 258 && drawn.anchorBlock == height, "draw: postponed for nothing");
            _count("postpone a draw");
            return true;
        }
        Policy memory policy = modelRegistry.policy(r.policyHash);
        require(!acceptedOn[r.modelId][drawn.foldId], "draw: a fold on which one was accepted");
        require(drawnOn[r.modelId][drawn.foldId]++ < policy.roundsPerFold, "draw: a fold too often");
        address[] memory members = validatorRegistry.members(drawn.committee);
        require(members.length == drawn.seats && drawn.seats >= policy.threshold, "draw: too few seats");
        for (uint256 i = 0; i < members.length; i++) {
            require(members[i] != r.contributor, "draw: the contributor has a seat");
            require(validatorRegistry.validator(members[i]).stake >= policy.minStake, "draw: too little at stake");
        }
        _count("draw");
    }

    function _voteCommit(bytes32 roundId, address by, uint256 kind) internal {
        Round memory r = rounds.round(roundId);
        bytes32 hash = rounds.voteHash(roundId, by, voteOfKind(roundId, kind), "salt");
        if (!_asRounds(by, 0, abi.encodeCall(IRounds.voteCommit, (roundId, hash)))) return;
        require(r.state == State.VOTING && expectedClock <= r.voteDeadline, "voteCommit: late");
        require(_isMember(r, by), "voteCommit: by an outsider");
        require(committedVotes[roundId][by] == 0, "voteCommit: twice");
        committedVotes[roundId][by] = kind + 1;
        _count("voteCommit");
    }

    function _voteReveal(bytes32 roundId, address by, bool another) internal {
        Round memory r = rounds.round(roundId);
        uint256 committed = committedVotes[roundId][by];
        uint256 kind = another || committed == 0 ? committed % KINDS : committed - 1;
        Vote memory vote = voteOfKind(roundId, kind);
        if (!_asRounds(by, 0, abi.encodeCall(IRounds.voteReveal, (roundId, vote, "salt")))) return;
        require(committed == kind + 1, "voteReveal: another vote than was committed");
        require(!revealedVotes[roundId][by], "voteReveal: twice");
        require(r.state == State.VOTING && expectedClock <= r.revealDeadline, "voteReveal: late");
        (uint256 committers,) = _votes(roundId, r, kind);
        bool all = committers == r.seats;
        require(all || expectedClock > r.voteDeadline, "voteReveal: while others can still commit");
        revealedVotes[roundId][by] = true;
        _count("voteReveal");
    }

    /// @dev With counts of a gain or of none, and a proof of them or of others.
    function _settle(bytes32 roundId, uint256 kind, uint256 seed) internal returns (bool ok) {
        Round memory r = rounds.round(roundId);
        if (r.foldId == 0) return false;
        address by = _settler(seed);
        bool quorum = _isQuorum(roundId, r, kind);
        _tellSpy(roundId, voteOfKind(roundId, kind), by, quorum);
        bytes memory result = _settlement(roundId, voteOfKind(roundId, kind), by, seed);
        (ok, result) = _call(by, address(rounds), 0, result);
        if (!ok) {
            require(bytes4(result) != VerifierSpy.SpyUnvotedRoots.selector, "settle: unvoted roots reach the verifier");
            return false;
        }
        require(r.state == State.VOTING && expectedClock <= r.deadline, "settle: late");
        require(time >= pausedUntil, "settle: in a pause");
        require(quorum && _isShown(roundId, r), "settle: without a quorum of shown votes");
        require(_isGain(seed) && _isProven(seed), "settle: without a gain or a proof");
        require(kind != 10 && kind != 12, "settle: another training set, or no model");
        _keepSettled(roundId, r, kind, by);
    }

    function _keepSettled(bytes32 roundId, Round memory r, uint256 kind, address by) private {
        Play storage p = plays[roundId];
        (, uint256 shareholders) = _votes(roundId, r, kind);
        (p.settler, p.shareholders, p.pot) = (by, shareholders, p.fee);
        p.candidate = voteOfKind(roundId, kind).candidateCommitment;
        p.reward = rewards.awardOf(r.modelId, roundId).reserved;
        uint256 maxReward = modelRegistry.policy(r.policyHash).maxReward;
        require(p.reward > 0 && p.reward <= maxReward, "settle: reward");
        acceptedOn[r.modelId][r.foldId] = true;
        _count(kind == 1 ? "settle over BELOW_GATE" : "settle");
    }

    function _isQuorum(bytes32 roundId, Round memory r, uint256 kind) private view returns (bool) {
        (, uint256 shareholders) = _votes(roundId, r, kind);
        return _size(shareholders) >= modelRegistry.policy(r.policyHash).threshold;
    }

    function _tellSpy(bytes32 roundId, Vote memory vote, address by, bool quorum) private {
        uint256 labelsRoot = modelRegistry.fold(rounds.round(roundId).foldId).labelsRoot;
        spy.expect(vote, quorum, labelsRoot, rounds.contextHash(roundId, vote.candidateCommitment, by));
    }

    function _settlement(bytes32 roundId, Vote memory vote, address by, uint256 seed)
        private
        view
        returns (bytes memory)
    {
        uint256 broken = _isGain(seed) ? 100 + (seed >> 8) % 100 : 850;
        uint256[] memory counts = new uint256[](1);
        counts[0] = (10_000 - 900 - broken) | (900 << 62) | (broken << 93);
        Proof memory proof;
        proof.a[0] = uint256(keccak256(abi.encode(rounds.publicSignals(roundId, vote, by, counts, seed))));
        if (!_isProven(seed)) proof.a[0]++;
        return abi.encodeCall(IRounds.settle, (roundId, vote, proof, counts, seed));
    }

    function _isGain(uint256 seed) private pure returns (bool) {
        return seed % 8 != 0;
    }

    function _isProven(uint256 seed) private pure returns (bool) {
        return (seed >> 4) % 8 != 0;
    }

    function _reject(bytes32 roundId, uint256 kind, uint256 seed) internal returns (bool ok) {
        Round memory r = rounds.round(roundId);
        if (r.foldId == 0) return false;
        if (kind == 1 && seed % 2 == 0 && r.state == State.VOTING) _until(r.deadline + 1);
        address by = _settler(seed >> 8);
        uint256 burnt = address(0).balance;
        ok = _asRounds(by, 0, abi.encodeCall(IRounds.reject, (roundId, voteOfKind(roundId, kind))));
        if (!ok) return false;
        burnt = address(0).balance - burnt;
        uint256 end = r.deadline + modelRegistry.policy(r.policyHash).settleDuration;
        require(r.state == State.VOTING && expectedClock <= end, "reject: late");
        require(kind > 0 && kind < 9, "reject: a vote that it passes");
        require(kind != 1 || expectedClock > r.deadline, "reject: while a proof can still come");
        require(_isQuorum(roundId, r, kind) && _isShown(roundId, r), "reject: no quorum");
        bool defaulted = kind == 2 || kind == 3;
        Play storage p = plays[roundId];
        require(burnt == (defaulted ? p.bond : 0), "reject: burnt");
        (p.settler, p.pot) = (by, p.fee);
        (, p.shareholders) = _votes(roundId, r, kind);
        _end(p, defaulted ? 0 : p.bond);
        _count(defaulted ? "reject for a default" : kind == 1 ? "reject BELOW_GATE" : "reject");
    }

    /// @dev How many committed, and who revealed this kind.
    function _votes(bytes32 roundId, Round memory r, uint256 kind)
        internal
        view
        returns (uint256 committers, uint256 shareholders)
    {
        address[] memory members = validatorRegistry.members(r.committee);
        for (uint256 i = 0; i < members.length; i++) {
            uint256 committed = committedVotes[roundId][members[i]];
            if (committed != 0) committers++;
            if (revealedVotes[roundId][members[i]] && committed == kind + 1) {
                shareholders |= 1 << (placeOf[members[i]] - 1);
            }
        }
    }

    /// @dev Whether nobody can reveal any more.
    function _isShown(bytes32 roundId, Round memory r) private view returns (bool) {
        if (expectedClock > r.revealDeadline) return true;
        address[] memory members = validatorRegistry.members(r.committee);
        bool all = true;
        for (uint256 i = 0; i < members.length; i++) {
            bool committed = committedVotes[roundId][members[i]] != 0;
            if (committed && !revealedVotes[roundId][members[i]]) return false;
            all = all && committed;
        }
        return all || expectedClock > r.voteDeadline;
    }

    function _isMember(Round memory r, address account) internal view returns (bool) {
        return validatorRegistry.seatOf(r.committee, account) != 0;
    }

    /// @dev One of the committee, or now and then of all validators.
    function _seat(bytes32 roundId, uint256 seed) internal view returns (address) {
        address[] memory members = validatorRegistry.members(rounds.round(roundId).committee);
        if (members.length == 0 || seed % 8 == 0) return validators[(seed >> 8) % validators.length];
        return members[(seed >> 8) % members.length];
    }

    function _settler(uint256 seed) private view returns (address) {
        if (seed % 3 == 0) return validators[(seed >> 8) % validators.length];
        return seed % 3 == 1 ? OUTSIDER : RELAYER;
    }

    function _size(uint256 bits) internal pure returns (uint256 size) {
        for (; bits != 0; bits &= bits - 1) size++;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Head, Policy} from "../../contracts/IModelRegistry.sol";
import {IRewards, Sibling} from "../../contracts/IRewards.sol";
import {IRounds, Overlap, Round, State, Vote} from "../../contracts/IRounds.sol";
import {ValidatorState} from "../../contracts/IValidatorRegistry.sol";
import {Play} from "./RoundsLedger.sol";
import {RoundsVoteMoves} from "./RoundsVoteMoves.sol";

/// @notice What voids a settled round, what makes it final, and who is paid then.
abstract contract RoundsEndMoves is RoundsVoteMoves {
    function finalise(uint256 seed) external move {
        bytes32 roundId = seed % 4 == 0 ? _anyRound(seed >> 8) : _current(seed >> 8);
        if (roundId != 0) _finalise(roundId);
    }

    function withdraw(uint256 seed) external move {
        bytes32 roundId = _anyRound(seed);
        if (roundId == 0) return;
        address[] memory accounts = interestedIn(roundId);
        _withdraw(roundId, accounts[(seed >> 128) % accounts.length]);
    }

    function claim(uint256 seed) external move {
        bytes32 roundId = _anyRound(seed);
        if (roundId != 0) _claim(roundId, (seed >> 128) % 2);
    }

    function veto(uint256 seed) external move {
        bytes32 roundId = _current(seed);
        if (roundId == 0 || (seed >> 8) % 2 != 0) return;
        Play storage p = plays[roundId];
        bool right = (seed >> 16) % 4 != 0;
        uint256 supply = token.totalSupply();
        Round memory r = rounds.round(roundId);
        address by = right || (seed >> 24) % 2 == 0 ? OWNER : OUTSIDER;
        uint256 value = right || by == OUTSIDER ? p.fee : p.fee + 1;
        if (!_asRounds(by, value, abi.encodeCall(IRounds.veto, (roundId)))) return;
        require(right, "veto: not by the owner, or for another fee");
        _requireInDelay(r);
        require(token.totalSupply() == supply, "veto: minted");
        _end(p, p.bond + p.fee);
        _count("veto");
    }

    function proveOverlap(uint256 seed) external move {
        bytes32 roundId = (seed >> 4) % 4 == 0 ? _anyRound(seed >> 8) : _current(seed);
        if (roundId == 0) return;
        Play storage p = plays[roundId];
        Round memory r = rounds.round(roundId);
        if (r.foldId == 0) return;
        Overlap memory o = Overlap(
            p.rowsRoot, p.featuresRoot, DIGEST, "contribution", new bytes32[](1), "bench", new bytes32[](1)
        );
        // The other leaf of each tree is the number by which it was made.
        o.contributionProof[0] = otherLeaf[roundId];
        o.benchmarkProof[0] = bytes32(modelRegistry.fold(r.foldId).labelsRoot - 1_000);
        (uint256 burnt, uint256 earned) = (address(0).balance, OUTSIDER.balance);
        if (!_asRounds(OUTSIDER, 0, abi.encodeCall(IRounds.proveOverlap, (roundId, o)))) return;
        require(p.overlaps, "proveOverlap: of another row");
        _requireInDelay(r);
        require(OUTSIDER.balance - earned == p.bond / 2, "proveOverlap: earned");
        require(address(0).balance - burnt == p.bond - p.bond / 2, "proveOverlap: burnt");
        (p.settler, p.shareholders, p.pot) = (address(0), 0, 0);
        _end(p, p.fee);
        _count("proveOverlap");
    }

    /// @dev Of a member of the committee or of none, by two signatures of one vote or of two keys, too.
    function proveDoubleVote(uint256 seed) external move {
        bytes32 roundId = (seed >> 4) % 4 == 0 ? _anyRound(seed >> 8) : _current(seed);
        if (roundId == 0) return;
        Round memory r = rounds.round(roundId);
        // Slashed validators do not come back: fewer of them where it changes nothing.
        if (r.state != State.SETTLED && (seed >> 16) % 4 != 0) return;
        address by = _seat(roundId, seed >> 24);
        bool same = (seed >> 40) % 8 == 0;
        bool forged = (seed >> 48) % 8 == 0;
        if (!_asRounds(OUTSIDER, 0, _doubleVote(roundId, by, same, forged))) return;
        require(!same && !forged && _isMember(r, by), "proveDoubleVote: of what is none");
        require(validatorRegistry.validator(by).state == ValidatorState.SLASHED, "proveDoubleVote: not slashed");
        _count("proveDoubleVote");
        Play storage p = plays[roundId];
        uint256 bit = 1 << (placeOf[by] - 1);
        if (r.state != State.SETTLED || expectedClock >= r.finalisableAt || p.shareholders & bit == 0) return;
        p.shareholders &= ~bit;
        if (_size(p.shareholders) >= modelRegistry.policy(r.policyHash).threshold) return;
        (p.settler, p.shareholders, p.pot) = (address(0), 0, 0);
        _end(p, p.bond + p.fee);
        _count("void by a double vote");
    }

    function _doubleVote(bytes32 roundId, address by, bool same, bool forged) private view returns (bytes memory) {
        uint256 key = 999 + placeOf[by];
        Vote memory first = voteOfKind(roundId, 0);
        Vote memory second = voteOfKind(roundId, same ? 0 : 9);
        bytes memory one = _sign(key, rounds.voteDigest(roundId, first));
        bytes memory other = _sign(forged ? 999 : key, rounds.voteDigest(roundId, second));
        return abi.encodeCall(IRounds.proveDoubleVote, (roundId, first, one, second, other));
    }

    function _finalise(bytes32 roundId) internal returns (bool ok) {
        Round memory r = rounds.round(roundId);
        ok = _asRounds(OUTSIDER, 0, abi.encodeCall(IRounds.finalise, (roundId)));
        if (!ok) return false;
        Play storage p = plays[roundId];
        require(p.reward != 0 && !p.voided && !p.finalised, "finalise: not settled, voided or twice");
        require(r.state == State.SETTLED && expectedClock >= r.finalisableAt, "finalise: early");
        require(time >= pausedUntil, "finalise: in a pause");
        Head storage head = heads[p.model];
        bool onHead = r.headCommitment == head.modelCommitment && r.headTrainingSetRoot == head.trainingSetRoot;
        require(onHead, "finalise: on another head");
        heads[p.model] = Head(p.candidate, _trainingSetRoot(head.trainingSetRoot, p.contribution.dataRoot));
        require(modelRegistry.model(r.modelId).headRound == roundId, "finalise: headRound");
        (p.locked, p.refund, p.finalised) = (0, p.bond, true);
        awarded[p.model] += p.reward;
        _count("finalise");
    }

    /// @notice What an account has still to get out of a round.
    function owed(bytes32 roundId, address account) public view returns (uint256 amount) {
        Play storage p = plays[roundId];
        if (p.locked != 0 || p.reward != 0 && !p.finalised && !p.voided) return 0;
        if (account == p.sponsor) amount = p.refund;
        if (p.settler == address(0)) return amount;
        uint256 share = p.pot / (_size(p.shareholders) + 1);
        uint256 bit = placeOf[account] == 0 ? 0 : 1 << (placeOf[account] - 1);
        if (p.shareholders & ~p.paid & bit != 0) amount += share;
        if (account == p.settler && !p.settlerPaid) amount += p.pot - share * _size(p.shareholders);
    }

    /// @dev Everybody who could want something of it, and two who could not.
    function interestedIn(bytes32 roundId) public view returns (address[] memory accounts) {
        Play storage p = plays[roundId];
        address[] memory members = validatorRegistry.members(rounds.round(roundId).committee);
        accounts = new address[](members.length + 4);
        for (uint256 i = 0; i < members.length; i++) {
            accounts[i] = members[i];
        }
        address other = p.settler == OUTSIDER ? RELAYER : OUTSIDER;
        address another = p.sponsor == OWNER ? PAYEE : OWNER;
        (accounts[members.length], accounts[members.length + 1]) = (p.sponsor, p.settler);
        (accounts[members.length + 2], accounts[members.length + 3]) = (other, another);
    }

    function _withdraw(bytes32 roundId, address by) internal {
        uint256 expected = owed(roundId, by);
        uint256 before = by.balance;
        bool ok = _asRounds(by, 0, abi.encodeCall(IRounds.withdraw, (roundId)));
        require(ok == (expected != 0), "withdraw: refused, or paid without being owed");
        require(by.balance - before == expected, "withdraw: another amount");
        if (!ok) return;
        Play storage p = plays[roundId];
        if (by == p.sponsor) p.refund = 0;
        if (by == p.settler) p.settlerPaid = true;
        if (placeOf[by] != 0) p.paid |= p.shareholders & (1 << (placeOf[by] - 1));
        require(!_asRounds(by, 0, abi.encodeCall(IRounds.withdraw, (roundId))), "withdraw: twice");
        _count(time < pausedUntil ? "withdraw in a pause" : "withdraw");
    }

    function _claim(bytes32 roundId, uint256 which) internal {
        Play storage p = plays[roundId];
        address[2] memory payees = _payees(uint256(p.contribution.salt));
        if (payees[which] == address(0)) return;
        bool alone = payees[1] == address(0);
        Sibling[] memory siblings = new Sibling[](alone ? 0 : 1);
        (uint128 weight, uint128 other) = which == 0 ? (3, 1) : (1, 3);
        if (!alone) siblings[0] = Sibling(_payeeLeaf(payees[1 - which], other), other);
        bytes memory data = abi.encodeCall(
            IRewards.claim, (p.contribution.modelId, roundId, weight, alone ? 1 : 2 + which, siblings)
        );
        uint256 supply = token.totalSupply();
        (bool ok,) = _call(payees[which], address(rewards), 0, data);
        bool due = p.finalised && p.claims & (1 << which) == 0 && !revealedVotes[roundId][payees[which]];
        require(ok == due, "claim: refused, or paid without being due");
        if (!ok) return;
        uint256 paid = token.totalSupply() - supply;
        uint256 first = alone ? p.reward : p.reward * 3 / 4;
        require(paid == (which == 0 ? first : p.reward - first), "claim: another amount");
        p.claims |= 1 << which;
        p.minted += paid;
        minted += paid;
        bool vested = modelRegistry.policy(p.contribution.policyHash).vestingDuration != 0;
        _count(time < pausedUntil ? "claim in a pause" : vested ? "claim, vested" : "claim");
    }

    function _requireInDelay(Round memory r) private view {
        require(r.state == State.SETTLED && expectedClock < r.finalisableAt, "voided after the delay");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Model, Policy} from "./IModelRegistry.sol";
import {FoldState, IRounds, Round, State, VoidReason} from "./IRounds.sol";
import {RoundRecords} from "./RoundRecords.sol";

/// @dev A model's slot and who waits for it.
/// @param slot the round that holds it
/// @param first place in `waiting` of the next turn; those before it had theirs
/// @param freeSince when the slot was last given back, or a turn ended
struct Queue {
    bytes32 slot;
    uint64 first;
    uint40 freeSince;
    bytes32[] waiting;
}

/// @notice Who has the turn. First committed, first opened; only the model's own rounds wait for each other.
abstract contract RoundQueue is RoundRecords {
    /// @dev Cancelled entries that `open` and `expire` pass over on the way; more of them take calls of `skip`.
    uint256 private constant SKIPPED_AT_ONCE = 32;

    mapping(bytes32 modelId => Queue) private _queues;
    /// @dev Counted up by `draw` and `settle`.
    // slither-disable-next-line uninitialized-state
    mapping(bytes32 modelId => mapping(bytes32 foldId => FoldState)) internal _foldStates;

    /// @inheritdoc IRounds
    function commit(bytes32 modelId, bytes32 policyHash, bytes32 benchmarkId, bytes32 commitment)
        external
        payable
        whileRunning
        returns (bytes32 roundId)
    {
        Model memory model = _ownModel(modelId);
        _requireCurrent(policyHash, model.policyHash, benchmarkId, model.benchmarkId);
        Policy memory policy = modelRegistry.policy(policyHash);
        uint256 deposit = uint256(policy.bond) + policy.evaluationFee;
        if (msg.value != deposit) revert RoundsWrongDeposit(deposit, msg.value);

        roundId = _roundId(commitment);
        Round storage r = _rounds[roundId];
        if (r.state != State.NONE) revert RoundsAlreadyCommitted(roundId, commitment);
        r.state = State.COMMITTED;
        r.anchorBlock = uint40(block.number);
        r.committedAt = clock();
        r.sponsor = msg.sender;
        r.bond = policy.bond;
        r.evaluationFee = policy.evaluationFee;
        r.modelId = modelId;
        r.policyHash = policyHash;
        r.benchmarkId = benchmarkId;
        _queues[modelId].waiting.push(roundId);
        emit ContributionCommitted(roundId, modelId, msg.sender, commitment, policyHash, benchmarkId);
    }

    /// @inheritdoc IRounds
    function cancel(bytes32 roundId) external {
        Round storage r = _requireState(roundId, State.COMMITTED);
        if (msg.sender != r.sponsor) revert RoundsNotSponsor(roundId, r.sponsor, msg.sender);
        Queue storage q = _queues[r.modelId];
        // All of them: behind entries that are left to be skipped, whoever has the turn would pass for one who waits.
        _skip(q, q.waiting.length);
        if (_inTurn(q, roundId)) {
            if (_openable(r, _policyOf(r))) revert RoundsInTurn(roundId);
            q.freeSince = clock();
        }
        _void(roundId, r, VoidReason.CANCELLED, r.bond + r.evaluationFee);
    }

    /// @inheritdoc IRounds
    function skip(bytes32 modelId, uint256 max) external {
        _skip(_queues[modelId], max);
    }

    /// @inheritdoc IRounds
    function slot(bytes32 modelId) external view returns (bytes32) {
        return _queues[modelId].slot;
    }

    /// @inheritdoc IRounds
    function turn(bytes32 modelId) external view returns (bytes32 roundId, uint40 endsAt) {
        Queue storage q = _queues[modelId];
        uint256 first = q.first;
        while (first < q.waiting.length && _rounds[q.waiting[first]].state != State.COMMITTED) first++;
        if (first == q.waiting.length) return (0, 0);
        roundId = q.waiting[first];
        if (q.slot == 0) endsAt = uint40(_turnEnd(q, _rounds[roundId]));
    }

    /// @inheritdoc IRounds
    function queue(bytes32 modelId) external view returns (bytes32[] memory roundIds, uint256 first) {
        return (_queues[modelId].waiting, _queues[modelId].first);
    }

    /// @inheritdoc IRounds
    function foldState(bytes32 modelId, bytes32 foldId) external view returns (FoldState memory) {
        return _foldStates[modelId][foldId];
    }

    /// @dev Gives the slot to the round whose turn it is.
    function _takeSlot(bytes32 roundId, Round storage r) internal {
        _endTurn(roundId, r).slot = roundId;
    }

    function _freeSlot(bytes32 modelId) internal {
        Queue storage q = _queues[modelId];
        q.slot = 0;
        q.freeSince = clock();
    }

    /// @dev Whoever could have opened loses the bond; whoever could not, nothing.
    /// @return forfeited the bond that is nobody's now
    function _expireTurn(bytes32 roundId, Round storage r) internal returns (uint256 forfeited) {
        _requireAfter(roundId, _turnEnd(_queues[r.modelId], r));
        _endTurn(roundId, r).freeSince = clock();
        if (_openable(r, _policyOf(r))) {
            _void(roundId, r, VoidReason.MISSED_TURN, r.evaluationFee);
            return r.bond;
        }
        _void(roundId, r, VoidReason.NOT_OPENED, r.bond + r.evaluationFee);
    }

    /// @dev The folds of the benchmark that are not spent.
    function _unspentFolds(Round storage r, uint256 roundsPerFold) internal view returns (bytes32[] memory unspent) {
        bytes32[] memory foldIds = modelRegistry.foldIds(r.benchmarkId);
        uint256 count = 0;
        for (uint256 i = 0; i < foldIds.length; i++) {
            FoldState storage state = _foldStates[r.modelId][foldIds[i]];
            if (!state.accepted && state.rounds < roundsPerFold) foldIds[count++] = foldIds[i];
        }
        assembly ("memory-safe") {
            mstore(foldIds, count)
        }
        return foldIds;
    }

    /// @dev Whether nothing but the contributor is missing for `open`.
    function _openable(Round storage r, Policy memory policy) private view returns (bool) {
        return _unspentFolds(r, policy.roundsPerFold).length > 0
            && rewards.canReserve(r.modelId, policy.maxReward, policy.epochReward, policy.epochDuration);
    }

    /// @dev Takes the first out of the queue, which has to be this one.
    function _endTurn(bytes32 roundId, Round storage r) private returns (Queue storage q) {
        q = _queues[r.modelId];
        _skip(q, SKIPPED_AT_ONCE);
        if (!_inTurn(q, roundId)) revert RoundsNotInTurn(roundId, q.slot != 0 ? q.slot : _front(q));
        q.first++;
    }

    function _turnEnd(Queue storage q, Round storage r) private view returns (uint256) {
        uint256 since = q.freeSince > r.committedAt ? q.freeSince : r.committedAt;
        return since + _policyOf(r).openDuration;
    }

    function _inTurn(Queue storage q, bytes32 roundId) private view returns (bool) {
        return q.slot == 0 && _front(q) == roundId;
    }

    function _front(Queue storage q) private view returns (bytes32) {
        return q.first < q.waiting.length ? q.waiting[q.first] : bytes32(0);
    }

    function _skip(Queue storage q, uint256 max) private {
        uint64 first = q.first;
        uint256 end = q.waiting.length - first > max ? first + max : q.waiting.length;
        while (first < end && _rounds[q.waiting[first]].state != State.COMMITTED) first++;
        q.first = first;
    }
}

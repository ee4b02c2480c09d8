// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fold, Model, Policy} from "../../contracts/IModelRegistry.sol";
import {Contribution, IRounds, Round, State} from "../../contracts/IRounds.sol";
import {Play, vm} from "./RoundsLedger.sol";
import {RoundsStage} from "./RoundsStage.sol";

/// @notice What happens before a committee is drawn. A move that the contracts refuse is no failure; one that succeeds
/// though it must not is.
abstract contract RoundsQueueMoves is RoundsStage {
    function commit(uint256 seed) external move {
        _commit(seed % MODELS, seed);
    }

    function commitWrongly(uint256 seed) external move {
        uint256 m = seed % MODELS;
        Model memory model = modelRegistry.model(modelIds[m]);
        Policy memory policy = modelRegistry.policy(model.policyHash);
        uint256 deposit = uint256(policy.bond) + policy.evaluationFee;
        bytes32 policyHash = model.policyHash;
        if (seed % 3 == 0) policyHash = modelRegistry.model(modelIds[1 - m]).policyHash;
        else deposit = deposit == 0 || seed % 3 == 1 ? deposit + 1 : deposit - 1;
        bytes memory data =
            abi.encodeCall(IRounds.commit, (modelIds[m], policyHash, model.benchmarkId, bytes32(seed)));
        require(!_asRounds(RELAYER, deposit, data), "commit: a wrong deposit or policy was taken");
    }

    function cancel(uint256 seed) external move {
        bytes32 roundId = _waiting(seed);
        if (seed % 5 == 0) _cancelBy(roundId, OUTSIDER);
        else _cancelBy(roundId, plays[roundId].sponsor);
    }

    function skip(uint256 seed) external move {
        _asRounds(OUTSIDER, 0, abi.encodeCall(IRounds.skip, (modelIds[seed % MODELS], seed % 4 == 0 ? 0 : 50)));
        _count("skip");
    }

    /// @dev Queues more entries than are passed over at once, and cancels them so that none of them moves the queue.
    function pileUp(uint256 seed) external move {
        if (seed % 8 != 0 || successes["pileUp"] != 0) return;
        uint256 m = (seed >> 8) % MODELS;
        bytes32[] memory piled = new bytes32[](34);
        for (uint256 i = 0; i < piled.length; i++) {
            piled[i] = _commit(m, uint256(keccak256(abi.encode(seed, i))));
            if (piled[i] == 0) return;
        }
        for (uint256 i = piled.length; i > 1; i--) {
            _cancelBy(piled[i - 1], plays[piled[i - 1]].sponsor);
        }
        _cancelBy(piled[0], plays[piled[0]].sponsor);
        _count("pileUp");
    }

    function open(uint256 seed) external move {
        bytes32 roundId = seed % 4 == 0 ? _anyRound(seed >> 8) : _waiting(seed);
        if (roundId != 0) _open(roundId, seed >> 16);
    }

    function openWrongly(uint256 seed) external move {
        bytes32 roundId = _waiting(seed);
        if (roundId == 0) return;
        Contribution memory contribution = plays[roundId].contribution;
        bytes memory signature = _sign(500, keccak256("another digest"));
        if (seed % 3 == 0) signature = "";
        if (seed % 3 == 1) contribution.payeesRoot = "of the relayer";
        bytes memory data = abi.encodeCall(IRounds.open, (contribution, signature));
        require(!_asRounds(OUTSIDER, 0, data), "open: by an outsider");
    }

    function expire(uint256 seed) external move {
        bytes32 roundId = seed % 4 == 0 ? _anyRound(seed >> 8) : _current(seed >> 8);
        if (roundId == 0) return;
        if (seed % 3 == 0) {
            Round memory r = rounds.round(roundId);
            uint256 end = r.deadline;
            if (r.state == State.COMMITTED) (, end) = rounds.turn(r.modelId);
            if (r.state == State.VOTING) end += modelRegistry.policy(r.policyHash).settleDuration;
            _until((seed >> 16) % 4 == 0 ? end : end + 1);
        }
        _expire(roundId);
    }

    function _commit(uint256 m, uint256 seed) internal returns (bytes32 roundId) {
        Model memory model = modelRegistry.model(modelIds[m]);
        Policy memory policy = modelRegistry.policy(model.policyHash);
        Play memory p;
        p.model = m;
        p.overlaps = seed % 2 == 0;
        p.rowsRoot = keccak256(abi.encode("rows", seed));
        p.featuresRoot = _node(_rowLeaf(p.overlaps ? DIGEST : bytes32("a row"), "contribution"), bytes32(seed));
        (p.bond, p.fee) = (policy.bond, policy.evaluationFee);
        p.locked = p.bond + p.fee;
        uint256 who = (seed >> 8) % 3;
        p.contribution = Contribution(
            modelIds[m],
            contributors[who],
            _payeesRoot(_payees(roundIds.length)),
            keccak256(abi.encode(keccak256("hokusai.data"), p.rowsRoot, p.featuresRoot, uint256(100))),
            100,
            "ciphertext",
            model.policyHash,
            model.benchmarkId,
            bytes32(roundIds.length)
        );
        p.sponsor = (seed >> 16) % 3 == 0 ? RELAYER : contributors[who];
        p.committedAt = height;
        bytes32 commitment;
        (commitment, roundId) = rounds.commitmentOf(p.contribution);
        bytes memory data =
            abi.encodeCall(IRounds.commit, (modelIds[m], model.policyHash, model.benchmarkId, commitment));
        if (!_asRounds(p.sponsor, p.locked, data)) return 0;
        require(time >= pausedUntil, "commit: in a pause");
        roundIds.push(roundId);
        queues[m].push(roundId);
        plays[roundId] = p;
        otherLeaf[roundId] = bytes32(seed);
        require(!_asRounds(p.sponsor, p.locked, data), "commit: twice");
        _watchTurns();
        _count("commit");
    }

    function _cancelBy(bytes32 roundId, address by) internal returns (bool ok) {
        Play storage p = plays[roundId];
        bool inTurn = roundId != 0 && turnOf[p.model] == roundId;
        bool openable = inTurn && _openable(roundId);
        bool waits = rounds.round(roundId).state == State.COMMITTED;
        ok = _asRounds(by, 0, abi.encodeCall(IRounds.cancel, (roundId)));
        if (!ok) return false;
        require(by == p.sponsor && waits, "cancel: by another, or what does not wait");
        require(!openable, "cancel: out of a turn that could have been taken");
        _end(p, p.locked);
        _watchTurns();
        _count(inTurn ? "cancel in turn" : "cancel");
    }

    /// @dev By the contributor, by an outsider with the contributor's signature, or by whom it is not for.
    function _open(bytes32 roundId, uint256 seed) internal returns (bool ok) {
        Play storage p = plays[roundId];
        bool relayed = seed % 3 == 0;
        bytes memory signature;
        if (relayed) signature = _sign(500 + (_contributorOf(p)), rounds.contributionDigest(p.contribution));
        uint256 budget = rewards.budget(p.contribution.modelId);
        bytes memory data = abi.encodeCall(IRounds.open, (p.contribution, signature));
        ok = _asRounds(relayed ? OUTSIDER : p.contribution.contributor, 0, data);
        if (!ok) return false;
        require(turnOf[p.model] == roundId, "open: out of turn, or two in one slot");
        require(height > p.committedAt, "open: in the block of the commit");
        require(time >= pausedUntil, "open: in a pause");
        Policy memory policy = modelRegistry.policy(p.contribution.policyHash);
        require(rewards.budget(p.contribution.modelId) + policy.maxReward == budget, "open: not reserved");
        Round memory r = rounds.round(roundId);
        bool sameHead = r.headCommitment == heads[p.model].modelCommitment
            && r.headTrainingSetRoot == heads[p.model].trainingSetRoot;
        require(sameHead, "open: another head");
        _watchTurns();
        _count(relayed ? "open by relay" : "open");
    }

    function _contributorOf(Play storage p) private view returns (uint256 who) {
        while (contributors[who] != p.contribution.contributor) who++;
    }

    function _expire(bytes32 roundId) internal returns (bool ok) {
        Play storage p = plays[roundId];
        Round memory r = rounds.round(roundId);
        bool openable = r.state == State.COMMITTED && _openable(roundId);
        uint256 burnt = address(0).balance;
        uint256 supply = token.totalSupply();
        if (!_asRounds(OUTSIDER, 0, abi.encodeCall(IRounds.expire, (roundId)))) return false;
        burnt = address(0).balance - burnt;
        Policy memory policy = modelRegistry.policy(r.policyHash);
        require(token.totalSupply() == supply, "expire: minted");
        require(burnt == (openable ? p.bond : 0), "expire: burnt");
        if (r.state == State.COMMITTED) {
            require(turnOf[p.model] == roundId, "expire: not in turn");
            require(expectedClock > turnSince[p.model] + policy.openDuration, "expire: a turn cut short");
            _count(openable ? "expire a missed turn" : "expire what cannot be opened");
        } else if (r.state == State.OPEN) {
            require(expectedClock > r.deadline, "expire: before the draw's deadline");
            _count("expire undrawn");
        } else {
            require(r.state == State.VOTING, "expire: an ended or a settled round");
            require(expectedClock > r.deadline + policy.settleDuration, "expire: before the vote's deadline");
            _count("expire unsettled");
        }
        _end(p, p.locked - burnt);
        _watchTurns();
        return true;
    }

    /// @dev Void, as far as nothing else is said.
    function _end(Play storage p, uint256 refund) internal {
        (p.locked, p.refund, p.voided) = (0, refund, true);
    }

    /// @dev Whether nothing but its contributor was missing.
    function _openable(bytes32 roundId) internal view returns (bool) {
        Contribution memory c = plays[roundId].contribution;
        Policy memory policy = modelRegistry.policy(c.policyHash);
        if (!rewards.canReserve(c.modelId, policy.maxReward, policy.epochReward, policy.epochDuration)) return false;
        bytes32[] memory folds = modelRegistry.foldIds(c.benchmarkId);
        for (uint256 i = 0; i < folds.length; i++) {
            if (!acceptedOn[c.modelId][folds[i]] && drawnOn[c.modelId][folds[i]] < policy.roundsPerFold) return true;
        }
        return false;
    }

    function _anyRound(uint256 seed) internal view returns (bytes32) {
        return roundIds.length == 0 ? bytes32(0) : roundIds[seed % roundIds.length];
    }

    /// @dev The round that holds a slot, or else has the turn.
    function _current(uint256 seed) internal returns (bytes32 roundId) {
        uint256 m = seed % MODELS;
        roundId = rounds.slot(modelIds[m]);
        if (roundId == 0) roundId = _front(m);
    }

    /// @dev One that waits: mostly the first.
    function _waiting(uint256 seed) internal returns (bytes32) {
        uint256 m = (seed >> 4) % MODELS;
        bytes32 first = _front(m);
        uint256 behind = queues[m].length - fronts[m];
        return first == 0 || (seed >> 8) % 4 > 0 ? first : queues[m][fronts[m] + (seed >> 16) % behind];
    }

    /// @dev One payee, or two, of which one is a validator in every second round.
    function _payees(uint256 nonce) internal view returns (address[2] memory payees) {
        payees[0] = PAYEE;
        if (nonce % 3 == 1) payees[1] = OUTSIDER;
        if (nonce % 3 == 2) payees[1] = validators[nonce % 7];
    }

    /// @dev The first with weight 3, the second with 1.
    function _payeesRoot(address[2] memory payees) internal pure returns (bytes32) {
        bytes32 root = _payeeLeaf(payees[0], 3);
        uint128 total = 3;
        if (payees[1] != address(0)) {
            bytes32 other = _payeeLeaf(payees[1], 1);
            root = keccak256(abi.encode(keccak256("hokusai.payeeNode"), root, uint128(3), other, uint128(1)));
            total = 4;
        }
        return keccak256(abi.encode(keccak256("hokusai.payees"), root, total));
    }

    function _payeeLeaf(address payee, uint128 weight) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("hokusai.payee"), payee, weight));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}

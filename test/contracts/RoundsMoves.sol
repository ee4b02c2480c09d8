// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Fold, Policy} from "../../contracts/IModelRegistry.sol";
import {IRounds, Round, State} from "../../contracts/IRounds.sol";
import {IValidatorRegistry, Validator, ValidatorState} from "../../contracts/IValidatorRegistry.sol";
import {vm} from "./RoundsLedger.sol";
import {RoundsEndMoves} from "./RoundsEndMoves.sol";

/// @notice All moves: those of honest players, who bring whole rounds to an end, and anything else in between.
abstract contract RoundsMoves is RoundsEndMoves {
    /// @notice Everything that can be called, and how often out of 64.
    function selectors() external pure returns (bytes4[] memory all) {
        bytes4[30] memory once = [
            this.commit.selector, this.commitWrongly.selector, this.cancel.selector, this.skip.selector,
            this.pileUp.selector, this.open.selector, this.openWrongly.selector, this.expire.selector,
            this.draw.selector, this.voteCommit.selector, this.voteReveal.selector, this.settle.selector,
            this.reject.selector, this.finalise.selector, this.withdraw.selector, this.claim.selector,
            this.veto.selector, this.proveOverlap.selector, this.proveDoubleVote.selector, this.mine.selector,
            this.wait.selector, this.pause.selector, this.unpause.selector, this.allocateBudget.selector,
            this.updatePolicy.selector, this.updateBenchmark.selector, this.register.selector,
            this.addStake.selector, this.pauseValidator.selector, this.quit.selector
        ];
        all = new bytes4[](64);
        for (uint256 i = 0; i < 64; i++) {
            if (i < 30) all[i] = once[i];
            else if (i < 40) all[i] = this.playQueue.selector;
            else if (i < 48) all[i] = this.playVotes.selector;
            else if (i < 55) all[i] = this.playEnd.selector;
            else if (i < 57) all[i] = this.claim.selector;
            else if (i < 59) all[i] = this.expire.selector;
            else if (i < 60) all[i] = this.veto.selector;
            else all[i] = i < 62 ? this.proveOverlap.selector : this.proveDoubleVote.selector;
        }
    }

    /// @notice Somebody commits where nobody waits; who has the turn opens; anybody draws.
    function playQueue(uint256 seed) external move {
        if (time < pausedUntil && seed % 2 == 0) _unpause(GUARDIAN);
        for (uint256 m = 0; m < MODELS; m++) {
            uint256 bits = uint256(keccak256(abi.encode(seed, m)));
            if (_front(m) == 0) _commit(m, bits);
            _roll(1);
            bytes32 roundId = _front(m);
            bool free = rounds.slot(modelIds[m]) == 0;
            if (free && roundId != 0 && !_open(roundId, bits >> 32) && time >= pausedUntil) _repair(m, roundId, bits);
            roundId = rounds.slot(modelIds[m]);
            if (roundId == 0 || rounds.round(roundId).state != State.OPEN) continue;
            if (bits % 8 == 7) continue;
            _roll(3);
            if (_draw(roundId, bits >> 64)) continue;
            _register(STAKE);
            if (m == 0) _updatePolicy(m, bits >> 96);
        }
    }

    /// @notice The committees commit their votes, and mostly reveal them too.
    function playVotes(uint256 seed) external move {
        for (uint256 m = 0; m < MODELS; m++) {
            bytes32 roundId = rounds.slot(modelIds[m]);
            if (roundId == 0) continue;
            address[] memory members = validatorRegistry.members(rounds.round(roundId).committee);
            for (uint256 i = 0; i < members.length; i++) {
                if ((seed >> i) % 16 != 0) _voteCommit(roundId, members[i], _consensus(roundId));
            }
            if ((seed >> 32) % 4 == 0) continue;
            for (uint256 i = 0; i < members.length; i++) {
                // Somebody may be in haste, and end the round while votes are hidden.
                if (i + 1 == members.length && (seed >> 40) % 4 == 0) _decide(roundId, seed >> 48);
                _voteReveal(roundId, members[i], false);
            }
        }
    }

    /// @notice What was voted on is settled or rejected; what was settled becomes final.
    function playEnd(uint256 seed) external move {
        for (uint256 m = 0; m < MODELS; m++) {
            bytes32 roundId = rounds.slot(modelIds[m]);
            if (roundId == 0) continue;
            uint256 bits = uint256(keccak256(abi.encode(seed, m)));
            Round memory r = rounds.round(roundId);
            if (r.state == State.VOTING) _decide(roundId, bits);
            if (r.state != State.SETTLED || (bits >> 8) % 4 == 0) continue;
            _until(r.finalisableAt);
            if (!_finalise(roundId)) continue;
            if (bits % 4 > 1) _claim(roundId, 0);
            if (bits % 4 > 2) _claim(roundId, 1);
        }
    }

    function mine(uint256 seed) external move {
        _roll(seed % 4 == 0 ? 250 + seed % 32 : 1 + seed % 4);
    }

    function wait(uint256 seed) external move {
        if (seed % 8 == 0) _warp(1 hours + seed % 1 days);
        else _warp(seed % 30 minutes);
    }

    function pause(uint256 seed) external move {
        address by = seed % 4 == 0 ? OUTSIDER : GUARDIAN;
        if (seed % 3 != 0 || !_asRounds(by, 0, abi.encodeCall(IRounds.pause, ()))) return;
        require(by == GUARDIAN, "pause: by an outsider");
        require(pausedUntil == 0 || time >= pausedUntil + 14 days, "pause: too soon");
        pausedUntil = time + 14 days;
        _count("pause");
    }

    function unpause(uint256 seed) external move {
        _unpause(seed % 4 == 0 ? OUTSIDER : GUARDIAN);
    }

    function allocateBudget(uint256 seed) external move {
        if (_allocate(seed % MODELS, (seed >> 8) % 20e18)) _count("allocateBudget");
    }

    function updatePolicy(uint256 seed) external move {
        if (seed % 2 == 0) _updatePolicy((seed >> 8) % MODELS, seed >> 16);
    }

    function updateBenchmark(uint256 seed) external move {
        if (seed % 4 == 0) _updateBenchmark((seed >> 8) % MODELS);
    }

    function register(uint256 seed) external move {
        if (validators.length < 24 && _register(seed % 2 * STAKE + seed % 3 * STAKE / 2)) _count("register");
    }

    function addStake(uint256 seed) external move {
        _asValidator(seed, (seed >> 32) % STAKE, abi.encodeCall(IValidatorRegistry.addStake, ()), "addStake");
    }

    /// @notice Most come back soon.
    function pauseValidator(uint256 seed) external move {
        _asValidator(seed, 0, abi.encodeCall(IValidatorRegistry.pause, ()), "pause of a validator");
        for (uint256 i = 0; i < validators.length && seed % 4 != 0; i++) {
            _asValidator(i, 0, abi.encodeCall(IValidatorRegistry.resume, ()), "resume");
        }
    }

    /// @notice Unbonds, or withdraws what was unbonded.
    function quit(uint256 seed) external move {
        if (seed % 3 == 0) _asValidator(seed >> 8, 0, abi.encodeCall(IValidatorRegistry.unbond, ()), "unbond");
        if (seed % 16 == 1) _warp(63 days);
        if (seed % 3 == 0) return;
        for (uint256 i = 0; i < validators.length; i++) {
            Validator memory leaving = validatorRegistry.validator(validators[i]);
            if (leaving.state != ValidatorState.LEAVING) continue;
            bool ok = _asValidator(i, 0, abi.encodeCall(IValidatorRegistry.withdraw, ()), "withdraw of a stake");
            require(ok == (time >= leaving.withdrawableAt), "quit: early, or kept");
        }
    }

    /// @notice Everybody takes what is theirs, in a pause where there can be one. Nothing may be left but what is locked.
    function drain() external move {
        (bool paused,) = _call(GUARDIAN, address(rounds), 0, abi.encodeCall(IRounds.pause, ()));
        if (paused) pausedUntil = time + 14 days;
        uint256 locked = 0;
        for (uint256 i = 0; i < roundIds.length; i++) {
            address[] memory accounts = interestedIn(roundIds[i]);
            for (uint256 j = 0; j < accounts.length; j++) {
                if (owed(roundIds[i], accounts[j]) != 0) _withdraw(roundIds[i], accounts[j]);
            }
            if (plays[roundIds[i]].finalised) _claim(roundIds[i], 0);
            if (plays[roundIds[i]].finalised) _claim(roundIds[i], 1);
            locked += lockedIn(roundIds[i]);
        }
        require(address(rounds).balance == locked, "drain: something is left, or missing");
    }

    /// @notice A settled round's fee is still in it, though its settler is known.
    function lockedIn(bytes32 roundId) public view returns (uint256) {
        if (plays[roundId].finalised || plays[roundId].voided) return 0;
        return plays[roundId].bond + plays[roundId].fee;
    }

    function validatorCount() external view returns (uint256) {
        return validators.length;
    }

    function headOf(uint256 m) external view returns (uint256 modelCommitment, bytes32 trainingSetRoot) {
        return (heads[m].modelCommitment, heads[m].trainingSetRoot);
    }

    function playOf(bytes32 roundId) external view returns (uint256 reward, uint256 paid, bool finalised, bool voided) {
        return (plays[roundId].reward, plays[roundId].minted, plays[roundId].finalised, plays[roundId].voided);
    }

    function foldUse(bytes32 modelId, bytes32 foldId) external view returns (uint256 drawn, bool accepted) {
        return (drawnOn[modelId][foldId], acceptedOn[modelId][foldId]);
    }

    function _decide(bytes32 roundId, uint256 seed) private {
        uint256 kind = _consensus(roundId);
        if (kind == 0 || kind == 9 || kind == 1 && seed % 2 == 0) _settle(roundId, kind, seed >> 8);
        else _reject(roundId, kind, seed >> 8);
    }

    /// @dev What keeps a round from being opened: spent folds, or an empty budget.
    function _repair(uint256 m, bytes32 roundId, uint256 seed) private {
        if (seed % 4 == 0) return;
        _updateBenchmark(m);
        if (rewards.budget(modelIds[m]) < 10e18) _allocate(m, 20e18);
        if (seed % 4 == 1) _expire(roundId);
        else if (seed % 4 == 2) _cancelBy(roundId, plays[roundId].sponsor);
    }

    function _unpause(address by) private {
        if (!_asRounds(by, 0, abi.encodeCall(IRounds.unpause, ()))) return;
        require(by == GUARDIAN && time < pausedUntil, "unpause: by an outsider, or of nothing");
        pausedUntil = time;
        _count("unpause");
    }

    function _updatePolicy(uint256 m, uint256 seed) private {
        Policy memory policy = _policy(m, seed);
        vm.prank(OWNER);
        modelRegistry.updatePolicy(modelIds[m], policy);
        _count("updatePolicy");
    }

    function _updateBenchmark(uint256 m) private {
        Fold[] memory folds = _folds(3);
        vm.prank(OWNER);
        modelRegistry.updateBenchmark(modelIds[m], folds);
        _count("updateBenchmark");
    }

    function _asValidator(uint256 seed, uint256 value, bytes memory data, string memory name)
        private
        returns (bool ok)
    {
        (ok,) = _call(validators[seed % validators.length], address(validatorRegistry), value, data);
        if (ok) _count(name);
    }
}

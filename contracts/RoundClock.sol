// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IRounds} from "./IRounds.sol";

/// @notice The pause, and the clock that it stops. With a clock that stands, no pause runs anybody into a deadline.
abstract contract RoundClock is IRounds, AccessManaged {
    uint256 private constant LONGEST_PAUSE = 14 days;

    uint40 private _pausedAt;
    uint40 private _pausedUntil;
    /// @dev The pauses before the last one, in seconds.
    uint40 private _pausedBefore;

    constructor(address accessManager) AccessManaged(accessManager) {}

    modifier whileRunning() {
        if (block.timestamp < _pausedUntil) revert RoundsPaused(_pausedUntil);
        _;
    }

    /// @inheritdoc IRounds
    function pause() external restricted whileRunning {
        if (_pausedUntil != 0 && block.timestamp < _pausedUntil + LONGEST_PAUSE) {
            revert RoundsPausedTooSoon(_pausedUntil + LONGEST_PAUSE, block.timestamp);
        }
        _pausedBefore += _pausedUntil - _pausedAt;
        _pausedAt = uint40(block.timestamp);
        _pausedUntil = uint40(block.timestamp + LONGEST_PAUSE);
        emit Paused(_pausedUntil);
    }

    /// @inheritdoc IRounds
    function unpause() external restricted {
        if (block.timestamp >= _pausedUntil) revert RoundsNotPaused();
        _pausedUntil = uint40(block.timestamp);
        emit Unpaused();
    }

    /// @inheritdoc IRounds
    function clock() public view returns (uint40) {
        uint256 running = block.timestamp < _pausedUntil ? _pausedAt : block.timestamp - (_pausedUntil - _pausedAt);
        return uint40(running - _pausedBefore);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRoundVoters} from "../../contracts/IRewards.sol";

/// @notice Stands in for a model's Rounds where a test is about the rewards and not about the round.
contract RoundsDouble is IRoundVoters {
    mapping(bytes32 roundId => mapping(address account => bool)) public hasVoted;

    function vote(bytes32 roundId, address account) external {
        hasVoted[roundId][account] = true;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DeltaOne, GateTerms, Score} from "../../contracts/DeltaOne.sol";
import {DeltaOneAccuracy} from "../../contracts/DeltaOneAccuracy.sol";

/// @notice The library from outside, for the vectors.
contract DeltaOneHarness {
    function score(bytes32 metric, uint256 classes, uint256[] calldata counts, GateTerms calldata terms)
        external
        pure
        returns (Score memory)
    {
        return DeltaOne.score(metric, classes, counts, terms);
    }

    /// @notice what `score` costs its caller, with the call and the words that cross it
    function gasOfScore(bytes32 metric, uint256 classes, uint256[] calldata counts, GateTerms calldata terms)
        external
        view
        returns (uint256 used)
    {
        used = gasleft();
        DeltaOne.score(metric, classes, counts, terms);
        used -= gasleft();
    }

    function countsLength(bytes32 metric, uint256 classes) external pure returns (uint256) {
        return DeltaOne.countsLength(metric, classes);
    }

    function unpack(uint256 countsPacked) external pure returns (uint256 n, uint256 b, uint256 c) {
        return DeltaOneAccuracy.unpack(countsPacked);
    }

    function deltaOneBps(uint256 n, uint256 b, uint256 c) external pure returns (int256) {
        return DeltaOneAccuracy.deltaOneBps(n, b, c);
    }

    function payableBps(uint256 n, uint256 b, uint256 c, uint256 zMicro) external pure returns (int256) {
        return DeltaOneAccuracy.payableBps(n, b, c, zMicro);
    }

    function reward(int256 paidBps, uint256 tokensPerDeltaOne, uint256 cap) external pure returns (uint256) {
        return DeltaOne.reward(paidBps, tokensPerDeltaOne, cap);
    }
}

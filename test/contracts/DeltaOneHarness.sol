// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DeltaOne} from "../../contracts/DeltaOne.sol";

/// @notice The library from outside, for the vectors.
contract DeltaOneHarness {
    function unpack(uint256 countsPacked) external pure returns (uint256 n, uint256 b, uint256 c) {
        return DeltaOne.unpack(countsPacked);
    }

    function deltaOneBps(uint256 n, uint256 b, uint256 c) external pure returns (int256) {
        return DeltaOne.deltaOneBps(n, b, c);
    }

    function payableBps(uint256 n, uint256 b, uint256 c, uint256 zMicro) external pure returns (int256) {
        return DeltaOne.payableBps(n, b, c, zMicro);
    }

    function exactBinomialPasses(uint256 b, uint256 c, uint256 alpha30) external pure returns (bool) {
        return DeltaOne.exactBinomialPasses(b, c, alpha30);
    }

    function gate(
        uint256 n,
        uint256 b,
        uint256 c,
        int256 payable_,
        uint256 minRows,
        uint256 minDeltaBps,
        uint256 alpha30
    ) external pure returns (bool) {
        return DeltaOne.gate(n, b, c, payable_, minRows, minDeltaBps, alpha30);
    }

    function reward(int256 paidBps, uint256 tokensPerDeltaOne, uint256 cap) external pure returns (uint256) {
        return DeltaOne.reward(paidBps, tokensPerDeltaOne, cap);
    }
}

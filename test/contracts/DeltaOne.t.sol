// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DeltaOne} from "../../contracts/DeltaOne.sol";
import {DeltaOneAccuracy} from "../../contracts/DeltaOneAccuracy.sol";
import {DeltaOneCountsOutOfRange} from "../../contracts/DeltaOneCounts.sol";
import {DeltaOneHarness} from "./DeltaOneHarness.sol";

/// @notice Fuzzes accuracy and reward against its definitions, over the whole documented domain.
contract DeltaOneTest {
    uint256 private constant MAX_N = 8 * (2 ** 31 - 1);

    DeltaOneHarness private harness = new DeltaOneHarness();

    /// @dev Counts of any size, half of the time with few discordant rows, where the exact test applies.
    function _counts(uint64 rows, uint64 discordant, uint64 fixedRows)
        private
        pure
        returns (uint256 n, uint256 b, uint256 c)
    {
        n = 1 + rows % MAX_N;
        uint256 m = discordant % (n + 1);
        if (discordant % 2 == 0) m %= 300;
        if (m > n) m = n;
        b = fixedRows % (m + 1);
        c = m - b;
    }

    function testFuzz_unpackAddsUpItsLanes(uint32[8] memory lanes) public pure {
        uint256 countsPacked;
        uint256 total;
        for (uint256 i = 0; i < 8; i++) {
            lanes[i] >>= 1;
            countsPacked |= uint256(lanes[i]) << (31 * i);
            total += lanes[i];
        }
        (uint256 n, uint256 b, uint256 c) = DeltaOneAccuracy.unpack(countsPacked);
        require(n == total, "n");
        require(b == uint256(lanes[2]) + lanes[5], "fixed");
        require(c == uint256(lanes[3]) + lanes[4], "broken");
    }

    function testFuzz_unpackRefusesBitsAboveTheLanes(uint256 countsPacked) public view {
        countsPacked |= 1 << (248 + countsPacked % 8);
        try harness.unpack(countsPacked) {
            revert("accepted");
        } catch (bytes memory reason) {
            _requireReason(reason, abi.encodeWithSelector(DeltaOneCountsOutOfRange.selector, countsPacked));
        }
    }

    function test_noRowsIsUndefined() public view {
        bytes memory expected = abi.encodeWithSelector(DeltaOneAccuracy.DeltaOneNoRows.selector);
        try harness.deltaOneBps(0, 0, 0) {
            revert("accepted");
        } catch (bytes memory reason) {
            _requireReason(reason, expected);
        }
        try harness.payableBps(0, 0, 0, 1) {
            revert("accepted");
        } catch (bytes memory reason) {
            _requireReason(reason, expected);
        }
    }

    function testFuzz_deltaOneIsTheFloor(uint64 rows, uint64 discordant, uint64 fixedRows) public pure {
        (uint256 n, uint256 b, uint256 c) = _counts(rows, discordant, fixedRows);
        int256 k = DeltaOneAccuracy.deltaOneBps(n, b, c);
        int256 exact = 10_000 * (int256(b) - int256(c));
        require(k * int256(n) <= exact && exact < (k + 1) * int256(n), "not the floor");
    }

    function testFuzz_payableIsTheFloorOfTheLowerBound(uint64 rows, uint64 discordant, uint64 fixedRows, uint24 z)
        public
        pure
    {
        (uint256 n, uint256 b, uint256 c) = _counts(rows, discordant, fixedRows);
        int256 k = DeltaOneAccuracy.payableBps(n, b, c, z);
        require(_isAtMostLowerBound(k, n, b, c, z), "above the bound");
        require(!_isAtMostLowerBound(k + 1, n, b, c, z), "a whole bps below");
        require(k <= 0 || k <= DeltaOneAccuracy.deltaOneBps(n, b, c), "above the point estimate");
    }

    function testFuzz_exactBinomialIsTheTailOfPascalsTriangle(uint8 m, uint8 fixedRows, uint32 alpha) public pure {
        uint256 discordant = m % 226;
        uint256 b = fixedRows % (discordant + 1);
        uint256 alpha30 = alpha % (2 ** 29 + 1);
        uint256[] memory row = new uint256[](discordant + 1);
        row[0] = 1;
        for (uint256 i = 1; i <= discordant; i++) {
            for (uint256 j = i; j > 0; j--) row[j] += row[j - 1];
        }
        uint256 tail;
        for (uint256 i = b; i <= discordant; i++) tail += row[i];
        bool expected = discordant > 0 && tail * 2 ** 30 <= alpha30 * 2 ** discordant;
        require(DeltaOneAccuracy.exactBinomialPasses(b, discordant - b, alpha30) == expected, "differs");
    }

    function testFuzz_rewardNeverAboveRateOrCap(int16 paidBps, uint128 tokensPerDeltaOne, uint128 cap) public pure {
        uint256 reward = DeltaOne.reward(paidBps, tokensPerDeltaOne, cap);
        if (paidBps <= 0) {
            require(reward == 0, "paid a loss");
            return;
        }
        uint256 due = uint256(int256(paidBps)) * tokensPerDeltaOne;
        require(reward <= cap && reward * 100 <= due, "too much");
        require(reward == cap || (reward + 1) * 100 > due, "too little");
    }

    function testFuzz_rewardGrowsWithTheGain(int16 less, int16 more, uint128 tokensPerDeltaOne, uint128 cap) public pure {
        if (less > more) (less, more) = (more, less);
        require(DeltaOne.reward(less, tokensPerDeltaOne, cap) <= DeltaOne.reward(more, tokensPerDeltaOne, cap), "order");
    }

    /// @dev k / 10^4 <= (d - z sqrt(V)) / N over the reals, without a root.
    function _isAtMostLowerBound(int256 k, uint256 n, uint256 b, uint256 c, uint256 z) private pure returns (bool) {
        int256 N = int256(n + 2);
        int256 d = int256(b) - int256(c);
        int256 right = 10_000 * d - k * N;
        if (right < 0) return false;
        int256 V = (int256(b + c) + 1) * N - d * d;
        return int256(z * z) * V * 1e8 <= right * right * 1e12 * N;
    }

    function _requireReason(bytes memory reason, bytes memory expected) private pure {
        require(keccak256(reason) == keccak256(expected), "wrong error");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {DeltaOneCounts, DeltaOneCountsOutOfRange, Figures} from "./DeltaOneCounts.sol";

/// @title The DeltaOne score of an accuracy, of two classes or more, in integers
/// @notice n rows; b of them the candidate fixed (the baseline was wrong on them), c of them it broke. Every figure that
/// pays is rounded against the one who is paid.
/// @dev Domain: b + c <= n < 2^34, which is all that `unpack` can return; zMicro < 2^24; alpha30 <= 2^29. Inside it
/// nothing overflows: the largest intermediate values are zMicro^2 * X * 10^8 < 2^(48 + 69 + 27) in `payableBps` and
/// 2^30 * 2^225 in `exactBinomialPasses`.
library DeltaOneAccuracy {
    /// @notice a score over no rows is undefined
    error DeltaOneNoRows();

    uint256 private constant LANE_BITS = 31;

    /// @notice the most discordant rows for which the exact binomial test fits 256 bits
    uint256 internal constant EXACT_UP_TO = 225;

    function figures(uint256 n, uint256 b, uint256 c, uint256 positives, uint256 zMicro, uint256 alpha30)
        internal
        pure
        returns (Figures memory)
    {
        if (n == 0) return Figures(0, positives, false, false, 0, 0);
        return Figures({
            n: n,
            positives: positives,
            defined: true,
            exact: exactBinomialPasses(b, c, alpha30),
            deltaOneBps: deltaOneBps(n, b, c),
            payableBps: payableBps(n, b, c, zMicro)
        });
    }

    /// @notice Of two classes: eight lanes of 31 bits; lane label + 2 * baseline + 4 * candidate counts the rows of that
    /// cell.
    function unpack(uint256 countsPacked) internal pure returns (uint256 n, uint256 b, uint256 c) {
        DeltaOneCounts.requireBits(countsPacked, 8 * LANE_BITS);
        for (uint256 lane = 0; lane < 8; lane++) {
            n += _lane(countsPacked, lane);
        }
        b = _lane(countsPacked, 2) + _lane(countsPacked, 5);
        c = _lane(countsPacked, 3) + _lane(countsPacked, 4);
    }

    /// @notice Of more classes: five lanes of 31 bits: n, rows that the baseline has right, rows that the candidate has
    /// right, b, c.
    /// @dev Rows that both have right are one number counted from either side, and those that neither has right are not
    /// negative: n rows can be so split exactly when the three checks below hold.
    function unpackClasses(uint256 countsPacked) internal pure returns (uint256 n, uint256 b, uint256 c) {
        DeltaOneCounts.requireBits(countsPacked, 5 * LANE_BITS);
        n = _lane(countsPacked, 0);
        uint256 baseline = _lane(countsPacked, 1);
        uint256 candidate = _lane(countsPacked, 2);
        b = _lane(countsPacked, 3);
        c = _lane(countsPacked, 4);
        DeltaOneCounts.requireThat(
            baseline >= c && candidate + c == baseline + b && baseline + b <= n, countsPacked
        );
    }

    /// @notice floor(10^4 (b - c) / n), towards minus infinity: the point estimate, in bps
    function deltaOneBps(uint256 n, uint256 b, uint256 c) internal pure returns (int256) {
        if (n == 0) revert DeltaOneNoRows();
        return DeltaOneCounts.floorDiv(10_000 * (int256(b) - int256(c)), int256(n));
    }

    /// @notice The one-sided lower confidence bound of Agresti and Min, in bps: with N = n + 2 and d = b - c,
    /// (d - z sqrt((b + c + 1) - d^2 / N)) / N, rounded down.
    /// @dev R is the least integer with R^2 >= z^2 X 10^8 / N, and only integers are compared with it, so the result is
    /// the floor of the exact value for this zMicro. X > 0, as |d| <= b + c < N.
    /// @param zMicro the normal quantile at 1 - alpha, in millionths, rounded up
    function payableBps(uint256 n, uint256 b, uint256 c, uint256 zMicro) internal pure returns (int256) {
        if (n == 0) revert DeltaOneNoRows();
        uint256 N = n + 2;
        int256 d = int256(b) - int256(c);
        uint256 X = (b + c + 1) * N - uint256(d * d);
        uint256 R = Math.sqrt(Math.ceilDiv(zMicro * zMicro * X * 1e8, N), Math.Rounding.Ceil);
        return DeltaOneCounts.floorDiv(1e10 * d - int256(R), int256(1e6 * N));
    }

    /// @notice Whether b or more heads in b + c tosses of a fair coin are at most as likely as alpha:
    /// 2^30 * sum over i >= b of C(m, i) <= alpha30 * 2^m, with m = b + c.
    /// @dev Guards the bound above where its normal approximation is weakest, with few discordant rows. For m > 225 it
    /// does not apply and returns true: there the approximation holds, and the sum would not fit 256 bits. With b <= c
    /// the sum is more than half of 2^m, so no alpha <= 1/2 admits it; that includes m = 0. The step at m = 226 can let
    /// one more broken row pass where 225 rows failed; only where nearly every row is discordant does the bound then
    /// stay positive.
    /// @param alpha30 floor(alpha * 2^30)
    function exactBinomialPasses(uint256 b, uint256 c, uint256 alpha30) internal pure returns (bool) {
        uint256 m = b + c;
        if (m > EXACT_UP_TO) return true;
        if (b <= c) return false;
        // The upper tail has c + 1 terms, C(m, m - k) = C(m, k) for k = 0..c; C(225, 112) * 225 < 2^230.
        uint256 term = 1;
        uint256 tail = 1;
        unchecked {
            for (uint256 k = 1; k <= c; k++) {
                term = term * (m - k + 1) / k;
                tail += term;
            }
            return tail << 30 <= alpha30 << m;
        }
    }

    function _lane(uint256 countsPacked, uint256 lane) private pure returns (uint256) {
        return DeltaOneCounts.lane(countsPacked, lane * LANE_BITS, LANE_BITS);
    }
}

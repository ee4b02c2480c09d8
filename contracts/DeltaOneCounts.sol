// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A word of counts has bits above its lanes, or lanes that no data can give together.
error DeltaOneCountsOutOfRange(uint256 counts);

/// @notice What the counts of a metric say, whatever the metric.
/// @param n rows
/// @param positives what the policy's minPositives is compared with; zero where the metric knows no positives
/// @param defined false where the baseline's metric is 0/0, or the rows are too few for a variance; then there is
/// neither estimate nor bound, and both are zero
/// @param exact whether the exact test passes; true where there is none
/// @param deltaOneBps the point estimate, rounded down
/// @param payableBps the lower bound, rounded down
struct Figures {
    uint256 n;
    uint256 positives;
    bool defined;
    bool exact;
    int256 deltaOneBps;
    int256 payableBps;
}

/// @title Words of counts, and the roundings that all metrics share
library DeltaOneCounts {
    /// @notice the most rows of a fold: 2^31 - 1, as in ModelRegistry
    uint256 internal constant MAX_ROWS = 2 ** 31 - 1;

    /// @notice `bits` bits of a word, from bit `from` on
    function lane(uint256 counts, uint256 from, uint256 bits) internal pure returns (uint256) {
        return (counts >> from) & ((1 << bits) - 1);
    }

    function requireBits(uint256 counts, uint256 bits) internal pure {
        requireThat(counts >> bits == 0, counts);
    }

    function requireThat(bool possible, uint256 counts) internal pure {
        if (!possible) revert DeltaOneCountsOutOfRange(counts);
    }

    /// @dev Towards minus infinity; Solidity divides towards zero.
    /// @param denominator above zero
    function floorDiv(int256 numerator, int256 denominator) internal pure returns (int256 quotient) {
        quotient = numerator / denominator;
        if (numerator % denominator < 0) quotient--;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {DeltaOneCounts, Figures} from "./DeltaOneCounts.sol";

/// @title The DeltaOne scores of a regression, in integers
/// @notice Labels and predictions are integers from 0 to 2^16 - 1, the fold's registered range mapped onto them, so that
/// an error is at most the range. The sum of errors E of each model is put in relation to that of a constant: 1 - E / C
/// is the model's skill, and the candidate's gain of skill, (E_b - E_c) / C, is what pays. C is of the fold alone.
/// @dev d is the error of the baseline in a row minus that of the candidate; its sum D is derived, E_b - E_c.
library DeltaOneSkill {
    bytes32 internal constant MSE = "mse";
    bytes32 internal constant MAE = "mae";

    /// @dev More than that was lost, or gained on a baseline much worse than a constant, and counts as that: figures stay
    /// within those of every other metric.
    int256 private constant MOST_BPS = 10_000;

    /// @param E_b sum of the errors of the baseline
    /// @param E_c sum of the errors of the candidate
    /// @param squares sum of d^2
    /// @param scale C = constant_ / scale
    struct Sums {
        uint256 n;
        uint256 E_b;
        uint256 E_c;
        uint256 squares;
        uint256 constant_;
        uint256 scale;
    }

    function has(bytes32 metric) internal pure returns (bool) {
        return metric == MSE || metric == MAE;
    }

    function figures(bytes32 metric, uint256 first, uint256 second, uint256 zMicro)
        internal
        pure
        returns (Figures memory f)
    {
        Sums memory s = metric == MSE ? unpackSquared(first, second) : unpackAbsolute(first, second);
        f.n = s.n;
        f.exact = true;
        f.defined = s.n >= 2 && s.constant_ != 0;
        if (!f.defined) return f;
        f.deltaOneBps = deltaOneBps(s);
        f.payableBps = payableBps(s, zMicro);
    }

    /// @notice Squared errors. First word: n (31 bits), E_b (63), E_c (63); second: sum of d^2 (95), sum of the labels
    /// (47), sum of their squares (63). C is the labels' sum of squares about their mean, sum y^2 - (sum y)^2 / n.
    function unpackSquared(uint256 first, uint256 second) internal pure returns (Sums memory s) {
        DeltaOneCounts.requireBits(first, 31 + 63 + 63);
        DeltaOneCounts.requireBits(second, 95 + 47 + 63);
        s.n = DeltaOneCounts.lane(first, 0, 31);
        s.E_b = DeltaOneCounts.lane(first, 31, 63);
        s.E_c = DeltaOneCounts.lane(first, 94, 63);
        s.squares = DeltaOneCounts.lane(second, 0, 95);
        uint256 labels = DeltaOneCounts.lane(second, 95, 47);
        uint256 squaredLabels = DeltaOneCounts.lane(second, 142, 63);
        DeltaOneCounts.requireThat(s.n * squaredLabels >= labels * labels, second);
        s.constant_ = s.n * squaredLabels - labels * labels;
        s.scale = s.n;
        _requireVariance(s, second);
    }

    /// @notice Absolute errors. First word: n (31 bits), E_b (47), E_c (47), rows whose label is below the centre (31),
    /// rows whose label is above it (31); second: sum of d^2 (63), sum of |label - centre| (47), which is C.
    /// @dev The centre is a witness, not a parameter: at most half of the labels below it and at most half above it make
    /// it a median, and the sum about each median is the same, the least of all constants. So no centre is to be chosen.
    function unpackAbsolute(uint256 first, uint256 second) internal pure returns (Sums memory s) {
        DeltaOneCounts.requireBits(first, 31 + 47 + 47 + 31 + 31);
        DeltaOneCounts.requireBits(second, 63 + 47);
        s.n = DeltaOneCounts.lane(first, 0, 31);
        s.E_b = DeltaOneCounts.lane(first, 31, 47);
        s.E_c = DeltaOneCounts.lane(first, 78, 47);
        uint256 below = DeltaOneCounts.lane(first, 125, 31);
        uint256 above = DeltaOneCounts.lane(first, 156, 31);
        DeltaOneCounts.requireThat(2 * below <= s.n && 2 * above <= s.n, first);
        s.squares = DeltaOneCounts.lane(second, 0, 63);
        s.constant_ = DeltaOneCounts.lane(second, 63, 47);
        s.scale = 1;
        _requireVariance(s, second);
    }

    /// @notice floor(10^4 D / C), within 10^4 of zero
    function deltaOneBps(Sums memory s) internal pure returns (int256) {
        return _bounded(DeltaOneCounts.floorDiv(10_000 * int256(s.scale) * _sum(s), int256(s.constant_)));
    }

    /// @notice The normal lower bound of the sum, 10^4 (D - n z SE) / C, rounded down and within 10^4 of zero, with
    /// SE^2 = (sum d^2 - D^2 / n) / ((n - 1) n), so that n z SE = z sqrt(W / (n - 1)), W = n sum d^2 - D^2.
    /// @dev By n - 1, as the mean is estimated from the same rows: the variance is unbiased, and the bound the smaller
    /// one. C is taken as it is, the scale of this fold, and not as an estimate of the population's.
    ///
    /// scale^2 z^2 10^8 < 2^(62 + 73.2), W < 2^126, and their product over n - 1 is below 2 n^2 z^2 10^8 2^95 < 2^232,
    /// as W < n 2^95. R is the least integer not below the exact root, and only integers are compared with it: the
    /// result is the floor of the exact value.
    function payableBps(Sums memory s, uint256 zMicro) internal pure returns (int256) {
        int256 D = _sum(s);
        uint256 W = s.n * s.squares - uint256(D * D);
        uint256 V = Math.mulDiv((s.scale * zMicro) ** 2 * 1e8, W, s.n - 1, Math.Rounding.Ceil);
        int256 R = int256(Math.sqrt(V, Math.Rounding.Ceil));
        return _bounded(
            DeltaOneCounts.floorDiv(1e10 * int256(s.scale) * D - R, int256(1e6 * s.constant_))
        );
    }

    function _sum(Sums memory s) private pure returns (int256) {
        return int256(s.E_b) - int256(s.E_c);
    }

    /// @dev Cauchy and Schwarz: no differences have a sum that is larger by their squares.
    function _requireVariance(Sums memory s, uint256 second) private pure {
        int256 D = _sum(s);
        DeltaOneCounts.requireThat(s.n * s.squares >= uint256(D * D), second);
    }

    function _bounded(int256 bps) private pure returns (int256) {
        if (bps > MOST_BPS) return MOST_BPS;
        return bps < -MOST_BPS ? -MOST_BPS : bps;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {DeltaOneAccuracy} from "./DeltaOneAccuracy.sol";
import {DeltaOneCounts, Figures} from "./DeltaOneCounts.sol";

/// @notice A metric of both models as fractions: baselineA / baselineB and candidateA / candidateB.
struct Ratios {
    uint256 baselineA;
    uint256 baselineB;
    uint256 candidateA;
    uint256 candidateB;
}

/// @title The DeltaOne scores of precision, recall and F1, in integers
/// @notice Each is R = A / B over the eight cells of `DeltaOneAccuracy.unpack`: precision TP / (TP + FP), recall
/// TP / (TP + FN), F1 2 TP / (2 TP + FP + FN). A row of cell k adds a_k to A and b_k to B.
/// @dev Domain: n < 2^31, so that A <= B < 2^32; zMicro <= 10^7. A candidate's 0/0 is taken for 0/1.
library DeltaOneRatios {
    bytes32 internal constant ACCURACY = "accuracy";
    bytes32 internal constant PRECISION = "precision";
    bytes32 internal constant RECALL = "recall";
    bytes32 internal constant F1 = "f1";

    function has(bytes32 metric) internal pure returns (bool) {
        return metric == PRECISION || metric == RECALL || metric == F1;
    }

    /// @dev Recall is accuracy over the rows whose label is positive, so it has the exact test over those. Positives are
    /// the least number of rows that an estimate rests on: for precision also those that either model calls positive,
    /// else a candidate that calls two rows positive has a precision of 1 by luck, and a bound that shows little of it.
    function figures(bytes32 metric, uint256 countsPacked, uint256 zMicro, uint256 alpha30)
        internal
        pure
        returns (Figures memory f)
    {
        uint256[8] memory cells;
        (cells, f.n) = unpack(countsPacked);
        Ratios memory r = ratios(metric, cells);
        f.positives = cells[1] + cells[3] + cells[5] + cells[7];
        if (metric == PRECISION) {
            f.positives = Math.min(f.positives, Math.min(r.baselineB, cells[4] + cells[5] + cells[6] + cells[7]));
        }
        f.exact = metric != RECALL || DeltaOneAccuracy.exactBinomialPasses(cells[5], cells[3], alpha30);
        f.defined = r.baselineB != 0;
        if (!f.defined) return f;
        f.deltaOneBps = deltaOneBps(r);
        f.payableBps = payableBps(metric, cells, r, zMicro);
    }

    /// @notice The change of a metric for a guardrail, accuracy too; undefined where the baseline's is.
    function guarded(bytes32 metric, uint256 countsPacked) internal pure returns (bool defined, int256 bps) {
        if (metric == ACCURACY) {
            (uint256 n, uint256 b, uint256 c) = DeltaOneAccuracy.unpack(countsPacked);
            return n == 0 ? (false, int256(0)) : (true, DeltaOneAccuracy.deltaOneBps(n, b, c));
        }
        if (!has(metric)) return (false, 0);
        (uint256[8] memory cells,) = unpack(countsPacked);
        Ratios memory r = ratios(metric, cells);
        return r.baselineB == 0 ? (false, int256(0)) : (true, deltaOneBps(r));
    }

    /// @notice the eight cells, which hold at most 2^31 - 1 rows together
    function unpack(uint256 countsPacked) internal pure returns (uint256[8] memory cells, uint256 n) {
        DeltaOneCounts.requireBits(countsPacked, 8 * 31);
        for (uint256 k = 0; k < 8; k++) {
            cells[k] = DeltaOneCounts.lane(countsPacked, 31 * k, 31);
            n += cells[k];
        }
        DeltaOneCounts.requireThat(n <= DeltaOneCounts.MAX_ROWS, countsPacked);
    }

    function ratios(bytes32 metric, uint256[8] memory cells) internal pure returns (Ratios memory r) {
        for (uint256 k = 0; k < 8; k++) {
            (uint256 a, uint256 b) = _parts(metric, k & 1, (k >> 1) & 1);
            r.baselineA += cells[k] * a;
            r.baselineB += cells[k] * b;
            (a, b) = _parts(metric, k & 1, k >> 2);
            r.candidateA += cells[k] * a;
            r.candidateB += cells[k] * b;
        }
        if (r.candidateB == 0) r.candidateB = 1;
    }

    /// @notice floor(10^4 (A_c / B_c - A_b / B_b)), over the common denominator
    function deltaOneBps(Ratios memory r) internal pure returns (int256) {
        return DeltaOneCounts.floorDiv(10_000 * _difference(r), int256(r.baselineB * r.candidateB));
    }

    /// @notice The lower bound by the delta method, in bps, rounded down: R_c - R_b - z SE, with
    /// SE^2 = sum over the cells of (N_k + 1/4) e_k^2 and
    /// e_k = (a_c - R_c b_c) / B_c - (a_b - R_b b_b) / B_b.
    /// @dev e_k is delta_k / n, the influence of a row of cell k on the difference; sum N_k e_k = 0, as sum N_k a_k = A =
    /// R B, so no square of a mean is to be taken off. The quarter in each cell (as in Agresti and Min's bound) stands
    /// for outcomes that did not occur. For the delta method see e.g. Agresti, Categorical Data Analysis, 16.1.
    ///
    /// With Q = B_c B_b and D_k = (a_c B_c - A_c b_c) B_b^2 - (a_b B_b - A_b b_b) B_c^2, e_k = D_k / Q^2. Both products
    /// in D_k are below 2^32 2^64, so with S = sum (4 N_k + 1) D_k^2 < 2^(33 + 2 * 97) + 2^198, SE^2 = S / (4 Q^4).
    /// |e_k| of one model is at most 2 / B, in rows that number at most B and six quarters, so S / Q^4 < 160 < 2^8. Hence
    /// V = ceil(S 2^112 / Q^2) < 2^8 2^128 2^112, and ceil(V z^2 10^8 2^56 / Q^2) < 2^8 2^112 2^73.2 2^56 < 2^250.
    /// R is its root, rounded up: z SE in millionths of a bps and units of 2^-85. The roundings up make the bound smaller
    /// than the floor of the exact value only where that is within 2^-60 bps of an integer, and never larger.
    function payableBps(bytes32 metric, uint256[8] memory cells, Ratios memory r, uint256 zMicro)
        internal
        pure
        returns (int256)
    {
        uint256 S = 0;
        for (uint256 k = 0; k < 8; k++) {
            int256 D = _influence(metric, k & 1, k >> 2, r.candidateA, r.candidateB) * int256(r.baselineB ** 2)
                - _influence(metric, k & 1, (k >> 1) & 1, r.baselineA, r.baselineB) * int256(r.candidateB ** 2);
            S += (4 * cells[k] + 1) * uint256(D * D);
        }
        uint256 Q = r.candidateB * r.baselineB;
        uint256 V = Math.mulDiv(S, 2 ** 112, Q * Q, Math.Rounding.Ceil);
        V = Math.mulDiv(V, zMicro * zMicro * 1e8 << 56, Q * Q, Math.Rounding.Ceil);
        int256 R = int256(Math.sqrt(V, Math.Rounding.Ceil));
        int256 point = DeltaOneCounts.floorDiv(_difference(r) * 1e10 * 2 ** 85, int256(Q));
        return DeltaOneCounts.floorDiv(point - R, 1e6 * 2 ** 85);
    }

    /// @dev A_c B_b - A_b B_c; its absolute value is at most B_c B_b < 2^64.
    function _difference(Ratios memory r) private pure returns (int256) {
        return int256(r.candidateA * r.baselineB) - int256(r.baselineA * r.candidateB);
    }

    /// @dev a B - A b of one row.
    function _influence(bytes32 metric, uint256 label, uint256 predicted, uint256 A, uint256 B)
        private
        pure
        returns (int256)
    {
        (uint256 a, uint256 b) = _parts(metric, label, predicted);
        return int256(a * B) - int256(A * b);
    }

    function _parts(bytes32 metric, uint256 label, uint256 predicted) private pure returns (uint256 a, uint256 b) {
        uint256 truePositive = label & predicted;
        if (metric == PRECISION) return (truePositive, predicted);
        if (metric == RECALL) return (truePositive, label);
        return (2 * truePositive, label + predicted);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {DeltaOneCounts, Figures} from "./DeltaOneCounts.sol";

/// @title The DeltaOne score of the area under the ROC curve, in integers
/// @notice The placement of a positive row is how many of the negative rows have a lower score, those with the same
/// counting one half; of a negative row, how many of the positive ones have a higher score, likewise. Counted in halves
/// placements are integers. Over m positive and k negative rows the sum of either is 2 m k AUROC.
library DeltaOneAuroc {
    bytes32 internal constant AUROC = "auroc";

    /// @param P_b sum of the placements by the baseline's scores, in halves
    /// @param P_c sum of the placements by the candidate's scores, in halves
    /// @param G_m over the positive rows, sum of the squared differences of their two placements, in quarters
    /// @param G_k over the negative rows, likewise
    struct Placements {
        uint256 m;
        uint256 k;
        uint256 P_b;
        uint256 P_c;
        uint256 G_m;
        uint256 G_k;
    }

    function figures(uint256 first, uint256 second, uint256 zMicro) internal pure returns (Figures memory f) {
        Placements memory p = unpack(first, second);
        f.n = p.m + p.k;
        f.positives = p.m;
        f.exact = true;
        f.defined = p.m >= 2 && p.k >= 2;
        if (!f.defined) return f;
        f.deltaOneBps = deltaOneBps(p);
        f.payableBps = payableBps(p, zMicro);
    }

    /// @notice First word: m (31 bits), k (31), P_b (61), P_c (61); second: G_m (93), G_k (93).
    /// @dev m + k < 2^31, so P <= 2 m k < 2^61 and G_m <= m (2 k)^2 < 2^93. The differences of the placements of the
    /// positive rows, like those of the negative ones, sum to P_c - P_b; the last check is Cauchy and Schwarz.
    function unpack(uint256 first, uint256 second) internal pure returns (Placements memory p) {
        DeltaOneCounts.requireBits(first, 31 + 31 + 61 + 61);
        DeltaOneCounts.requireBits(second, 93 + 93);
        p.m = DeltaOneCounts.lane(first, 0, 31);
        p.k = DeltaOneCounts.lane(first, 31, 31);
        p.P_b = DeltaOneCounts.lane(first, 62, 61);
        p.P_c = DeltaOneCounts.lane(first, 123, 61);
        p.G_m = DeltaOneCounts.lane(second, 0, 93);
        p.G_k = DeltaOneCounts.lane(second, 93, 93);
        uint256 most = 2 * p.m * p.k;
        DeltaOneCounts.requireThat(
            p.m + p.k <= DeltaOneCounts.MAX_ROWS && p.P_b <= most && p.P_c <= most, first
        );
        uint256 square = _square(p);
        DeltaOneCounts.requireThat(p.m * p.G_m >= square && p.k * p.G_k >= square, second);
    }

    /// @notice floor(10^4 (P_c - P_b) / (2 m k))
    function deltaOneBps(Placements memory p) internal pure returns (int256) {
        return DeltaOneCounts.floorDiv(10_000 * _sum(p), int256(2 * p.m * p.k));
    }

    /// @notice The lower bound by DeLong, DeLong and Clarke-Pearson ("Comparing the areas under two or more correlated
    /// receiver operating characteristic curves", Biometrics 44, 1988) for the contrast of candidate and baseline,
    /// rounded down: L S L' = s_10 / m + s_01 / k, where s_10, by m - 1, is the sample variance of the differences of
    /// the positive rows' structural components (placements over k) and s_01, by k - 1, that of the negative rows'.
    /// @dev With D = P_c - P_b, s_10 / m = (m G_m - D^2) / (4 m^2 k^2 (m - 1)) and s_01 / k likewise, so the bound is
    /// (D - z sqrt((m G_m - D^2) / (m - 1) + (k G_k - D^2) / (k - 1))) / (2 m k). Under the root, over the common
    /// denominator: 2^(31 + 93 + 31 + 1), times z^2 10^8 < 2^73.2. R is the least integer not below the exact root, and
    /// only integers are compared with it: the result is the floor of the exact value.
    function payableBps(Placements memory p, uint256 zMicro) internal pure returns (int256) {
        uint256 square = _square(p);
        uint256 X = (p.m * p.G_m - square) * (p.k - 1) + (p.k * p.G_k - square) * (p.m - 1);
        uint256 V = Math.ceilDiv(zMicro * zMicro * X * 1e8, (p.m - 1) * (p.k - 1));
        int256 R = int256(Math.sqrt(V, Math.Rounding.Ceil));
        return DeltaOneCounts.floorDiv(1e10 * _sum(p) - R, int256(2e6 * p.m * p.k));
    }

    function _sum(Placements memory p) private pure returns (int256) {
        return int256(p.P_c) - int256(p.P_b);
    }

    function _square(Placements memory p) private pure returns (uint256) {
        int256 D = _sum(p);
        return uint256(D * D);
    }
}

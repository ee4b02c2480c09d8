// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {DeltaOneAccuracy} from "./DeltaOneAccuracy.sol";
import {DeltaOneAuroc} from "./DeltaOneAuroc.sol";
import {DeltaOneCounts, DeltaOneCountsOutOfRange, Figures} from "./DeltaOneCounts.sol";
import {DeltaOneRatios} from "./DeltaOneRatios.sol";
import {DeltaOneSkill} from "./DeltaOneSkill.sol";

/// @notice A metric that must not fall by more than maxLossBps while another is paid for.
struct Guardrail {
    bytes32 metric;
    uint16 maxLossBps;
}

/// @notice The members of a policy that decide whether a score is paid.
/// @param alpha30 floor(2^30 * alpha / K): the chance of a false gain that one round may take; at most 2^29
/// @param zMicro normal quantile at 1 - alpha / K in millionths, rounded up; at most 10^7
/// @param minDeltaBps the lower bound has to exceed it
/// @param minRows fewest benchmark rows
/// @param minPositives fewest rows whose label is positive, and for precision fewest that either model calls positive;
/// zero asks for none. Where the metric has no positive label, any other number is never reached.
/// @param guardrails all have to hold
struct GateTerms {
    uint32 alpha30;
    uint32 zMicro;
    uint16 minDeltaBps;
    uint32 minRows;
    uint32 minPositives;
    Guardrail[] guardrails;
}

/// @notice What counts are worth. Where the gate is passed, 0 <= minDeltaBps < payableBps <= deltaOneBps <= 10^4.
/// @param n rows
/// @param deltaOneBps the point estimate, rounded down; zero where it is undefined
/// @param payableBps the lower bound, rounded down; zero where it is undefined
/// @param failed zero where the gate is passed, else the first part that failed, a short string: "rows", "positives",
/// "undefined" (the baseline's metric is 0/0, or one row has no variance), "bound", "exact", "guardrail"
struct Score {
    uint256 n;
    int256 deltaOneBps;
    int256 payableBps;
    bytes32 failed;
}

/// @title The DeltaOne score, in integers
/// @notice 1 DeltaOne = +1 percentage point of the metric = 100 bps; improvement is positive whatever the metric's
/// direction. Every figure that pays is rounded against the one who is paid. The counts are those of a proven circuit:
///
/// | metric                | classes | words | layout                          |
/// | --------------------- | ------- | ----- | ------------------------------- |
/// | accuracy              | 2       | 1     | DeltaOneAccuracy.unpack         |
/// | accuracy              | above 2 | 1     | DeltaOneAccuracy.unpackClasses  |
/// | precision, recall, f1 | 2       | 1     | DeltaOneRatios.unpack           |
/// | mse                   | 0       | 2     | DeltaOneSkill.unpackSquared     |
/// | mae                   | 0       | 2     | DeltaOneSkill.unpackAbsolute    |
/// | auroc                 | 2       | 2     | DeltaOneAuroc.unpack            |
library DeltaOne {
    error DeltaOneUnsupportedMetric(bytes32 metric, uint256 classes);
    error DeltaOneCountsLength(uint256 expected, uint256 actual);
    /// @notice `field` is the name of the terms' member
    error DeltaOneTermsOutOfRange(bytes32 field, uint256 value, uint256 max);

    uint256 private constant MAX_ALPHA30 = 2 ** 29;
    uint256 private constant MAX_Z_MICRO = 10_000_000;

    /// @notice The score of a metric's counts. Reverts with `DeltaOneUnsupportedMetric`, `DeltaOneCountsLength`,
    /// `DeltaOneTermsOutOfRange` or `DeltaOneCountsOutOfRange`, which no registered policy and no proven counts do, and
    /// with nothing else.
    /// @param classes of the fold: 2 or more, 0 for a regression
    function score(bytes32 metric, uint256 classes, uint256[] calldata counts, GateTerms calldata terms)
        external
        pure
        returns (Score memory)
    {
        uint256 length = _countsLength(metric, classes);
        if (length == 0) revert DeltaOneUnsupportedMetric(metric, classes);
        if (counts.length != length) revert DeltaOneCountsLength(length, counts.length);
        _requireAtMost("alpha30", terms.alpha30, MAX_ALPHA30);
        _requireAtMost("zMicro", terms.zMicro, MAX_Z_MICRO);
        Figures memory f = _figures(metric, classes, counts, terms);
        bytes32 failed = _failed(f, terms);
        if (failed == 0 && !_guarded(metric, classes, counts[0], f.deltaOneBps, terms.guardrails)) {
            failed = "guardrail";
        }
        return Score(f.n, f.deltaOneBps, f.payableBps, failed);
    }

    /// @notice how many words the counts of a metric are; zero for what is not supported
    function countsLength(bytes32 metric, uint256 classes) external pure returns (uint256) {
        return _countsLength(metric, classes);
    }

    /// @notice min(max(paidBps, 0) * tokensPerDeltaOne / 100, cap), rounded down
    /// @param paidBps at most 10^4
    /// @param tokensPerDeltaOne smallest units of the reward token for 100 bps, below 2^240
    function reward(int256 paidBps, uint256 tokensPerDeltaOne, uint256 cap) internal pure returns (uint256) {
        if (paidBps <= 0) return 0;
        return Math.min(uint256(paidBps) * tokensPerDeltaOne / 100, cap);
    }

    function _countsLength(bytes32 metric, uint256 classes) private pure returns (uint256) {
        if (metric == DeltaOneRatios.ACCURACY) return classes >= 2 ? 1 : 0;
        if (DeltaOneRatios.has(metric)) return classes == 2 ? 1 : 0;
        if (DeltaOneSkill.has(metric)) return classes == 0 ? 2 : 0;
        return metric == DeltaOneAuroc.AUROC && classes == 2 ? 2 : 0;
    }

    function _figures(bytes32 metric, uint256 classes, uint256[] calldata counts, GateTerms calldata terms)
        private
        pure
        returns (Figures memory)
    {
        if (DeltaOneSkill.has(metric)) return DeltaOneSkill.figures(metric, counts[0], counts[1], terms.zMicro);
        if (metric == DeltaOneAuroc.AUROC) return DeltaOneAuroc.figures(counts[0], counts[1], terms.zMicro);
        if (DeltaOneRatios.has(metric)) {
            return DeltaOneRatios.figures(metric, counts[0], terms.zMicro, terms.alpha30);
        }
        uint256 positives = 0;
        uint256 n;
        uint256 b;
        uint256 c;
        if (classes == 2) {
            // slither-disable-next-line unused-return
            (uint256[8] memory cells,) = DeltaOneRatios.unpack(counts[0]);
            positives = cells[1] + cells[3] + cells[5] + cells[7];
            (n, b, c) = DeltaOneAccuracy.unpack(counts[0]);
        } else {
            (n, b, c) = DeltaOneAccuracy.unpackClasses(counts[0]);
        }
        return DeltaOneAccuracy.figures(n, b, c, positives, terms.zMicro, terms.alpha30);
    }

    function _failed(Figures memory f, GateTerms calldata terms) private pure returns (bytes32) {
        if (f.n < terms.minRows) return "rows";
        if (f.positives < terms.minPositives) return "positives";
        if (!f.defined) return "undefined";
        if (f.payableBps <= int256(uint256(terms.minDeltaBps))) return "bound";
        return f.exact ? bytes32(0) : bytes32("exact");
    }

    /// @dev Whether all guardrails hold. The eight cells tell of four metrics, other counts of the paid one alone; a
    /// metric that they do not tell of fails, like one that the baseline has not.
    /// Rounding a change down loses nothing here: it is at least the integer -maxLossBps exactly when its floor is.
    function _guarded(
        bytes32 metric,
        uint256 classes,
        uint256 countsPacked,
        int256 deltaOneBps,
        Guardrail[] calldata guardrails
    ) private pure returns (bool) {
        bool hasCells = classes == 2 && metric != DeltaOneAuroc.AUROC;
        for (uint256 i = 0; i < guardrails.length; i++) {
            bool defined = guardrails[i].metric == metric;
            int256 bps = deltaOneBps;
            if (hasCells) (defined, bps) = DeltaOneRatios.guarded(guardrails[i].metric, countsPacked);
            if (!defined || bps < -int256(uint256(guardrails[i].maxLossBps))) return false;
        }
        return true;
    }

    function _requireAtMost(bytes32 field, uint256 value, uint256 max) private pure {
        if (value > max) revert DeltaOneTermsOutOfRange(field, value, max);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DeltaOne, GateTerms, Guardrail, Score} from "../../contracts/DeltaOne.sol";
import {DeltaOneCountsOutOfRange} from "../../contracts/DeltaOneCounts.sol";
import {DeltaOneHarness} from "./DeltaOneHarness.sol";

/// @notice Fuzzes `score` over every metric: inside its domain it never reverts and its figures are in order, outside it
/// reverts with its own errors and never panics.
contract DeltaOneScoreTest {
    DeltaOneHarness private harness = new DeltaOneHarness();

    bytes32[4] private cellMetrics = [bytes32("accuracy"), "precision", "recall", "f1"];
    bytes32[8] private metrics = [bytes32("accuracy"), "precision", "recall", "f1", "mse", "mae", "auroc", "accuracy"];
    uint256[8] private classes = [uint256(2), 2, 2, 2, 0, 0, 2, 10];

    /// @dev Cells of few rows and of many, in any mixture; together below 2^31.
    function testFuzz_cellsNeverRevertAndAreInOrder(uint32[8] memory drawn, uint8 shift, uint24 z, uint8 which)
        public
        view
    {
        bytes32 metric = cellMetrics[which % 4];
        uint256[8] memory cells;
        for (uint256 k = 0; k < 8; k++) cells[k] = drawn[k] >> (4 + (uint256(shift) * (k + 1)) % 29);
        Score memory s = DeltaOne.score(metric, 2, _pack(cells), _terms(z));
        (cells[2], cells[4]) = (cells[4], cells[2]);
        (cells[3], cells[5]) = (cells[5], cells[3]);
        _requireInOrder(s, DeltaOne.score(metric, 2, _pack(cells), _terms(z)), metric);
    }

    function testFuzz_classesNeverRevertAndAreInOrder(uint32[4] memory drawn, uint8 shift, uint24 z) public pure {
        for (uint256 i = 0; i < 4; i++) drawn[i] >>= 3 + (uint256(shift) * (i + 1)) % 29;
        (uint256 b, uint256 c) = (drawn[2], drawn[3]);
        uint256 n = uint256(drawn[0]) + drawn[1] + b + c;
        uint256[] memory counts = new uint256[](1);
        counts[0] = n | (drawn[0] + c) << 31 | (drawn[0] + b) << 62 | b << 93 | c << 124;
        Score memory s = DeltaOne.score("accuracy", 10, counts, _terms(z));
        counts[0] = n | (drawn[0] + b) << 31 | (drawn[0] + c) << 62 | c << 93 | b << 124;
        _requireInOrder(s, DeltaOne.score("accuracy", 10, counts, _terms(z)), "accuracy");
    }

    /// @dev Rows of any labels and predictions: whatever they are, their sums are in the domain.
    function testFuzz_regressionsNeverRevertAndAreInOrder(uint16[3][] memory rows, uint24 z, bool squared) public pure {
        bytes32 metric = squared ? bytes32("mse") : bytes32("mae");
        uint256[] memory counts = squared ? _squared(rows, 1, 2) : _absolute(rows, 1, 2);
        Score memory s = DeltaOne.score(metric, 0, counts, _terms(z));
        require(s.n == rows.length, "n");
        counts = squared ? _squared(rows, 2, 1) : _absolute(rows, 2, 1);
        _requireInOrder(s, DeltaOne.score(metric, 0, counts, _terms(z)), metric);
    }

    /// @dev Scores with many ties, all pairs compared.
    function testFuzz_areasNeverRevertAndAreInOrder(uint8[24] memory rows, uint24 z) public pure {
        Score memory s = DeltaOne.score("auroc", 2, _areas(rows, 1, 4), _terms(z));
        require(s.n == 24, "n");
        _requireInOrder(s, DeltaOne.score("auroc", 2, _areas(rows, 4, 1), _terms(z)), "auroc");
    }

    function testFuzz_anyWordsGiveAScoreOrAnErrorOfOurs(uint256 first, uint256 second, uint8[4] memory how, uint32 z)
        public
        view
    {
        uint256 which = how[0] % 8;
        uint256[] memory counts = new uint256[](how[1] % 8 == 0 ? how[1] / 64 : (which > 3 && which < 7 ? 2 : 1));
        if (counts.length > 0) counts[0] = first >> how[2];
        if (counts.length > 1) counts[1] = second >> how[3];
        GateTerms memory terms = _terms(z);
        terms.alpha30 = uint32(first);
        if (how[1] % 2 == 0) (terms.alpha30, terms.zMicro) = (terms.alpha30 % 2 ** 29, terms.zMicro % 10 ** 7);
        _requireOurs(metrics[which], classes[which], counts, terms);
        _requireOurs(bytes32(second), how[3] % 4, counts, terms);
    }

    /// @dev The lanes at and around their largest values, where a sum or a product would overflow first.
    function testFuzz_largestWordsGiveAScoreOrAnErrorOfOurs(uint8 which, uint256 holes, uint256 bits) public view {
        which %= 8;
        uint256 words = DeltaOne.countsLength(metrics[which], classes[which]);
        uint256[] memory counts = new uint256[](words);
        uint256[2][8] memory width =
            [[uint256(248), 0], [uint256(248), 0], [uint256(248), 0], [uint256(248), 0], [uint256(157), 205], [uint256(187), 110], [uint256(184), 186], [uint256(155), 0]];
        for (uint256 i = 0; i < words; i++) {
            counts[i] = (2 ** width[which][i] - 1) ^ (1 << (holes >> (8 * i)) % width[which][i]);
            counts[i] ^= (1 << (bits >> (8 * i)) % width[which][i]);
        }
        _requireOurs(metrics[which], classes[which], counts, _terms(10_000_000));
    }

    function testFuzz_guardrailsOnlyEverRefuse(uint32[8] memory drawn, uint8 which, uint16 most, bytes32 guarded)
        public
        view
    {
        uint256[8] memory cells;
        for (uint256 k = 0; k < 8; k++) cells[k] = drawn[k] >> 4;
        GateTerms memory terms = _terms(1_644_854);
        Score memory free = DeltaOne.score(cellMetrics[which % 4], 2, _pack(cells), terms);
        terms.guardrails = new Guardrail[](2);
        terms.guardrails[0] = Guardrail(cellMetrics[(which >> 2) % 4], most);
        Score memory bound = DeltaOne.score(cellMetrics[which % 4], 2, _pack(cells), terms);
        terms.guardrails[0] = Guardrail(cellMetrics[which % 4], 0);
        terms.guardrails[1] = Guardrail(guarded, most);
        Score memory unknown = DeltaOne.score(cellMetrics[which % 4], 2, _pack(cells), terms);
        require(free.failed == 0 || bound.failed == free.failed, "another reason");
        require(bound.failed == 0 || free.failed != 0 || bound.failed == "guardrail", "no guardrail");
        require(unknown.failed != 0, "an unknown guardrail held");
    }

    function test_countsLengthOfNothingElse() public pure {
        require(DeltaOne.countsLength("mape", 0) == 0 && DeltaOne.countsLength("accuracy", 1) == 0, "not paid");
        require(DeltaOne.countsLength("accuracy", 0) == 0 && DeltaOne.countsLength("f1", 3) == 0, "not paid");
        require(DeltaOne.countsLength("mse", 2) == 0 && DeltaOne.countsLength("auroc", 3) == 0, "not paid");
        require(DeltaOne.countsLength("auroc", 2) == 2 && DeltaOne.countsLength("mae", 0) == 2, "two words");
        require(DeltaOne.countsLength("accuracy", 65_535) == 1 && DeltaOne.countsLength("recall", 2) == 1, "one word");
    }

    /// @param t the score of the same models in each other's place
    function _requireInOrder(Score memory s, Score memory t, bytes32 metric) private pure {
        require(s.n == t.n, "rows");
        require(s.failed != 0 || (0 < s.payableBps && s.payableBps <= s.deltaOneBps), "above the estimate");
        require(s.deltaOneBps <= 10_000, "more than all");
        require(s.failed != 0 || t.failed != 0, "better and worse");
        if (s.failed == "undefined" || t.failed == "undefined") return;
        require(s.payableBps <= s.deltaOneBps || (metric == "accuracy" && s.payableBps <= 0), "bound");
        require(s.deltaOneBps + t.deltaOneBps == 0 || s.deltaOneBps + t.deltaOneBps == -1, "not the opposite");
    }

    function _requireOurs(bytes32 metric, uint256 classes_, uint256[] memory counts, GateTerms memory terms)
        private
        view
    {
        try harness.score(metric, classes_, counts, terms) returns (Score memory) {}
        catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            require(
                selector == DeltaOneCountsOutOfRange.selector || selector == DeltaOne.DeltaOneCountsLength.selector
                    || selector == DeltaOne.DeltaOneUnsupportedMetric.selector
                    || selector == DeltaOne.DeltaOneTermsOutOfRange.selector,
                "not an error of ours"
            );
        }
    }

    function _terms(uint32 z) private pure returns (GateTerms memory) {
        return GateTerms(2 ** 29, z % 10_000_001, 0, 0, 0, new Guardrail[](0));
    }

    function _pack(uint256[8] memory cells) private pure returns (uint256[] memory counts) {
        counts = new uint256[](1);
        for (uint256 k = 0; k < 8; k++) counts[0] |= cells[k] << (31 * k);
    }

    function _squared(uint16[3][] memory rows, uint256 baseline, uint256 candidate)
        private
        pure
        returns (uint256[] memory counts)
    {
        counts = new uint256[](2);
        counts[0] = rows.length;
        for (uint256 i = 0; i < rows.length; i++) {
            uint256 y = rows[i][0];
            uint256 eb = _apart(y, rows[i][baseline]) ** 2;
            uint256 ec = _apart(y, rows[i][candidate]) ** 2;
            counts[0] += (eb << 31) + (ec << 94);
            counts[1] += _apart(eb, ec) ** 2 + (y << 95) + (y * y << 142);
        }
    }

    function _absolute(uint16[3][] memory rows, uint256 baseline, uint256 candidate)
        private
        pure
        returns (uint256[] memory counts)
    {
        counts = new uint256[](2);
        counts[0] = rows.length;
        uint256 centre = _median(rows);
        for (uint256 i = 0; i < rows.length; i++) {
            uint256 y = rows[i][0];
            uint256 eb = _apart(y, rows[i][baseline]);
            uint256 ec = _apart(y, rows[i][candidate]);
            counts[0] += (eb << 31) + (ec << 78) + (y < centre ? 1 << 125 : 0) + (y > centre ? 1 << 156 : 0);
            counts[1] += _apart(eb, ec) ** 2 + (_apart(y, centre) << 63);
        }
    }

    /// @dev A label that has at most half of them on either side.
    function _median(uint16[3][] memory rows) private pure returns (uint256) {
        for (uint256 i = 0; i < rows.length; i++) {
            uint256 below = 0;
            uint256 above = 0;
            for (uint256 j = 0; j < rows.length; j++) {
                if (rows[j][0] < rows[i][0]) below++;
                if (rows[j][0] > rows[i][0]) above++;
            }
            if (2 * below <= rows.length && 2 * above <= rows.length) return rows[i][0];
        }
        return 0;
    }

    /// @dev A row's label is its lowest bit, its scores are three bits from `baseline` and from `candidate` on.
    function _areas(uint8[24] memory rows, uint256 baseline, uint256 candidate)
        private
        pure
        returns (uint256[] memory counts)
    {
        counts = new uint256[](2);
        for (uint256 i = 0; i < 24; i++) {
            uint256 pb = 0;
            uint256 pc = 0;
            for (uint256 j = 0; j < 24; j++) {
                if (rows[i] & 1 == rows[j] & 1) continue;
                pb += _halves(rows[i], rows[j], baseline);
                pc += _halves(rows[i], rows[j], candidate);
            }
            if (rows[i] & 1 == 1) counts[0] += 1 + (pb << 62) + (pc << 123);
            else counts[0] += 1 << 31;
            counts[1] += _apart(pb, pc) ** 2 << (rows[i] & 1 == 1 ? 0 : 93);
        }
    }

    /// @dev 2 where the positive row has the higher score, 1 where they are level.
    function _halves(uint256 row, uint256 other, uint256 from) private pure returns (uint256) {
        (uint256 positive, uint256 negative) = row & 1 == 1 ? (row, other) : (other, row);
        (positive, negative) = ((positive >> from) & 7, (negative >> from) & 7);
        return positive > negative ? 2 : positive == negative ? 1 : 0;
    }

    function _apart(uint256 x, uint256 y) private pure returns (uint256) {
        return x > y ? x - y : y - x;
    }
}

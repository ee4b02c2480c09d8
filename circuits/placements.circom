// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

/// The bits of a number in a row that is active; in the padding the number is 0.
///
/// @param count  at most 253, so that no two numbers have the same bits
///
/// @input  active  a bit, by the caller
/// @input  in      below 2^count where active, else 0 (constrained here)
/// @output out     a bit each where active, else 0, in one constraint each
///
/// Cost: a constraint a bit; the sum is linear.
template ActiveBits(count) {
    assert(count < 254);
    signal input active;
    signal input in;
    signal output out[count];

    var sum = 0;
    for (var k = 0; k < count; k++) {
        out[k] <-- (in >> k) & 1;
        out[k] * (out[k] - active) === 0;
        sum += out[k] * (1 << k);
    }
    sum === in;
}

/// The rows of a benchmark in descending order of one model's scores, with the placement of each: for a positive row twice
/// the negative rows with a lower score and once those with the same, for a negative row likewise the positive ones with
/// a higher score. That these are the benchmark's rows is for the caller to show.
///
/// Rows of the same score are a group, from position `start` to position `end`, with `above` positive rows before it and
/// `upTo` before its end. A negative row's placement is above + upTo; a positive row's is the same of the negative rows
/// behind it, 2 negatives - (start - above) - (end - upTo).
///
/// @input  active           1 for the first n positions, then 0, by the caller
/// @input  activePositives  the positive rows of all n where active, else 0, by the caller
/// @input  positives        the positive rows of all n
/// @input  negatives        the negative rows of all n
/// @input  sortedScores     of each position the score plus 1, never rising (constrained here), 0 behind the last
/// @input  sortedPositives  positive rows up to and with each position (constrained here to rise by bits)
///
/// @output bound  18 bits of each position that sortedScores and sortedPositives follow from
/// @output keys   of each position score + 1, label and placement in one number, 0 behind the last. They are packed from
///                integers of fewer bits than their lanes have, so no two that differ are the same
///
/// Cost: 23 constraints a row (1 end of a group, 16 bits of the step, 1 label, 4 to carry what a group shares, 1 placement), less 4.
template SortedPlacements(rows) {
    signal input active[rows];
    signal input activePositives[rows];
    signal input positives;
    signal input negatives;
    signal input sortedScores[rows];
    signal input sortedPositives[rows];
    signal output bound[rows];
    signal output keys[rows];

    signal ends[rows];
    signal stepBits[rows][15];
    signal labels[rows];
    for (var k = 0; k < rows; k++) {
        // A step down is 0 within a group, and 1 with 16 bits more at its end. The sixteenth bit is what is left of the step:
        // no signal, as a linear constraint would let the compiler put the sum of all steps for each score.
        var step = sortedScores[k];
        if (k + 1 < rows) step -= sortedScores[k + 1];
        ends[k] <-- step == 0 ? 0 : 1;
        ends[k] * (ends[k] - active[k]) === 0;
        var rest = step - ends[k];
        for (var b = 0; b < 15; b++) {
            stepBits[k][b] <-- (step - 1) * ends[k] >> b & 1;
            stepBits[k][b] * (stepBits[k][b] - ends[k]) === 0;
            rest -= stepBits[k][b] * (1 << b);
        }
        (rest / (1 << 15)) * (rest / (1 << 15) - ends[k]) === 0;

        var label = sortedPositives[k];
        if (k > 0) label -= sortedPositives[k - 1];
        label * (label - active[k]) === 0;
        labels[k] <== label;
        bound[k] <== step + labels[k] * (1 << 17);
    }

    signal above[rows];
    signal start[rows];
    signal upTo[rows + 1];
    signal end[rows + 1];
    above[0] <== 0;
    start[0] <== 0;
    for (var k = 1; k < rows; k++) {
        above[k] <== above[k - 1] + ends[k - 1] * (sortedPositives[k - 1] - above[k - 1]);
        start[k] <== start[k - 1] + ends[k - 1] * (k - start[k - 1]);
    }
    upTo[rows] <== positives;
    end[rows] <== rows;
    for (var k = rows - 1; k >= 0; k--) {
        upTo[k] <== upTo[k + 1] + ends[k] * (sortedPositives[k] - upTo[k + 1]);
        end[k] <== end[k + 1] + ends[k] * (k + 1 - end[k + 1]);
    }

    signal placements[rows];
    for (var k = 0; k < rows; k++) {
        // Behind the last row all positives are above, and to the end: what is taken away is then twice their number.
        placements[k] <== above[k] + upTo[k] - 2 * (positives - activePositives[k])
            + labels[k] * (2 * negatives - start[k] - end[k]);
        keys[k] <== sortedScores[k] + labels[k] * (1 << 32) + placements[k] * (1 << 33);
    }
}

/// The placements of the rows of a benchmark by one model's scores, as the prover gives them, and what a permutation has to
/// show: that rows, with the placement that was given, are those of SortedPlacements, with the placement that was counted.
///
/// @param bits  of a placement
///
/// @input  active           1 for the first n rows, then 0, by the caller
/// @input  activePositives  the positive rows of all n where active, else 0, by the caller
/// @input  positives        the positive rows of all n
/// @input  negatives        the negative rows of all n
/// @input  labels           a bit a row, by the caller
/// @input  scores           16 bits a row, by the caller
/// @input  placements       in halves, 0 in the padding (range-checked here)
/// @input  sortedScores     as SortedPlacements has them
/// @input  sortedPositives
///
/// @output bound       18 + bits bits of each row, to be absorbed before the challenge is drawn
/// @output keys        score + 1, label and placement of each row in one number, 0 in the padding
/// @output sortedKeys  the same of each position
///
/// Cost: bits + 23 constraints a row, less 4.
template Placements(rows, bits) {
    signal input active[rows];
    signal input activePositives[rows];
    signal input positives;
    signal input negatives;
    signal input labels[rows];
    signal input scores[rows];
    signal input placements[rows];
    signal input sortedScores[rows];
    signal input sortedPositives[rows];
    signal output bound[rows];
    signal output keys[rows];
    signal output sortedKeys[rows];

    signal sortedBound[rows];
    (sortedBound, sortedKeys) <== SortedPlacements(rows)(
        active, activePositives, positives, negatives, sortedScores, sortedPositives
    );
    signal placementBits[rows][bits];
    for (var i = 0; i < rows; i++) {
        placementBits[i] <== ActiveBits(bits)(active[i], placements[i]);
        bound[i] <== sortedBound[i] + placements[i] * (1 << 18);
        keys[i] <== scores[i] + active[i] + labels[i] * (1 << 32) + placements[i] * (1 << 33);
    }
}

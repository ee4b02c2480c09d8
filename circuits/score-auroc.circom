// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./permutation.circom";
include "./placements.circom";
include "./score-rows.circom";

/// Compares, over n committed rows of a binary benchmark, the areas under the ROC curves of two models' scores by the
/// placements of DeLong, and binds their sums to the three roots and to the context of one settlement.
///
/// The prover gives the placement of each row by both models. For each model he also gives the rows in the order of its
/// scores, where placements are counted, and that both are the same rows with the same placements is checked as a
/// permutation: rows of the same score and label have the same placement, so nothing else has to tell them apart.
///
/// @param rows       size class, at most 2^15
/// @param blockRows  rows of a block; 240 wherever a root leaves the circuit, smaller only in tests, as is width
/// @param width      elements of a group that is absorbed at once; 15 wherever a root leaves the circuit
///
/// @input  active                    1 for the first n rows, then 0 (constrained in ScoreRows)
/// @input  labels                    one bit a row, 0 in the padding
/// @input  baselinePredictions       scores of 16 bits a row, 0 in the padding
/// @input  candidatePredictions      likewise
/// @input  baselinePlacements        in halves (range-checked in Placements; the permutation says they are right)
/// @input  candidatePlacements       likewise
/// @input  baselineSortedScores      as SortedPlacements has them, like the three below
/// @input  baselineSortedPositives
/// @input  candidateSortedScores
/// @input  candidateSortedPositives
/// @input  labelsSalt                any field element, as are the two below: they hide, they bind nothing
/// @input  baselineSalt
/// @input  candidateSalt
/// @input  contextHash               public: chain, registry, round, payee, settler, as the contract computes them
///
/// @output attestationHash           Poseidon over all that the settlement rests on
/// @output labelsRoot                block commitment of labels[0..n)
/// @output baselinePredictionsRoot   block commitment of baselinePredictions[0..n)
/// @output candidatePredictionsRoot  block commitment of candidatePredictions[0..n)
/// @output counts                    two words: positive rows m (31 bits), negative rows (31), sums of the positive rows'
///                                   placements by baseline and by candidate (61 each); sums of the squared differences
///                                   of the two placements over the positive rows (93) and over the negative rows (93)
///
/// Cost: 87 constraints a row (1 active, 33 bits, 2 x 25 order and permutation, 1 padding, 2 squares) and 2 for each bit
/// of a placement, 10 with 512 rows; the labels' 241 and twice 1,177 a block; the challenge; 3 x 291 + 378 once; 19 less
/// because of what is known of the first row, the first position and the last.
template AurocScore(rows, blockRows, width) {
    assert(rows <= 1 << 15);
    var BITS = 1;
    while (1 << BITS < 2 * rows) BITS++;

    signal input active[rows];
    signal input labels[rows];
    signal input baselinePredictions[rows];
    signal input candidatePredictions[rows];
    signal input baselinePlacements[rows];
    signal input candidatePlacements[rows];
    signal input baselineSortedScores[rows];
    signal input baselineSortedPositives[rows];
    signal input candidateSortedScores[rows];
    signal input candidateSortedPositives[rows];
    signal input labelsSalt;
    signal input baselineSalt;
    signal input candidateSalt;
    signal input contextHash;

    signal output attestationHash;
    signal output labelsRoot;
    signal output baselinePredictionsRoot;
    signal output candidatePredictionsRoot;
    signal output counts[2];

    signal n;
    (n, labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot) <== ScoreRows(rows, blockRows, width, 1, 16)(
        active, labels, baselinePredictions, candidatePredictions, labelsSalt, baselineSalt, candidateSalt
    );
    signal positives <== Sum(rows)(labels);
    signal negatives <== n - positives;
    signal activePositives[rows];
    for (var i = 0; i < rows; i++) {
        activePositives[i] <== active[i] * positives;
    }

    signal baselineBound[rows];
    signal baselineKeys[rows];
    signal baselineSortedKeys[rows];
    (baselineBound, baselineKeys, baselineSortedKeys) <== Placements(rows, BITS)(
        active, activePositives, positives, negatives, labels, baselinePredictions,
        baselinePlacements, baselineSortedScores, baselineSortedPositives
    );
    signal candidateBound[rows];
    signal candidateKeys[rows];
    signal candidateSortedKeys[rows];
    (candidateBound, candidateKeys, candidateSortedKeys) <== Placements(rows, BITS)(
        active, activePositives, positives, negatives, labels, candidatePredictions,
        candidatePlacements, candidateSortedScores, candidateSortedPositives
    );

    signal bound[rows];
    signal difference[rows];
    signal squaredDifference[rows];
    signal positiveSquare[rows];
    signal first[rows];
    signal second[rows];
    for (var i = 0; i < rows; i++) {
        bound[i] <== baselineBound[i] + candidateBound[i] * (1 << (18 + BITS));
        difference[i] <== baselinePlacements[i] - candidatePlacements[i];
        squaredDifference[i] <== difference[i] * difference[i];
        positiveSquare[i] <== labels[i] * squaredDifference[i];
        // The placements of the positive rows have the same sum as those of the negative ones: half of that of all.
        first[i] <== baselinePlacements[i] * (1 << 61) + candidatePlacements[i] * (1 << 122);
        second[i] <== positiveSquare[i] + (squaredDifference[i] - positiveSquare[i]) * (1 << 93);
    }

    signal challenge <== Challenge(rows, 36 + 2 * BITS, width)(
        labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot, bound
    );
    SameNumbers(rows)(challenge, baselineKeys, baselineSortedKeys);
    SameNumbers(rows)(challenge, candidateKeys, candidateSortedKeys);

    signal placementSums <== Sum(rows)(first);
    counts[0] <== positives + negatives * (1 << 31) + placementSums;
    counts[1] <== Sum(rows)(second);

    attestationHash <== Attestation(2)(
        labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot, counts, contextHash
    );
}

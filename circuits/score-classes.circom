// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./equal.circom";
include "./score-rows.circom";

/// Counts, over n committed rows of a benchmark of 3 to 256 classes, how often each model is right, and how often the
/// candidate is where the baseline is not and the other way round, and binds the counts to the three roots and to the
/// context of one settlement.
///
/// Classes are bytes. That they are below the fold's class count is not checked: a model is right where it says what
/// the label says, so another byte is one more way to be wrong.
///
/// @param rows       size class: the most rows it holds
/// @param blockRows  rows of a block; 240 wherever a root leaves the circuit, smaller only in tests, as is width
/// @param width      elements of a group that is absorbed at once; 15 wherever a root leaves the circuit
///
/// @input  active                1 for the first n rows, then 0 (constrained in ScoreRows, as are all below)
/// @input  labels                a byte a row, 0 in the padding
/// @input  baselinePredictions   likewise
/// @input  candidatePredictions  likewise
/// @input  labelsSalt            any field element, as are the two below: they hide, they bind nothing
/// @input  baselineSalt
/// @input  candidateSalt
/// @input  contextHash           public: chain, registry, round, payee, settler, as the contract computes them
///
/// @output attestationHash           Poseidon over all that the settlement rests on
/// @output labelsRoot                block commitment of labels[0..n)
/// @output baselinePredictionsRoot   block commitment of baselinePredictions[0..n)
/// @output candidatePredictionsRoot  block commitment of candidatePredictions[0..n)
/// @output counts                    one word, five lanes of 31 bits: n, rows that the baseline has right, rows that the
///                                   candidate has right, rows that it fixed, rows that it broke
///
/// Cost: 30 constraints a row (1 active, 24 bits, 4 equalities, 1 for both right), 3 x 589 a block, 3 x 291 + 351 once,
/// and 4 less because the first row is known to be active.
template ClassesScore(rows, blockRows, width) {
    var LANE = 1 << 31;
    signal input active[rows];
    signal input labels[rows];
    signal input baselinePredictions[rows];
    signal input candidatePredictions[rows];
    signal input labelsSalt;
    signal input baselineSalt;
    signal input candidateSalt;
    signal input contextHash;

    signal output attestationHash;
    signal output labelsRoot;
    signal output baselinePredictionsRoot;
    signal output candidatePredictionsRoot;
    signal output counts[1];

    signal n;
    (n, labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot) <== ScoreRows(rows, blockRows, width, 8, 8)(
        active, labels, baselinePredictions, candidatePredictions, labelsSalt, baselineSalt, candidateSalt
    );

    signal baselineRight[rows];
    signal candidateRight[rows];
    signal bothRight[rows];
    signal right[rows];
    for (var i = 0; i < rows; i++) {
        baselineRight[i] <== Equal()(labels[i], baselinePredictions[i]);
        candidateRight[i] <== Equal()(labels[i], candidatePredictions[i]);
        bothRight[i] <== baselineRight[i] * candidateRight[i];
        // Fixed are the candidate's without both's, broken the baseline's without both's.
        right[i] <== baselineRight[i] * LANE + candidateRight[i] * LANE**2
            + (candidateRight[i] - bothRight[i]) * LANE**3 + (baselineRight[i] - bothRight[i]) * LANE**4;
    }
    signal rights <== Sum(rows)(right);
    // A padding row is all zero, so both models have it right.
    counts[0] <== n + rights - (rows - n) * (LANE + LANE**2);

    attestationHash <== Attestation(1)(
        labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot, counts, contextHash
    );
}

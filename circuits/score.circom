// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./score-rows.circom";

/// Counts, over n committed rows of a binary benchmark, how the label, the baseline's prediction and the candidate's
/// prediction fall together, and binds the counts to the three roots and to the context of one settlement.
///
/// @param rows       size class: the most rows it holds
/// @param blockRows  rows of a block; 240 wherever a root leaves the circuit, smaller only in tests
///
/// @input  active                1 for the first n rows, then 0 (constrained in ScoreRows, as are all below)
/// @input  labels                one bit a row, 0 in the padding
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
/// @output counts                    one word, eight lanes of 31 bits; lane label + 2 baseline + 4 candidate holds the
///                                   number of rows of that cell; the lanes add up to n
///
/// Cost: 6 constraints a row (1 active, 3 bits, 2 cell), 3 x 241 a block, 3 x 291 + 351 once, and 4 less because the
/// first row is known to be active.
template Score(rows, blockRows) {
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
    (n, labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot) <== ScoreRows(rows, blockRows, 15, 1, 1)(
        active, labels, baselinePredictions, candidatePredictions, labelsSalt, baselineSalt, candidateSalt
    );

    signal pair[rows];
    signal cell[rows];
    for (var i = 0; i < rows; i++) {
        // cell = LANE^(label + 2 baseline + 4 candidate): adding it up counts all eight cells at once.
        pair[i] <== (1 + (LANE - 1) * labels[i]) * (1 + (LANE**2 - 1) * baselinePredictions[i]);
        cell[i] <== pair[i] * (1 + (LANE**4 - 1) * candidatePredictions[i]);
    }
    signal cells <== Sum(rows)(cell);
    // A padding row is all zero and so was counted in cell 0.
    counts[0] <== cells - (rows - n);

    attestationHash <== Attestation(1)(
        labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot, counts, contextHash
    );
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./score-rows.circom";

/// Sums, over n committed rows of a regression, the squared errors of two models and what their difference and its
/// variance are measured by, and binds the sums to the three roots and to the context of one settlement.
/// A squared error needs no sign: the bits of labels and
/// predictions are all that is range-checked.
///
/// @param rows       size class: the most rows it holds
/// @param blockRows  rows of a block; 240 wherever a root leaves the circuit, smaller only in tests, as is width
/// @param width      elements of a group that is absorbed at once; 15 wherever a root leaves the circuit
///
/// @input  active                1 for the first n rows, then 0 (constrained in ScoreRows, as are all below)
/// @input  labels                16 bits a row, the fold's range mapped onto them; 0 in the padding
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
/// @output counts                    two words: n (31 bits), sums of the squared errors of baseline and candidate (63
///                                   each); sum of the squares of their differences (95), of the labels (47), of the
///                                   squares of the labels (63). A square is below 2^32 and n below 2^31
///
/// Cost: 53 constraints a row (1 active, 48 bits, 4 squares), 3 x 1,177 a block, 3 x 291 + 378 once, and 4 less because
/// the first row is known to be active.
template MseScore(rows, blockRows, width) {
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
    signal output counts[2];

    signal n;
    (n, labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot) <== ScoreRows(rows, blockRows, width, 16, 16)(
        active, labels, baselinePredictions, candidatePredictions, labelsSalt, baselineSalt, candidateSalt
    );

    signal baselineError[rows];
    signal candidateError[rows];
    signal squaredDifference[rows];
    signal squaredLabel[rows];
    signal first[rows];
    signal second[rows];
    for (var i = 0; i < rows; i++) {
        baselineError[i] <== (labels[i] - baselinePredictions[i]) * (labels[i] - baselinePredictions[i]);
        candidateError[i] <== (labels[i] - candidatePredictions[i]) * (labels[i] - candidatePredictions[i]);
        squaredDifference[i] <== (baselineError[i] - candidateError[i]) * (baselineError[i] - candidateError[i]);
        squaredLabel[i] <== labels[i] * labels[i];
        first[i] <== active[i] + baselineError[i] * (1 << 31) + candidateError[i] * (1 << 94);
        second[i] <== squaredDifference[i] + labels[i] * (1 << 95) + squaredLabel[i] * (1 << 142);
    }
    counts[0] <== Sum(rows)(first);
    counts[1] <== Sum(rows)(second);

    attestationHash <== Attestation(2)(
        labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot, counts, contextHash
    );
}

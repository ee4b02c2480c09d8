// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./equal.circom";
include "./magnitude.circom";
include "./score-rows.circom";

/// Sums, over n committed rows of a regression, the absolute errors of two models and what their difference and its
/// variance are measured by, and binds the sums to the three roots and to the context of one settlement.
///
/// @param rows       size class: the most rows it holds
/// @param blockRows  rows of a block; 240 wherever a root leaves the circuit, smaller only in tests, as is width
/// @param width      elements of a group that is absorbed at once; 15 wherever a root leaves the circuit
///
/// @input  active                1 for the first n rows, then 0 (constrained in ScoreRows, as are all below but centre)
/// @input  labels                16 bits a row, the fold's range mapped onto them; 0 in the padding
/// @input  baselinePredictions   likewise
/// @input  candidatePredictions  likewise
/// @input  labelsSalt            any field element, as are the two below: they hide, they bind nothing
/// @input  baselineSalt
/// @input  candidateSalt
/// @input  centre                any number that no label is 2^16 or more away from (constrained here). It need not be a
///                               median: the contract refuses it where more than half of the labels are on one side
/// @input  contextHash           public: chain, registry, round, payee, settler, as the contract computes them
///
/// @output attestationHash           Poseidon over all that the settlement rests on
/// @output labelsRoot                block commitment of labels[0..n)
/// @output baselinePredictionsRoot   block commitment of baselinePredictions[0..n)
/// @output candidatePredictionsRoot  block commitment of candidatePredictions[0..n)
/// @output counts                    two words: n (31 bits), sums of the absolute errors of baseline and candidate (47
///                                   each), rows whose label is below the centre and above it (31 each); sum of the
///                                   squares of the differences of the errors (63), sum of |label - centre| (47)
///
/// Cost: 107 constraints a row (1 active, 48 bits, 3 x 18 magnitudes, 1 square, 1 centre, 2 equality), 3 x 1,177 a block,
/// 3 x 291 + 378 once, and 5 less because the first row is known to be active.
template MaeScore(rows, blockRows, width) {
    signal input active[rows];
    signal input labels[rows];
    signal input baselinePredictions[rows];
    signal input candidatePredictions[rows];
    signal input labelsSalt;
    signal input baselineSalt;
    signal input candidateSalt;
    signal input centre;
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

    signal activeCentre[rows];
    signal baselineError[rows];
    signal baselineOver[rows];
    signal candidateError[rows];
    signal candidateOver[rows];
    signal deviation[rows];
    signal below[rows];
    signal atCentre[rows];
    signal squaredDifference[rows];
    signal first[rows];
    signal second[rows];
    for (var i = 0; i < rows; i++) {
        (baselineError[i], baselineOver[i]) <== Magnitude(16)(labels[i] - baselinePredictions[i]);
        (candidateError[i], candidateOver[i]) <== Magnitude(16)(labels[i] - candidatePredictions[i]);
        // In the padding label and centre are both 0, and so neither below nor above.
        activeCentre[i] <== active[i] * centre;
        (deviation[i], below[i]) <== Magnitude(16)(labels[i] - activeCentre[i]);
        atCentre[i] <== Equal()(labels[i], activeCentre[i]);
        squaredDifference[i] <== (baselineError[i] - candidateError[i]) * (baselineError[i] - candidateError[i]);
        first[i] <== active[i] + baselineError[i] * (1 << 31) + candidateError[i] * (1 << 78)
            + below[i] * (1 << 125) + (1 - below[i] - atCentre[i]) * (1 << 156);
        second[i] <== squaredDifference[i] + deviation[i] * (1 << 63);
    }
    counts[0] <== Sum(rows)(first);
    counts[1] <== Sum(rows)(second);

    attestationHash <== Attestation(2)(
        labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot, counts, contextHash
    );
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "./block-commitment.circom";

/// Counts, over n committed rows of a binary benchmark, how the label, the baseline's prediction and the candidate's
/// prediction fall together, and binds the counts to the three roots and to the context of one settlement.
///
/// @param rows       size class: the most rows it holds
/// @param blockRows  rows of a block; 248 wherever a root leaves the circuit, smaller only in tests
///
/// @input  active                1 for the first n rows, then 0 (constrained here; there is no other source of n)
/// @input  labels                one bit a row, 0 in the padding (constrained here)
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
/// @output countsPacked              eight lanes of 31 bits; lane label + 2 baseline + 4 candidate holds the number of
///                                   rows of that cell; the lanes add up to n
///
/// Cost: 6 constraints a row (1 active, 3 bits, 2 cell), 3 x 241 a block, 3 x 291 + 351 once, and 4 less because the
/// first row is known to be active.
template Score(rows, blockRows) {
    assert(rows < 1 << 31 && blockRows <= 248);
    var blocks = (rows + blockRows - 1) \ blockRows;
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
    signal output countsPacked;

    // active is 1, ..., 1, 0, ..., 0 with at least one 1: after a 1 the next is a bit, after a 0 its square is 0.
    active[0] === 1;
    for (var i = 1; i < rows; i++) {
        active[i] * (active[i] - active[i - 1]) === 0;
    }

    signal pair[rows];
    signal cell[rows];
    for (var i = 0; i < rows; i++) {
        // A bit where active, 0 in the padding, in one constraint each.
        labels[i] * (labels[i] - active[i]) === 0;
        baselinePredictions[i] * (baselinePredictions[i] - active[i]) === 0;
        candidatePredictions[i] * (candidatePredictions[i] - active[i]) === 0;
        // cell = LANE^(label + 2 baseline + 4 candidate): adding it up counts all eight cells at once.
        pair[i] <== (1 + (LANE - 1) * labels[i]) * (1 + (LANE**2 - 1) * baselinePredictions[i]);
        cell[i] <== pair[i] * (1 + (LANE**4 - 1) * candidatePredictions[i]);
    }

    // Sums are taken block by block: one sum over thousands of terms takes the compiler minutes.
    signal nUpTo[blocks + 1];
    signal cellsUpTo[blocks + 1];
    signal labelBlocks[blocks];
    signal baselineBlocks[blocks];
    signal candidateBlocks[blocks];
    signal blockActive[blocks];
    nUpTo[0] <== 0;
    cellsUpTo[0] <== 0;
    for (var b = 0; b < blocks; b++) {
        var blockN = 0;
        var blockCells = 0;
        var packed[3] = [0, 0, 0];
        for (var j = 0; j < blockRows && b * blockRows + j < rows; j++) {
            var i = b * blockRows + j;
            blockN += active[i];
            blockCells += cell[i];
            packed[0] += labels[i] * (1 << j);
            packed[1] += baselinePredictions[i] * (1 << j);
            packed[2] += candidatePredictions[i] * (1 << j);
        }
        nUpTo[b + 1] <== nUpTo[b] + blockN;
        cellsUpTo[b + 1] <== cellsUpTo[b] + blockCells;
        labelBlocks[b] <== packed[0];
        baselineBlocks[b] <== packed[1];
        candidateBlocks[b] <== packed[2];
        blockActive[b] <== active[b * blockRows];
    }
    signal n <== nUpTo[blocks];

    // A padding row is all zero and so was counted in cell 0.
    countsPacked <== cellsUpTo[blocks] - (rows - n);

    var LABELS = 0x6c6162656c73; // "labels"
    var PREDICTIONS = 0x70726564696374696f6e73; // "predictions"
    labelsRoot <== BlockCommitment(blocks, LABELS, 1)(n, labelsSalt, blockActive, labelBlocks);
    baselinePredictionsRoot <== BlockCommitment(blocks, PREDICTIONS, 1)(n, baselineSalt, blockActive, baselineBlocks);
    candidatePredictionsRoot <== BlockCommitment(blocks, PREDICTIONS, 1)(n, candidateSalt, blockActive, candidateBlocks);

    var ATTESTATION = 0x6174746573746174696f6e; // "attestation"
    attestationHash <== Poseidon(6)([
        ATTESTATION, labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot, countsPacked, contextHash
    ]);
}

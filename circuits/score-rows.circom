// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./block-commitment.circom";
include "./sum.circom";

/// One vector of n rows: range-checked, zero in the padding, and committed to.
///
/// @param rows       size class: the most rows it holds
/// @param blockRows  rows of a block; 240 wherever a root leaves the circuit, smaller only in tests
/// @param width      elements of a group that is absorbed at once; 15 wherever a root leaves the circuit
/// @param tag        what the vector is
/// @param laneBits   bits of a row: 1, 8 or 16
///
/// @input  n       rows, the sum of active
/// @input  salt    any field element: it hides, it binds nothing
/// @input  active  1, ..., 1, 0, ..., 0, by the caller
/// @input  values  below 2^laneBits where active, else 0 (constrained here)
/// @output root    block commitment of values[0..n)
///
/// Cost: laneBits constraints a row; the commitment's.
template CommittedRows(rows, blockRows, width, tag, laneBits) {
    var blocks = (rows + blockRows - 1) \ blockRows;
    var lanes = 240 \ laneBits;
    var count = (blockRows + lanes - 1) \ lanes;
    signal input n;
    signal input salt;
    signal input active[rows];
    signal input values[rows];
    signal output root;

    signal bits[rows][laneBits];
    for (var i = 0; i < rows; i++) {
        var sum = 0;
        for (var k = 0; k < laneBits; k++) {
            bits[i][k] <-- (values[i] >> k) & 1;
            // A bit where active, 0 in the padding, in one constraint.
            bits[i][k] * (bits[i][k] - active[i]) === 0;
            sum += bits[i][k] * (1 << k);
        }
        sum === values[i];
    }

    signal blockActive[blocks];
    signal elements[blocks][count];
    for (var b = 0; b < blocks; b++) {
        blockActive[b] <== active[b * blockRows];
        for (var e = 0; e < count; e++) {
            var packed = 0;
            for (var j = 0; j < lanes && e * lanes + j < blockRows && b * blockRows + e * lanes + j < rows; j++) {
                packed += values[b * blockRows + e * lanes + j] * (1 << (laneBits * j));
            }
            elements[b][e] <== packed;
        }
    }
    root <== BlockCommitment(blocks, count, width, tag, laneBits)(n, salt, blockActive, elements);
}

/// What all scores begin with: the n rows of a benchmark and what two models predict on them, with their roots.
///
/// @param rows            size class
/// @param blockRows       as above, like width
/// @param width
/// @param labelBits       bits of a label
/// @param predictionBits  bits of a prediction
///
/// @input  active                1 for the first n rows, then 0 (constrained here; there is no other source of n)
/// @input  labels                range-checked here, and 0 in the padding, as are the predictions
/// @input  baselinePredictions
/// @input  candidatePredictions
/// @input  labelsSalt            any field element, as are the two below: they hide, they bind nothing
/// @input  baselineSalt
/// @input  candidateSalt
///
/// @output n                         rows, 1 to the size class
/// @output labelsRoot                block commitment of labels[0..n)
/// @output baselinePredictionsRoot   block commitment of baselinePredictions[0..n)
/// @output candidatePredictionsRoot  block commitment of candidatePredictions[0..n)
///
/// Cost: 1 + labelBits + 2 predictionBits constraints a row; three commitments; less what is known as the first row
/// is active: 1 constraint here and 1 for the first block of each commitment.
template ScoreRows(rows, blockRows, width, labelBits, predictionBits) {
    assert(rows < 1 << 31 && blockRows <= 240);
    signal input active[rows];
    signal input labels[rows];
    signal input baselinePredictions[rows];
    signal input candidatePredictions[rows];
    signal input labelsSalt;
    signal input baselineSalt;
    signal input candidateSalt;

    signal output n;
    signal output labelsRoot;
    signal output baselinePredictionsRoot;
    signal output candidatePredictionsRoot;

    // active is 1, ..., 1, 0, ..., 0 with at least one 1: after a 1 the next is a bit, after a 0 its square is 0.
    active[0] === 1;
    for (var i = 1; i < rows; i++) {
        active[i] * (active[i] - active[i - 1]) === 0;
    }
    n <== Sum(rows)(active);

    var LABELS = 0x6c6162656c73; // "labels"
    var PREDICTIONS = 0x70726564696374696f6e73; // "predictions"
    labelsRoot <== CommittedRows(rows, blockRows, width, LABELS, labelBits)(n, labelsSalt, active, labels);
    baselinePredictionsRoot <== CommittedRows(rows, blockRows, width, PREDICTIONS, predictionBits)(
        n, baselineSalt, active, baselinePredictions
    );
    candidatePredictionsRoot <== CommittedRows(rows, blockRows, width, PREDICTIONS, predictionBits)(
        n, candidateSalt, active, candidatePredictions
    );
}

/// What all scores end with: the hash that binds counts to the roots and to the context of one settlement.
///
/// Cost: 351 constraints with one word of counts, 378 with two.
template Attestation(words) {
    signal input labelsRoot;
    signal input baselinePredictionsRoot;
    signal input candidatePredictionsRoot;
    signal input counts[words];
    signal input contextHash;
    signal output attestationHash;

    var ATTESTATION = 0x6174746573746174696f6e; // "attestation"
    component hash = Poseidon(words + 5);
    hash.inputs[0] <== ATTESTATION;
    hash.inputs[1] <== labelsRoot;
    hash.inputs[2] <== baselinePredictionsRoot;
    hash.inputs[3] <== candidatePredictionsRoot;
    for (var w = 0; w < words; w++) {
        hash.inputs[w + 4] <== counts[w];
    }
    hash.inputs[words + 4] <== contextHash;
    attestationHash <== hash.out;
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";

/// That two lists hold the same numbers: the products of challenge - number are equal. The lists have to be bound before
/// the challenge is drawn; of two that differ at most `count` of the field's elements are a challenge that does not tell.
///
/// Cost: 2 constraints a number, less 3.
template SameNumbers(count) {
    signal input challenge;
    signal input left[count];
    signal input right[count];

    signal products[count][2];
    products[0][0] <== challenge - left[0];
    products[0][1] <== challenge - right[0];
    for (var i = 1; i < count; i++) {
        products[i][0] <== products[i - 1][0] * (challenge - left[i]);
        products[i][1] <== products[i - 1][1] * (challenge - right[i]);
    }
    products[count - 1][0] === products[count - 1][1];
}

/// A challenge that depends on all that it is to tell apart: the three roots and what no root binds, of each row.
///
/// @param laneBits  bits of a row's `bound`, by the caller's range checks
/// @param width     elements that are absorbed at once
///
/// Cost: 291 constraints, and 609 for each group of 15 elements.
template Challenge(rows, laneBits, width) {
    var lanes = 253 \ laneBits;
    var groups = (rows + lanes * width - 1) \ (lanes * width);
    signal input labelsRoot;
    signal input baselinePredictionsRoot;
    signal input candidatePredictionsRoot;
    signal input bound[rows];
    signal output out;

    var CHALLENGE = 0x6368616c6c656e6765; // "challenge"
    signal state[groups + 1];
    signal elements[groups][width];
    component hash[groups];
    state[0] <== Poseidon(4)([CHALLENGE, labelsRoot, baselinePredictionsRoot, candidatePredictionsRoot]);
    for (var g = 0; g < groups; g++) {
        hash[g] = Poseidon(width + 1);
        hash[g].inputs[0] <== state[g];
        for (var e = 0; e < width; e++) {
            var packed = 0;
            for (var j = 0; j < lanes && (width * g + e) * lanes + j < rows; j++) {
                packed += bound[(width * g + e) * lanes + j] * (1 << (laneBits * j));
            }
            elements[g][e] <== packed;
            hash[g].inputs[e + 1] <== elements[g][e];
        }
        state[g + 1] <== hash[g].out;
    }
    out <== state[groups];
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "./absorb-all.circom";

/// Checks, in the last chunk, that the challenges are hashes of all that was claimed before each, and that the sums agree.
///
/// @param columns  most features of a row
/// @param width    elements of a group; 15 wherever a root leaves the circuit
///
/// @input  last           1 in the last chunk, by the caller
/// @input  featuresState  commitment to the features, in the last chunk
/// @input  commitment     to the model
/// @input  challenges     gamma, alpha, eta, mu, delta
/// @input  digests        of paths, answers and visits
/// @input  poles          of the sum of products: coefficients of 1 / (eta - j)^2, then of 1 / (eta - j), j up to columns
/// @input  etaInverses    1 / (eta - j), for j up to columns
/// @input  sums           products, decisions, answers, visits, leaves
///
/// Cost: 1,263, 609 for each 15 poles, and 2 a column.
template ForestChallenges(columns, width) {
    signal input last;
    signal input featuresState;
    signal input commitment;
    signal input challenges[5];
    signal input digests[3];
    signal input poles[2 * (columns + 1)];
    signal input etaInverses[columns + 1];
    signal input sums[5];

    var FOREST = 0x666f72657374; // "forest"
    signal hashes[5];
    hashes[0] <== Poseidon(4)([FOREST, digests[0], featuresState, commitment]);
    hashes[1] <== Poseidon(2)([FOREST, challenges[0]]);
    hashes[2] <== AbsorbAll(2 * (columns + 1), width)(challenges[1], poles);
    hashes[3] <== Poseidon(2)([challenges[2], digests[1]]);
    hashes[4] <== Poseidon(2)([challenges[3], digests[2]]);
    for (var c = 0; c < 5; c++) {
        last * (challenges[c] - hashes[c]) === 0;
    }

    signal twice[columns + 1];
    signal once[columns + 1];
    var products = 0;
    var decisions = 0;
    for (var j = 0; j <= columns; j++) {
        twice[j] <== poles[j] * etaInverses[j];
        once[j] <== (twice[j] + poles[columns + 1 + j]) * etaInverses[j];
        products += once[j];
        decisions += poles[j];
    }
    last * (sums[0] - products) === 0;
    last * (sums[1] - decisions) === 0;
    last * sums[2] === 0;
    last * sums[3] === 0;
    last * sums[4] === 0;
}

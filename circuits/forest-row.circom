// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./bits.circom";

/// The paths of one row through all trees, as sums over what they pass, and what the forest says of the row.
///
/// A node is named by its tree and its place in it, as in a heap: the root is 1, and the children of n are 2n (left) and
/// 2n + 1. So a path is given by its leaf: the node that decided bit j of the leaf's place is what stands above that bit.
/// Where a leaf lies higher than `depth`, the nodes above its root are 0; they stand for nothing.
///
/// A decision at node n is claimed by right (bit j of the leaf) and excess (8 bits): feature - threshold = excess, going
/// right, or excess - 256, going left. Which feature and threshold the node has is not looked at here.
///
/// @param columns   most features of a row
/// @param trees     of the forest, padded with trees of one leaf
/// @param depth     most decisions from a root to a leaf
/// @param laneBits  what is predicted, see ForestOutput
///
/// @input  bits          for each tree the leaf's place (depth + 1), then the excess of each bit of it (8 each), then what
///                       ForestOutput reads; bits by the caller, as all below
/// @input  features      bytes
/// @input  bias          what is added to the sum of leaves
/// @input  gamma         challenge of decisions
/// @input  delta         challenge of visits
/// @input  etaInverses   1 / (eta - j), for j up to columns, and up to 16
/// @output decisions     sum over nodes n of (feature - threshold as claimed) / (gamma - n)
/// @output leaves        sum over leaves l of 1 / (delta - l)
/// @output featureSum    sum over columns j of feature j / (eta - j), where column `columns` is -1
/// @output leafSum       what the leaves of the row add up to, see ForestOutput
/// @output prediction    of the row
///
/// Cost: a tree 1 and 1 a decision; 1 a column; ForestOutput.
template ForestRow(columns, trees, depth, laneBits) {
    var treeBits = 9 * depth + 1;
    var outputBits = forestOutputBits(laneBits, trees);
    signal input bits[trees * treeBits + outputBits];
    signal input features[columns];
    signal input bias;
    signal input gamma;
    signal input delta;
    signal input etaInverses[forestInverses(columns)];
    signal output decisions;
    signal output leaves;
    signal output featureSum;
    signal output leafSum;
    signal output prediction;

    signal decided[trees][depth];
    signal visited[trees];
    var decidedSum = 0;
    var visitedSum = 0;
    for (var t = 0; t < trees; t++) {
        var at = t * treeBits;
        var node = 0;
        for (var j = depth - 1; j >= 0; j--) {
            node = 2 * node + bits[at + j + 1];
            var difference = 256 * (bits[at + j] - 1);
            for (var k = 0; k < 8; k++) difference += bits[at + depth + 1 + 8 * j + k] * (1 << k);
            var key = gamma - (t + 1) * (1 << 64) - node;
            decided[t][j] <-- difference / key;
            decided[t][j] * key === difference;
            decidedSum += decided[t][j];
        }
        var leafKey = delta - (1 << 120) - (t + 1) * (1 << 64) - 2 * node - bits[at];
        visited[t] <-- 1 / leafKey;
        visited[t] * leafKey === 1;
        visitedSum += visited[t];
    }
    decisions <== decidedSum;
    leaves <== visitedSum;

    signal scaled[columns];
    var scaledSum = -etaInverses[columns];
    for (var j = 0; j < columns; j++) {
        scaled[j] <== features[j] * etaInverses[j];
        scaledSum += scaled[j];
    }
    featureSum <== scaledSum;

    component said = ForestOutput(laneBits, trees);
    for (var k = 0; k < outputBits; k++) {
        said.bits[k] <== bits[trees * treeBits + k];
    }
    for (var c = 0; c <= 16; c++) {
        said.etaInverses[c] <== etaInverses[c];
    }
    said.bias <== bias;
    leafSum <== said.leafSum;
    prediction <== said.prediction;
}

/// How many inverses of eta - j the rows read: of each column, that of thresholds, and each class and none.
function forestInverses(columns) {
    return columns < 16 ? 17 : columns + 1;
}

/// Bits of a number of votes.
function forestCountBits(trees) {
    var bits = 1;
    while (1 << bits <= trees) bits++;
    return bits;
}

/// How many bits a row's output is claimed by.
function forestOutputBits(laneBits, trees) {
    return laneBits == 8 ? 17 * forestCountBits(trees) : 33;
}

/// What a forest says of a row, from what is claimed of the leaves.
///
/// @param laneBits  1: class 1 where bias + sum of leaves is above 0; 16: floor of (bias + sum of leaves) / 256, clipped to
///                  16 bits; 8: of 16 classes, the one that most leaves are of, of several the least
/// @param trees     at most 127 for votes, 256 for sums, so that nothing overflows
///
/// @input  bits         votes: how many leaves are of each class, and of none (padding); 16: the sum with the bias, plus
///                      2^32; 1: the same, less 1
/// @input  etaInverses  1 / (eta - c) for class c; 16 is none
/// @input  bias         of sums
/// @output leafSum      votes: sum over leaves of 1 / (eta - class); else the sum of leaves
/// @output prediction   below 2^laneBits
///
/// Cost: 1 bit: 0. 16 bits: 9. 8 bits: 16, and 15 (3 + the bits of a number of votes).
template ForestOutput(laneBits, trees) {
    assert(trees <= (laneBits == 8 ? 127 : 256));
    var count = forestOutputBits(laneBits, trees);
    signal input bits[count];
    signal input etaInverses[17];
    signal input bias;
    signal output leafSum;
    signal output prediction;

    if (laneBits == 8) {
        var width = forestCountBits(trees);
        signal votes[17];
        signal cast[17];
        var sum = 0;
        for (var c = 0; c < 17; c++) {
            var number = 0;
            for (var k = 0; k < width; k++) number += bits[c * width + k] * (1 << k);
            votes[c] <== number;
            cast[c] <== votes[c] * etaInverses[c];
            sum += cast[c];
        }
        leafSum <== sum;

        signal most[16];
        signal winner[16];
        signal compared[16][width + 1];
        most[0] <== votes[0];
        winner[0] <== 0;
        for (var c = 1; c < 16; c++) {
            compared[c] <== Bits(width + 1)(votes[c] - most[c - 1] - 1 + (1 << width));
            most[c] <== most[c - 1] + compared[c][width] * (votes[c] - most[c - 1]);
            winner[c] <== winner[c - 1] + compared[c][width] * (c - winner[c - 1]);
        }
        prediction <== winner[15];
    } else {
        var number = 0;
        for (var k = 0; k < 33; k++) number += bits[k] * (1 << k);
        if (laneBits == 1) {
            leafSum <== number + 1 - (1 << 32) - bias;
            prediction <== bits[32];
        } else {
            leafSum <== number - (1 << 32) - bias;
            signal above[8];
            above[0] <== bits[24];
            for (var k = 1; k < 8; k++) {
                above[k] <== above[k - 1] + bits[24 + k] * (1 - above[k - 1]);
            }
            var low = 0;
            for (var k = 0; k < 16; k++) low += bits[8 + k] * (1 << k);
            signal clipped <== low + above[7] * (65535 - low);
            prediction <== bits[32] * clipped;
        }
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./bits.circom";
include "./group-commitment.circom";

/// A part of the table of all nodes of a forest, absorbed into the model's commitment, and sums over it.
///
/// The records are in the order of trees, and in a tree of places, which rise from record to record: each node has one
/// record. A record holds in 60 bits, from the lowest: 24 of a leaf's value (2^23 added) or class (above the lowest 8), or
/// of a threshold (8) and a feature (16); 1 if it is a leaf; 1 if it is a right child; 1 if it begins a tree; and how far
/// its place lies behind that of the record before, less 1.
///
/// @param groups    of elements of four records
/// @param width     elements of a group; 15 wherever a root leaves the circuit
/// @param depth     most decisions from a root to a leaf
/// @param laneBits  what is predicted, see ForestOutput
///
/// @input  state        of the model's commitment before the part
/// @input  open         1 if the table goes on
/// @input  tree         number of trees so far
/// @input  place        of the record before
/// @input  groupActive  1 for groups of the table, then 0 (constrained here)
/// @input  records      28 + depth bits each (range-checked here)
/// @input  visits       of each record, sum over the rows that pass it of 1 / (mu - row), as claimed
/// @input  gamma        challenge of decisions
/// @input  eta          challenge of columns
/// @input  delta        challenge of visits
/// @input  thresholds   1 / (eta - columns)
/// @output stateAfter   behind the part, as those below
/// @output openAfter
/// @output treeAfter
/// @output placeAfter
/// @output nodeSum      sum over inner nodes of visits (1 / (eta - feature) + threshold / (eta - columns)) / (gamma - node)
/// @output leafSum      sum over leaves of visits times value, or over eta - class
/// @output visitSum     sum over nodes of visits (1 / (delta - parent) - 1 / (delta - node))
///
/// Cost: a record 37 + depth; a group 614.
template ForestTable(groups, width, depth, laneBits) {
    // A record has 28 + depth bits of a lane of 60: beyond, one element would open as two tables.
    assert(depth <= 32);
    var groupRecords = 4 * width;
    var count = groups * groupRecords;
    signal input state;
    signal input open;
    signal input tree;
    signal input place;
    signal input groupActive[groups];
    signal input records[count];
    signal input visits[count];
    signal input gamma;
    signal input eta;
    signal input delta;
    signal input thresholds;
    signal output stateAfter;
    signal output openAfter;
    signal output treeAfter;
    signal output placeAfter;
    signal output nodeSum;
    signal output leafSum;
    signal output visitSum;

    // It stays 0 once it was: open is a bit by the first chunk, after a 1 the next is a bit, after a 0 its square is 0.
    groupActive[0] * (groupActive[0] - open) === 0;
    for (var g = 1; g < groups; g++) {
        groupActive[g] * (groupActive[g] - groupActive[g - 1]) === 0;
    }
    openAfter <== groupActive[groups - 1];

    component absorb = AbsorbGroups(groups, width);
    absorb.state <== state;
    absorb.groupActive <== groupActive;
    for (var e = 0; e < groups * width; e++) {
        var packed = 0;
        for (var k = 0; k < 4; k++) packed += records[4 * e + k] * (1 << (60 * k));
        absorb.elements[e] <== packed;
    }
    stateAfter <== absorb.out;

    component node[count];
    signal trees[count + 1];
    signal places[count + 1];
    trees[0] <== tree;
    places[0] <== place;
    for (var i = 0; i < count; i++) {
        node[i] = ForestNode(depth, laneBits);
        node[i].tree <== trees[i];
        node[i].place <== places[i];
        node[i].record <== records[i];
        node[i].visits <== visits[i];
        node[i].gamma <== gamma;
        node[i].eta <== eta;
        node[i].delta <== delta;
        node[i].thresholds <== thresholds;
        trees[i + 1] <== node[i].treeAfter;
        places[i + 1] <== node[i].placeAfter;
    }
    treeAfter <== trees[count];
    placeAfter <== places[count];

    signal counted[groups][3];
    var sums[3];
    for (var g = 0; g < groups; g++) {
        var groupSums[3];
        for (var i = g * groupRecords; i < (g + 1) * groupRecords; i++) {
            groupSums[0] += node[i].nodeTerm;
            groupSums[1] += node[i].leafTerm;
            groupSums[2] += node[i].visitTerm;
        }
        for (var k = 0; k < 3; k++) {
            counted[g][k] <== groupActive[g] * groupSums[k];
            sums[k] += counted[g][k];
        }
    }
    nodeSum <== sums[0];
    leafSum <== sums[1];
    visitSum <== sums[2];
}

/// One record of the table; inputs and outputs are those of ForestTable.
///
/// A parent is half the place of its child, less 1/2 for a right one. A record that says the wrong side has no parent that
/// any record is: half an odd number is no number of so few bits.
///
/// Cost: 37 + depth.
template ForestNode(depth, laneBits) {
    signal input tree;
    signal input place;
    signal input record;
    signal input visits;
    signal input gamma;
    signal input eta;
    signal input delta;
    signal input thresholds;
    signal output treeAfter;
    signal output placeAfter;
    signal output nodeTerm;
    signal output leafTerm;
    signal output visitTerm;

    signal bits[28 + depth] <== Bits(28 + depth)(record);
    var value = 0;
    for (var k = 0; k < 24; k++) value += bits[k] * (1 << k);
    var threshold = 0;
    for (var k = 0; k < 8; k++) threshold += bits[k] * (1 << k);
    var feature = 0;
    for (var k = 8; k < 24; k++) feature += bits[k] * (1 << (k - 8));
    var leaf = bits[24];
    var right = bits[25];
    var begins = bits[26];
    var further = 1;
    for (var k = 27; k < 28 + depth; k++) further += bits[k] * (1 << (k - 27));

    treeAfter <== tree + begins;
    placeAfter <== (1 - begins) * place + further;
    var key = treeAfter * (1 << 64) + placeAfter;
    var parent = treeAfter * (1 << 64) + (placeAfter - right) / 2;

    signal leafVisits <== leaf * visits;
    signal node <-- visits / (delta - key - leaf * (1 << 120));
    node * (delta - key - leaf * (1 << 120)) === visits;
    signal above <-- visits / (delta - parent);
    above * (delta - parent) === visits;
    visitTerm <== above - node;

    signal passed <-- (visits - leafVisits) / (gamma - key);
    passed * (gamma - key) === visits - leafVisits;
    signal column <-- 1 / (eta - feature);
    column * (eta - feature) === 1;
    signal level <== threshold * thresholds;
    nodeTerm <== passed * (column + level);
    if (laneBits == 8) {
        leafTerm <== leafVisits * column;
    } else {
        leafTerm <== leafVisits * (value - (1 << 23));
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";

/// The Poseidon root of a vector of n rows, absorbed in blocks of 248 rows.
///
/// The root is the state after the last block that holds a row, chosen by `active`, so a vector has one root in
/// every size class and in every circuit that reads the same blocks.
///
/// @param blocks    how many blocks the size class holds
/// @param tag       what the vector is: its name in ASCII, as an integer
/// @param laneBits  bits of one row; 1 here: element = sum over j of row[j] * 2^j
///
/// @input  n         rows; range and meaning are the caller's to constrain
/// @input  salt      secret of the vector's owner; any field element
/// @input  active    1 while a block holds a row, then 0; the caller constrains it to bits that never rise again
/// @input  elements  one packed block each, < 2^248 by the caller's range checks, so no two blocks share an element
/// @output root      the commitment
///
/// Cost: 291 constraints for the first state, then 241 for each block (240 for Poseidon, 1 for the choice).
template BlockCommitment(blocks, tag, laneBits) {
    signal input n;
    signal input salt;
    signal input active[blocks];
    signal input elements[blocks];
    signal output root;

    signal state[blocks + 1];
    signal absorbed[blocks];

    state[0] <== Poseidon(4)([tag, n, laneBits, salt]);
    for (var i = 0; i < blocks; i++) {
        absorbed[i] <== Poseidon(2)([state[i], elements[i]]);
        state[i + 1] <== state[i] + active[i] * (absorbed[i] - state[i]);
    }
    root <== state[blocks];
}

/// Absorbs one block of several elements, a group of `width` at a time.
///
/// @param groups  most groups of a block
/// @param width   15 wherever a root leaves the circuit, smaller only in tests
///
/// @input  state        before the block
/// @input  groupActive  1 while a group is part of the block, then 0; the caller constrains it
/// @input  elements     packed, < 2^248 by the caller's range checks; 0 behind the last one, to the end of its group
/// @output out          after the block
///
/// Cost: 613 constraints a group of 15 (612 for Poseidon, 1 for the choice).
template AbsorbGroups(groups, width) {
    signal input state;
    signal input groupActive[groups];
    signal input elements[width * groups];
    signal output out;

    signal states[groups + 1];
    signal absorbed[groups];
    component hash[groups];
    states[0] <== state;
    for (var g = 0; g < groups; g++) {
        hash[g] = Poseidon(width + 1);
        hash[g].inputs[0] <== states[g];
        for (var e = 0; e < width; e++) {
            hash[g].inputs[e + 1] <== elements[width * g + e];
        }
        absorbed[g] <== hash[g].out;
        states[g + 1] <== states[g] + groupActive[g] * (absorbed[g] - states[g]);
    }
    out <== states[groups];
}

/// The commitment to a model's parameters: one block of 248 lanes of 32 bits, seven an element, 36 elements.
///
/// @param lanes  parameters that the circuit reads, at most 248; the lanes behind them are 0
/// @param width  elements of a group, as above
///
/// @input  count       how many parameters the model has
/// @input  salt        secret of the model's owner; any field element
/// @input  parameters  32 bits each, by the caller's range checks
/// @output root        the commitment
///
/// Cost: 2,130 constraints.
template ParameterCommitment(lanes, width) {
    assert(lanes <= 248);
    var groups = (36 + width - 1) \ width;
    signal input count;
    signal input salt;
    signal input parameters[lanes];
    signal output root;

    var LINEAR = 0x6c696e656172; // "linear"
    signal begun <== Poseidon(4)([LINEAR, count, 32 + 256 * (groups - 1), salt]);
    component absorb = AbsorbGroups(groups, width);
    absorb.state <== begun;
    for (var g = 0; g < groups; g++) {
        absorb.groupActive[g] <== 1;
    }
    for (var e = 0; e < width * groups; e++) {
        var packed = 0;
        for (var k = 0; k < 7 && 7 * e + k < lanes; k++) {
            packed += parameters[7 * e + k] * (1 << (32 * k));
        }
        absorb.elements[e] <== packed;
    }
    root <== absorb.out;
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";

/// The Poseidon root of a vector of n rows, absorbed in blocks of 240 rows.
///
/// The root is the state after the last block that holds a row, chosen by `active`, so a vector has one root in
/// every size class and in every circuit that reads the same blocks.
///
/// @param blocks    how many blocks the size class holds
/// @param count     elements of a block: one is absorbed alone, several in groups that are filled up with zeros
/// @param width     elements of a group; 15 wherever a root leaves the circuit, smaller only in tests
/// @param tag       what the vector is: its name in ASCII, as an integer
/// @param laneBits  bits of one row: an element is the sum over j of row[j] * 2^(laneBits j), 240 \ laneBits rows
///
/// @input  n         rows; range and meaning are the caller's to constrain
/// @input  salt      secret of the vector's owner; any field element
/// @input  active    1 while a block holds a row, then 0; the caller constrains it to bits that never rise again
/// @input  elements  of each block, < 2^240 by the caller's range checks, so no two blocks share them
/// @output root      the commitment
///
/// Cost: 291 constraints for the first state, then for each block 1 for the choice and 240 for Poseidon over one
/// element, or 609 for each group of 15, less 3 for each element that it is filled up with.
template BlockCommitment(blocks, count, width, tag, laneBits) {
    var groups = (count + width - 1) \ width;
    var size = count == 1 ? 1 : width;
    signal input n;
    signal input salt;
    signal input active[blocks];
    signal input elements[blocks][count];
    signal output root;

    signal state[blocks + 1];
    signal absorbed[blocks][groups + 1];
    component hash[blocks][groups];

    state[0] <== Poseidon(4)([tag, n, laneBits + 256 * (groups - 1), salt]);
    for (var b = 0; b < blocks; b++) {
        absorbed[b][0] <== state[b];
        for (var g = 0; g < groups; g++) {
            hash[b][g] = Poseidon(size + 1);
            hash[b][g].inputs[0] <== absorbed[b][g];
            for (var e = 0; e < size; e++) {
                if (size * g + e < count) {
                    hash[b][g].inputs[e + 1] <== elements[b][size * g + e];
                } else {
                    hash[b][g].inputs[e + 1] <== 0;
                }
            }
            absorbed[b][g + 1] <== hash[b][g].out;
        }
        state[b + 1] <== state[b] + active[b] * (absorbed[b][groups] - state[b]);
    }
    root <== state[blocks];
}

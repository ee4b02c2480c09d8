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

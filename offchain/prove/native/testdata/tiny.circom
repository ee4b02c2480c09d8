// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.0;

// Two public outputs, one public input, one private. The signals that occur in only one of the matrices A and B
// give the key points at infinity, which a prover must pass over.
template Tiny() {
    signal input x;
    signal input y;
    signal output cube;
    signal output mix;

    signal square <== x * x;
    cube <== square * x;
    mix <== (cube + 7 * y) * (y - 5) + 3;
}

component main {public [y]} = Tiny();

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./bits.circom";

/// The magnitude and the sign of a difference of two numbers of `bits` bits.
///
/// @input  in        above -2^bits and below 2^bits (constrained here)
/// @output out       |in|
/// @output negative  1 where in < 0, else 0
///
/// Cost: bits + 2 constraints: in + 2^bits has its sign in the top bit.
template Magnitude(bits) {
    signal input in;
    signal output out;
    signal output negative;

    signal shifted[bits + 1] <== Bits(bits + 1)(in + (1 << bits));
    negative <== 1 - shifted[bits];
    out <== in * (1 - 2 * negative);
}

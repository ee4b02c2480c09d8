// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

/// The bits of a number, lowest first: circomlib's Num2Bits, here because its constraints are tested like ours.
///
/// @param count  at most 253, so that no two numbers have the same bits
///
/// @input  in   below 2^count (constrained here)
/// @output out  a bit each
///
/// Cost: a constraint a bit; the sum is linear.
template Bits(count) {
    assert(count < 254);
    signal input in;
    signal output out[count];

    var sum = 0;
    for (var i = 0; i < count; i++) {
        out[i] <-- (in >> i) & 1;
        out[i] * (out[i] - 1) === 0;
        sum += out[i] * (1 << i);
    }
    sum === in;
}

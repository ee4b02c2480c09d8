// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

/// The sum of many numbers, taken 240 at a time: one sum over thousands of terms takes the compiler minutes.
///
/// Cost: no constraint.
template Sum(count) {
    var CHUNK = 240;
    var chunks = (count + CHUNK - 1) \ CHUNK;
    signal input in[count];
    signal output out;

    signal upTo[chunks + 1];
    upTo[0] <== 0;
    for (var c = 0; c < chunks; c++) {
        var sum = 0;
        for (var i = CHUNK * c; i < CHUNK * (c + 1) && i < count; i++) {
            sum += in[i];
        }
        upTo[c + 1] <== upTo[c] + sum;
    }
    out <== upTo[chunks];
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

/// Whether two numbers are equal: circomlib's IsEqual, here because its constraints are tested like ours.
///
/// @output out  1 if they are, else 0: where they are equal the first constraint leaves 1 only, and where they differ the
///              second leaves 0 only
///
/// Cost: 2 constraints. Where they are equal `inverse` is free, as it is multiplied by 0 and read nowhere else.
template Equal() {
    signal input left;
    signal input right;
    signal output out;

    signal inverse <-- left == right ? 0 : 1 / (left - right);
    out <== 1 - (left - right) * inverse;
    (left - right) * out === 0;
}

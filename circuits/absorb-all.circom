// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./group-commitment.circom";

/// Absorbs elements, a group of `width` at a time; zeros fill the last one.
///
/// Cost: 609 constraints a group of 15.
template AbsorbAll(count, width) {
    var groups = (count + width - 1) \ width;
    signal input state;
    signal input elements[count];
    signal output out;

    component absorb = AbsorbGroups(groups, width);
    absorb.state <== state;
    for (var g = 0; g < groups; g++) {
        absorb.groupActive[g] <== 1;
    }
    for (var e = 0; e < groups * width; e++) {
        if (e < count) {
            absorb.elements[e] <== elements[e];
        } else {
            absorb.elements[e] <== 0;
        }
    }
    out <== absorb.out;
}

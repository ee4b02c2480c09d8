// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";

/// Absorbs elements, a group of `width` at a time.
///
/// @param groups  most groups
/// @param width   15 wherever a root leaves the circuit, smaller only in tests
///
/// @input  state        before the elements
/// @input  groupActive  1 while a group is absorbed, then 0; the caller constrains it
/// @input  elements     any field elements; what they pack is the caller's to bound
/// @output out          after them
///
/// Cost: 610 constraints a group of 15 (609 for Poseidon, 1 for the choice).
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

/// Absorbs the parameters of one unit of a model: what is added, then a weight for each of its inputs, 32 bits each, seven
/// an element, filled up to whole groups with zeros.
///
/// @param lanes  parameters that the circuit reads
/// @param width  elements of a group, as above; with 15 a unit of up to 105 parameters is one group in every circuit
///
/// @input  state       before the unit
/// @input  parameters  32 bits each, by the caller's range checks; 0 behind the unit's last
/// @output out         after the unit
///
/// Cost: 609 constraints a group of 15, less 3 for each element that is always 0.
template AbsorbUnit(lanes, width) {
    var groups = (lanes + 7 * width - 1) \ (7 * width);
    signal input state;
    signal input parameters[lanes];
    signal output out;

    component absorb = AbsorbGroups(groups, width);
    absorb.state <== state;
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
    out <== absorb.out;
}

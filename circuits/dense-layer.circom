// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./bits.circom";
include "./group-commitment.circom";

/// How many of a size class are in use: 1, ..., 1, 0, ..., 0.
///
/// @param least  how many are, at the least
///
/// @input  active  1 while in use, then 0 (constrained here)
/// @output count   how many are
///
/// Cost: 1 each.
template Prefix(most, least) {
    signal input active[most];
    signal output count;

    var sum = 0;
    for (var i = 0; i < most; i++) {
        // After a 1 the next is a bit, after a 0 its square is 0.
        if (i < least) {
            active[i] === 1;
        } else {
            active[i] * (active[i] - active[i - 1]) === 0;
        }
        sum += active[i];
    }
    count <== sum;
}

/// Absorbs the units of a layer. Range checks make sure that no two layers of as many units and inputs pack to the same
/// elements: a weight has 12 of a lane's 32 bits, a bias 22.
///
/// @param units, inputs  most that a layer has
/// @param width          elements of a group; with 15 and up to 104 inputs a unit is one group in every circuit
///
/// @input  state        before the layer
/// @input  unitActive   1 for the units that the layer has, then 0, by the caller; the others are not absorbed
/// @input  inputActive  1 for the inputs that a unit has, then 0, by the caller
/// @input  biases       from -2^21 to 2^21 - 1 (range-checked here)
/// @input  weights      from -2^11 to 2^11 - 1 (range-checked here)
/// @output out          after the layer
///
/// Cost: a unit 12 a weight, 22 + 1 and at most 609 a group.
template AbsorbLayer(units, inputs, width) {
    signal input state;
    signal input unitActive[units];
    signal input inputActive[inputs];
    signal input biases[units];
    signal input weights[units][inputs];
    signal output out;

    signal biasBits[units][22];
    signal weightBits[units][inputs][12];
    signal states[units + 1];
    signal absorbed[units];
    component unit[units];
    states[0] <== state;
    for (var i = 0; i < units; i++) {
        unit[i] = AbsorbUnit(inputs + 1, width);
        unit[i].state <== states[i];
        biasBits[i] <== Bits(22)(biases[i] + (1 << 21));
        unit[i].parameters[0] <== biases[i] + (1 << 31);
        for (var j = 0; j < inputs; j++) {
            weightBits[i][j] <== Bits(12)(weights[i][j] + (1 << 11));
            unit[i].parameters[j + 1] <== weights[i][j] + (1 << 31) * inputActive[j];
        }
        absorbed[i] <== unit[i].out;
        states[i + 1] <== states[i] + unitActive[i] * (absorbed[i] - states[i]);
    }
    out <== states[units];
}

/// Checks the sums of a layer's units in all rows at once (Freivalds): with the powers r of a challenge that was drawn when
/// everything else was fixed, sum of r[i] (bias[i] + sum of weights[i][j] x[j]) is sum of r[i] sums[i] in each row. Where a
/// sum were another one, that is a polynomial of the challenge which is not 0 and has fewer than `units` roots.
///
/// @input  challenge    a field element that depends on all of the below, but for units and inputs that are not active
/// @input  unitActive   1 for the units that the layer has, then 0, by the caller; of others the sums are not checked
/// @input  inputActive  1 for the inputs that a unit has, then 0, by the caller; others count nowhere
/// @input  biases       as the weights fixed by a commitment, by the caller
/// @input  weights
/// @input  values       of each row the inputs
/// @input  sums         of each row `bias + sum of weights[j] * values[j]` for each unit (constrained here); bounded by the
///                      caller, as are values and weights, so that what is equal in the field is equal
///
/// Cost: once a product a weight, 3 a unit and 1 an input; a row 1 an input and 1 a unit.
template CheckLayer(rows, units, inputs) {
    signal input challenge;
    signal input unitActive[units];
    signal input inputActive[inputs];
    signal input biases[units];
    signal input weights[units][inputs];
    signal input values[rows][inputs];
    signal input sums[rows][units];

    signal powers[units];
    signal factors[units];
    signal weighed[units][inputs];
    signal biased[units];
    var bias = 0;
    var columns[inputs];
    for (var i = 0; i < units; i++) {
        if (i == 0) {
            powers[i] <== 1;
        } else {
            powers[i] <== powers[i - 1] * challenge;
        }
        factors[i] <== unitActive[i] * powers[i];
        biased[i] <== factors[i] * biases[i];
        bias += biased[i];
        for (var j = 0; j < inputs; j++) {
            weighed[i][j] <== factors[i] * weights[i][j];
            columns[j] += weighed[i][j];
        }
    }
    signal combined[inputs];
    for (var j = 0; j < inputs; j++) {
        combined[j] <== inputActive[j] * columns[j];
    }

    signal expected[rows][inputs];
    signal found[rows][units];
    for (var row = 0; row < rows; row++) {
        var difference = bias;
        for (var j = 0; j < inputs; j++) {
            expected[row][j] <== combined[j] * values[row][j];
            difference += expected[row][j];
        }
        for (var i = 0; i < units; i++) {
            found[row][i] <== factors[i] * sums[row][i];
            difference -= found[row][i];
        }
        difference === 0;
    }
}

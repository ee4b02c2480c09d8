// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./absorb-all.circom";
include "./bits.circom";

/// How many elements hold what `PredictRows` says is fixed.
function fixedElements(rows, hidden, outputs) {
    var numbers = rows * (outputs > 1 ? outputs + 2 : 1);
    return packedElements(rows * hidden, 18) + packedElements(numbers, 22);
}

/// How many elements `Pack` makes of so many numbers.
function packedElements(count, bits) {
    var lanes = 252 \ bits;
    return (count + lanes - 1) \ lanes;
}

/// What follows in each row from the sums of its units: activations and prediction. Hidden sums have 18 bits, of which ReLU
/// leaves out 7, and scores 22, as `offchain/train/dense.ts` rounds models.
///
/// @input  outputActive  1 for the outputs that the model has, then 0, by the caller
/// @input  hiddenSums    signed, 18 bits (constrained here)
/// @input  scores        signed, 22 bits (constrained here, as `Argmax` says)
/// @input  chosen        where there are several outputs, 1 for the class of the row, else 0 (constrained here)
/// @output activations   of the hidden units
/// @output predictions   the class of each row
/// @output fixed         elements from which all sums, scores and classes follow
///
/// Cost: a row 19 a hidden unit; 22 where there is one output, else 24 an output and 22.
template PredictRows(rows, hidden, outputs) {
    var numbers = outputs > 1 ? outputs + 2 : 1;
    signal input outputActive[outputs];
    signal input hiddenSums[rows][hidden];
    signal input scores[rows][outputs];
    signal input chosen[rows][outputs > 1 ? outputs : 0];
    signal output activations[rows][hidden];
    signal output predictions[rows];
    signal output fixed[fixedElements(rows, hidden, outputs)];

    component sums = Pack(rows * hidden, 18);
    component ends = Pack(rows * numbers, 22);
    component argmax[rows];
    signal scoreBits[rows][22];
    for (var row = 0; row < rows; row++) {
        for (var i = 0; i < hidden; i++) {
            activations[row][i] <== Relu(18, 7)(hiddenSums[row][i]);
            sums.numbers[row * hidden + i] <== hiddenSums[row][i] + (1 << 17);
        }
        var class;
        var ending[numbers];
        if (outputs > 1) {
            argmax[row] = Argmax(outputs, 22);
            argmax[row].active <== outputActive;
            argmax[row].scores <== scores[row];
            argmax[row].chosen <== chosen[row];
            class = argmax[row].class;
            for (var k = 0; k < numbers; k++) ending[k] = argmax[row].fixed[k];
        } else {
            // 1 less, so that the highest bit is 1 where the score is above 0.
            ending[0] = scores[row][0] - 1 + (1 << 21);
            scoreBits[row] <== Bits(22)(ending[0]);
            class = scoreBits[row][21];
        }
        predictions[row] <== class;
        for (var k = 0; k < numbers; k++) {
            ends.numbers[row * numbers + k] <== ending[k];
        }
    }
    var packed = packedElements(rows * hidden, 18);
    for (var e = 0; e < fixedElements(rows, hidden, outputs); e++) {
        if (e < packed) {
            fixed[e] <== sums.elements[e];
        } else {
            fixed[e] <== ends.elements[e - packed];
        }
    }
}

/// max(0, sum) without its lowest bits.
///
/// @param bits   the sum is from -2^(bits - 1) to 2^(bits - 1) - 1 (constrained here)
/// @param shift  how many bits are left out
///
/// Cost: a constraint a bit, and 1.
template Relu(bits, shift) {
    signal input sum;
    signal output out;

    signal sumBits[bits] <== Bits(bits)(sum + (1 << (bits - 1)));
    var rest = 0;
    for (var k = shift; k < bits - 1; k++) rest += sumBits[k] * (1 << (k - shift));
    // The highest bit is 1 where the sum is not negative, and then the others are the sum's own.
    out <== sumBits[bits - 1] * rest;
}

/// The class whose score is largest, of equal ones the lowest.
///
/// @param classes  most classes
/// @param bits     scores are from -2^(bits - 1) to 2^(bits - 1) - 1: the largest by what is constrained here, each other
///                 by how far it may be below
///
/// @input  active  1 for the classes that there are, then 0, by the caller; others are never chosen
/// @input  scores  of each class
/// @input  chosen  1 for one class, else 0 (constrained here)
/// @output class   the number of the one that is chosen
/// @output fixed   numbers of `bits` bits from which the class and all scores follow: the class, the largest score plus
///                 2^(bits - 1), and how far the others are below
///
/// Cost: 2 a class, and a constraint a bit for each number but the class.
template Argmax(classes, bits) {
    signal input active[classes];
    signal input scores[classes];
    signal input chosen[classes];
    signal output class;
    signal output fixed[classes + 2];

    signal scoreIfChosen[classes];
    var count = 0;
    var number = 0;
    var largest = 0;
    for (var c = 0; c < classes; c++) {
        // A bit where the class exists, else 0, in one constraint.
        chosen[c] * (chosen[c] - active[c]) === 0;
        scoreIfChosen[c] <== chosen[c] * scores[c];
        count += chosen[c];
        number += c * chosen[c];
        largest += scoreIfChosen[c];
    }
    count === 1;
    class <== number;
    fixed[0] <== number;
    fixed[1] <== largest + (1 << (bits - 1));

    signal bitsOf[classes + 1][bits];
    bitsOf[0] <== Bits(bits)(fixed[1]);
    // A class before the chosen one has to be strictly below.
    var before = 1;
    for (var c = 0; c < classes; c++) {
        before -= chosen[c];
        fixed[c + 2] <== largest - scores[c] - before;
        bitsOf[c + 1] <== Bits(bits)(fixed[c + 2]);
    }
}

/// Packs numbers into elements.
///
/// @param bits  of a number; as many are an element as have 252 bits
///
/// @input  numbers   below 2^bits, by the caller
/// @output elements  the first number in the lowest bits of the first
///
/// Cost: none of its own; the sums are linear.
template Pack(count, bits) {
    var lanes = 252 \ bits;
    signal input numbers[count];
    signal output elements[packedElements(count, bits)];

    for (var e = 0; e < packedElements(count, bits); e++) {
        var packed = 0;
        for (var k = 0; k < lanes && e * lanes + k < count; k++) packed += numbers[e * lanes + k] * (1 << (bits * k));
        elements[e] <== packed;
    }
}

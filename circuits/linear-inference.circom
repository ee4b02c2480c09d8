// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "./bits.circom";
include "./dense-layer.circom";
include "./group-commitment.circom";
include "./inference-chain.circom";

/// One chunk of a chain of proofs which says that a committed linear model, on the committed features of a benchmark
/// fold, predicts what predictionsRoot commits to. The score of a row is bias + sum of weights[j] * features[j]. With
/// predictions of one bit the model is a classifier, and the class is 1 where the score is above 0, else 0; with 16 bits it
/// is a regression, and the value is floor(score / 2^8), at least 0 and at most 2^16 - 1.
///
/// An element of features holds one feature of 248 \ featureBits rows, in lanes that a score fits. So one product weighs
/// the feature of all these rows, and the sum of the products holds their scores. Its lanes follow from it, whatever the
/// elements of features are, for no two lists of lanes have the same sum.
///
/// @param rows, blockRows, width, columns, featureBits, laneBits  of the chain; laneBits is 1 or 16, featureBits those of
///                                                                a score, which are more than 8
///
/// @input  parameters   bias, then weights, plus 2^31 each: 32 bits (range-checked here); 0 behind the model's last
///                      (constrained here). |bias| + 255 |weights| is below half of a lane (constrained here), so that
///                      no score of bytes leaves its lane
/// @input  inputActive  1 for the model's features, then 0 (constrained here): 1 in groups of features that are active
///                      only (constrained here), so that each that has a weight is committed to
/// @input  modelSalt    any field element: it hides, it binds nothing
/// All others are those of `InferenceChain`.
///
/// @output modelCommitment  commitment to the parameters, in every chunk
/// All others are those of `InferenceChain`.
///
/// Cost: beside the chain a block of 248 \ featureBits rows 1 a column, and a row featureBits, of a regression 5 more; 35 a
/// parameter, 909 and featureBits, once.
template LinearInference(rows, blockRows, width, columns, featureBits, laneBits) {
    assert(featureBits > 8 && (laneBits == 1 || laneBits == 16));
    var elementRows = elementRowsOf(featureBits);
    var groups = featureGroups(columns, featureBits, width);
    var blocks = rows \ elementRows;
    var parts = blockRows \ divisorOf(rows, blockRows);
    var lanes = 240 \ laneBits;
    var pendings = parts > 1 ? (blockRows + lanes - 1) \ lanes : 0;

    signal input first;
    signal input last;
    signal input done;
    signal input n;
    signal input rowsBefore;
    signal input part[parts];
    signal input active[rows];
    signal input groupActive[groups];
    signal input features[blocks][columns];
    signal input parameters[columns + 1];
    signal input inputActive[columns];
    signal input modelSalt;
    signal input featuresSalt;
    signal input predictionsSalt;
    signal input featuresBefore;
    signal input predictionsBefore;
    signal input pendingBefore[pendings];
    signal input stateInSalt;
    signal input stateOutSalt;

    signal output modelCommitment;
    signal output featuresRoot;
    signal output predictionsRoot;
    signal output stateIn;
    signal output stateOut;

    signal inputs <== Prefix(columns, 1)(inputActive);
    for (var g = 1; g < groups; g++) {
        inputActive[width * g] * (1 - groupActive[g]) === 0;
    }
    signal (bias, weights[columns]) <== BoundedParameters(columns, featureBits - 1)(parameters, inputActive);
    // "linear", and "linear-regression"
    var TAG = laneBits == 1 ? 0x6c696e656172 : 0x6c696e6561722d72656772657373696f6e;
    signal begun <== Poseidon(3)([TAG, inputs, modelSalt]);
    modelCommitment <== AbsorbUnit(columns + 1, 15)(begun, parameters);

    signal products[blocks][columns];
    signal scoreBits[blocks][featureBits * elementRows];
    signal predictions[rows];
    for (var b = 0; b < blocks; b++) {
        var scores = 0;
        for (var j = 0; j < columns; j++) {
            products[b][j] <== features[b][j] * weights[j];
            scores += products[b][j];
        }
        // Half of a lane is added to each score, so that the lane's highest bit is the sign; of a class one less, which
        // makes it the sign of score - 1.
        var half = (1 << (featureBits - 1)) - (laneBits == 1 ? 1 : 0);
        for (var k = 0; k < elementRows; k++) scores += (bias + half) * (1 << (featureBits * k));
        scoreBits[b] <== Bits(featureBits * elementRows)(scores);
        for (var k = 0; k < elementRows; k++) {
            if (laneBits == 1) {
                predictions[b * elementRows + k] <== scoreBits[b][featureBits * (k + 1) - 1];
            } else {
                var lane[featureBits];
                for (var i = 0; i < featureBits; i++) lane[i] = scoreBits[b][featureBits * k + i];
                predictions[b * elementRows + k] <== ClippedValue(featureBits, 8)(lane);
            }
        }
    }

    component chain = InferenceChain(rows, blockRows, width, columns, featureBits, laneBits, 0);
    chain.first <== first;
    chain.last <== last;
    chain.done <== done;
    chain.n <== n;
    chain.rowsBefore <== rowsBefore;
    chain.part <== part;
    chain.active <== active;
    chain.groupActive <== groupActive;
    chain.features <== features;
    chain.predictions <== predictions;
    chain.featuresSalt <== featuresSalt;
    chain.predictionsSalt <== predictionsSalt;
    chain.featuresBefore <== featuresBefore;
    chain.predictionsBefore <== predictionsBefore;
    chain.pendingBefore <== pendingBefore;
    chain.stateInSalt <== stateInSalt;
    chain.stateOutSalt <== stateOutSalt;
    featuresRoot <== chain.featuresRoot;
    predictionsRoot <== chain.predictionsRoot;
    stateIn <== chain.stateIn;
    stateOut <== chain.stateOut;
}

/// Parameters as signed numbers, of which no row of bytes makes more than `bits` bits.
///
/// @param bits  at most 252
///
/// @input  parameters   bias, then weights, plus 2^31 each: 32 bits (range-checked here); 0 behind the last (constrained
///                      here)
/// @input  active       1 for the weights that there are, then 0, by the caller
/// @output bias         as it is; |bias| + 255 |weights| is below 2^bits (constrained here)
/// @output weights      as they are; 0 behind the last
///
/// Cost: 34 a parameter, and a constraint a bit.
template BoundedParameters(columns, bits) {
    signal input parameters[columns + 1];
    signal input active[columns];
    signal output bias;
    signal output weights[columns];

    signal parameterBits[columns + 1][32];
    signal magnitudes[columns + 1];
    for (var j = 0; j <= columns; j++) {
        parameterBits[j] <== Bits(32)(parameters[j]);
        // The highest bit is 1 where the number is not below 0.
        var value = parameters[j] - (1 << 31) * (j == 0 ? 1 : active[j - 1]);
        magnitudes[j] <== (2 * parameterBits[j][31] - 1) * value;
    }
    bias <== parameters[0] - (1 << 31);
    var most = magnitudes[0];
    for (var j = 0; j < columns; j++) {
        parameters[j + 1] * (1 - active[j]) === 0;
        weights[j] <== parameters[j + 1] - (1 << 31) * active[j];
        most += 255 * magnitudes[j + 1];
    }
    signal rest[bits] <== Bits(bits)((1 << bits) - 1 - most);
}

/// floor(score / 2^shift), at least 0 and at most 2^16 - 1.
///
/// @param bits   more than 17 + shift
/// @param shift  bits of the score behind the point
///
/// @input  scoreBits  of the score with 2^(bits - 1) added, lowest first, by the caller
///
/// Cost: 5.
template ClippedValue(bits, shift) {
    signal input scoreBits[bits];
    signal output out;

    var value = 0;
    var above = 0;
    for (var k = 0; k < 16; k++) value += scoreBits[shift + k] * (1 << k);
    for (var k = shift + 16; k < bits - 1; k++) above += scoreBits[k] * (1 << (k - shift - 16));
    // over is whether any of the bits above is set; the inverse is 0 where none is, so that no signal is free.
    signal inverse <-- above == 0 ? 0 : 1 / above;
    signal over <== above * inverse;
    above * (1 - over) === 0;
    inverse * (1 - over) === 0;
    signal clipped <== value + over * (65535 - value);
    out <== scoreBits[bits - 1] * clipped;
}

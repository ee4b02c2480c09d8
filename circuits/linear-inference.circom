// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "./bits.circom";
include "./group-commitment.circom";
include "./inference-chain.circom";

/// One chunk of a chain of proofs which says that a committed linear model, on the committed features of a benchmark
/// fold, predicts what predictionsRoot commits to. The score of a row is bias + sum of weights[j] * features[j]. With
/// predictions of one bit the model is a classifier, and the class is 1 where the score is above 0, else 0; with 16 bits it
/// is a regression, and the value is floor(score / 2^8), at least 0 and at most 2^16 - 1.
///
/// @param rows, blockRows, width, columns, laneBits  of the chain; laneBits is 1 or 16, columns at most 104
///
/// @input  parameters  bias, then weights, plus 2^31 each: 32 bits (range-checked here); 0 behind the model's last
/// @input  inputs      the model's features, as its commitment absorbed it
/// @input  modelSalt   any field element: it hides, it binds nothing
/// All others are those of `InferenceChain`.
///
/// @output modelCommitment  commitment to the parameters, in every chunk
/// All others are those of `InferenceChain`.
///
/// Cost: beside the chain a row 1 a column (its product), and the bits of its score (45 for 30 columns; of a regression 5
/// more); 32 a parameter, and 909, once.
template LinearInference(rows, blockRows, width, columns, laneBits) {
    assert(columns > 1 && columns <= 104 && (laneBits == 1 || laneBits == 16));
    var rowElements = (columns + 30) \ 31;
    var parts = blockRows \ rows;
    var lanes = 240 \ laneBits;
    var pendings = parts > 1 ? (blockRows + lanes - 1) \ lanes : 0;

    signal input first;
    signal input last;
    signal input done;
    signal input n;
    signal input rowsBefore;
    signal input part[parts];
    signal input active[rows];
    signal input groupActive[rowElements];
    signal input features[rows][columns];
    signal input parameters[columns + 1];
    signal input inputs;
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

    signal parameterBits[columns + 1][32];
    for (var j = 0; j <= columns; j++) {
        parameterBits[j] <== Bits(32)(parameters[j]);
    }
    // "linear", and "linear-regression"
    var TAG = laneBits == 1 ? 0x6c696e656172 : 0x6c696e6561722d72656772657373696f6e;
    signal begun <== Poseidon(3)([TAG, inputs, modelSalt]);
    modelCommitment <== AbsorbUnit(columns + 1, 15)(begun, parameters);

    // |score| <= 2^31 (255 columns + 1) <= 2^39 columns: with that much added, its sign is in the top bit.
    var BITS = 40;
    for (var reach = 1; reach < columns; reach *= 2) BITS++;
    signal products[rows][columns];
    signal predictions[rows];
    for (var i = 0; i < rows; i++) {
        var score = parameters[0] - (1 << 31);
        for (var j = 0; j < columns; j++) {
            products[i][j] <== features[i][j] * (parameters[j + 1] - (1 << 31));
            score += products[i][j];
        }
        if (laneBits == 1) {
            predictions[i] <== AboveZero(BITS)(score);
        } else {
            predictions[i] <== ClippedValue(BITS, 8)(score);
        }
    }

    component chain = InferenceChain(rows, blockRows, width, columns, laneBits, 0);
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

/// 1 where a score is above 0, else 0.
///
/// @param bits  |score| is at most 2^(bits - 1), at most 252
///
/// Cost: a constraint a bit.
template AboveZero(bits) {
    signal input score;
    signal output out;
    signal scoreBits[bits] <== Bits(bits)(score - 1 + (1 << (bits - 1)));
    out <== scoreBits[bits - 1];
}

/// floor(score / 2^shift), at least 0 and at most 2^16 - 1.
///
/// @param bits   |score| is below 2^(bits - 1); more than 17 + shift, at most 252
/// @param shift  bits of the score behind the point
///
/// Cost: a constraint a bit, and 5.
template ClippedValue(bits, shift) {
    signal input score;
    signal output out;
    signal scoreBits[bits] <== Bits(bits)(score + (1 << (bits - 1)));

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

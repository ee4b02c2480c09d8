// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "./bits.circom";
include "./dense-layer.circom";
include "./dense-row.circom";
include "./group-commitment.circom";
include "./inference-chain.circom";

/// One chunk of a chain of proofs which says that a committed model, on the committed features of a benchmark fold,
/// predicts what predictionsRoot commits to. The model is a perceptron with one hidden layer, whose units give
/// max(0, sum) >> 7, or where `hidden` is 0 linear: then the outputs weigh the features themselves. With one output the
/// class is 1 where it is above 0, else 0; with several it is the one whose output is largest, of equal ones the lowest.
///
/// @param rows, blockRows, width, columns  of the chain; columns at most 104
/// @param hidden   most hidden units, at most 104; 0 for a linear model
/// @param outputs  1 for two classes, else the most classes, at most 256
///
/// @input  inputActive    1 for the features that the model has, then 0 (constrained here, as are the two below)
/// @input  hiddenActive   1 for its hidden units
/// @input  outputActive   1 for its outputs; at least two where the circuit has several
/// @input  hiddenBiases   signed, 22 bits (range-checked here, as are the three below)
/// @input  hiddenWeights  signed, 12 bits
/// @input  outputBiases   signed, 22 bits
/// @input  outputWeights  signed, 12 bits
/// @input  hiddenSums     of each row the sums of the hidden units, signed, 18 bits (constrained here)
/// @input  scores         of each row the sums of the outputs, signed, 22 bits (constrained here)
/// @input  chosen         where there are several outputs, 1 for the class of the row, else 0 (constrained here)
/// @input  modelSalt      any field element: it hides, it binds nothing
/// All others are those of `InferenceChain`.
///
/// @output modelCommitment  commitment to the parameters, in every chunk
/// All others are those of `InferenceChain`.
///
/// Cost: in `circuits/README.md`, and as a formula in its test.
template DenseInference(rows, blockRows, width, columns, hidden, outputs) {
    assert(columns <= 104 && hidden <= 104 && outputs <= 256);
    var rowElements = (columns + 30) \ 31;
    var laneBits = outputs == 1 ? 1 : 8;
    var lanes = 240 \ laneBits;
    var pendings = blockRows > rows ? (blockRows + lanes - 1) \ lanes : 0;
    var outputInputs = hidden > 0 ? hidden : columns;

    signal input first;
    signal input last;
    signal input done;
    signal input n;
    signal input rowsBefore;
    signal input part[blockRows \ rows];
    signal input active[rows];
    signal input groupActive[rowElements];
    signal input features[rows][columns];
    signal input featuresSalt;
    signal input predictionsSalt;
    signal input featuresBefore;
    signal input predictionsBefore;
    signal input pendingBefore[pendings];
    signal input stateInSalt;
    signal input stateOutSalt;
    signal input inputActive[columns];
    signal input hiddenActive[hidden];
    signal input outputActive[outputs];
    signal input hiddenBiases[hidden];
    signal input hiddenWeights[hidden][columns];
    signal input outputBiases[outputs];
    signal input outputWeights[outputs][outputInputs];
    signal input hiddenSums[rows][hidden];
    signal input scores[rows][outputs];
    signal input chosen[rows][outputs > 1 ? outputs : 0];
    signal input modelSalt;

    signal output modelCommitment;
    signal output featuresRoot;
    signal output predictionsRoot;
    signal output stateIn;
    signal output stateOut;

    component inputs = Prefix(columns, 1);
    component units = Prefix(hidden, hidden > 0 ? 1 : 0);
    component classes = Prefix(outputs, outputs > 1 ? 2 : 1);
    inputs.active <== inputActive;
    units.active <== hiddenActive;
    classes.active <== outputActive;

    var DENSE = 0x64656e7365; // "dense"
    signal begun <== Poseidon(5)([DENSE, inputs.count, units.count, classes.count, modelSalt]);
    signal hiddenState <== AbsorbLayer(hidden, columns, width)(
        begun, hiddenActive, inputActive, hiddenBiases, hiddenWeights
    );
    var outputInputActive[outputInputs];
    for (var j = 0; j < outputInputs; j++) {
        if (hidden > 0) {
            outputInputActive[j] = hiddenActive[j];
        } else {
            outputInputActive[j] = inputActive[j];
        }
    }
    modelCommitment <== AbsorbLayer(outputs, outputInputs, width)(
        hiddenState, outputActive, outputInputActive, outputBiases, outputWeights
    );

    component predict = PredictRows(rows, hidden, outputs);
    predict.outputActive <== outputActive;
    predict.hiddenSums <== hiddenSums;
    predict.scores <== scores;
    predict.chosen <== chosen;

    component chain = InferenceChain(rows, blockRows, width, columns, 8, laneBits, 0);
    chain.first <== first;
    chain.last <== last;
    chain.done <== done;
    chain.n <== n;
    chain.rowsBefore <== rowsBefore;
    chain.part <== part;
    chain.active <== active;
    chain.groupActive <== groupActive;
    chain.features <== features;
    chain.predictions <== predict.predictions;
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

    // Drawn from all that the identities speak of: the weights, the features, and the sums of all rows.
    var CHALLENGE = 0x6368616c6c656e6765; // "challenge"
    signal weighed <== Poseidon(3)([CHALLENGE, modelCommitment, chain.featuresState]);
    signal drawn <== AbsorbAll(fixedElements(rows, hidden, outputs), width)(weighed, predict.fixed);
    signal challenge;
    challenge <== drawn;
    if (hidden > 0) {
        CheckLayer(rows, hidden, columns)(
            challenge, hiddenActive, inputActive, hiddenBiases, hiddenWeights, features, hiddenSums
        );
        CheckLayer(rows, outputs, hidden)(
            challenge, outputActive, hiddenActive, outputBiases, outputWeights, predict.activations, scores
        );
    } else {
        CheckLayer(rows, outputs, columns)(
            challenge, outputActive, inputActive, outputBiases, outputWeights, features, scores
        );
    }
}

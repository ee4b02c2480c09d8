// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "./bits.circom";
include "./group-commitment.circom";

/// One chunk of a chain of proofs which says that a committed linear model, on the committed features of a benchmark
/// fold, predicts what predictionsRoot commits to: the class of a row is 1 where bias + sum of weights[j] * features[j]
/// is above 0, else 0.
///
/// The first chunk begins both commitments, each further one takes up where `stateIn` says that the one before left off,
/// and the last gives both roots. What passes between two chunks is hidden by a salt: the state of a commitment over a
/// few blocks of predictions could be guessed.
///
/// @param blocks     blocks of rows that a chunk holds
/// @param blockRows  rows of a block; 248 wherever a root leaves the circuit, smaller only in tests
/// @param columns    most features that a model has; 2 to 247
/// @param width      elements of a group that is absorbed at once; 15 wherever a root leaves the circuit
///
/// @input  first              1 in the first chunk, else 0 (constrained here, as is `last`)
/// @input  last               1 in the last chunk
/// @input  n                  rows of the fold; what both roots absorbed, and the rows of all chunks together
/// @input  rowsBefore         rows of the chunks before; 0 in the first (constrained here)
/// @input  active             1 while a row is one of the fold's, then 0; only the last chunk may have a 0
/// @input  groupActive        1 for the groups of elements that a block of these features has, then 0
/// @input  features           a byte each (range-checked here); any in rows that are not active, as those count nowhere,
///                            and 0 in the columns of groups that are not active (constrained here)
/// @input  parameters         bias, then weights, plus 2^31 each: 32 bits (range-checked here)
/// @input  parameterCount     1 + the model's features, as its commitment absorbed it
/// @input  modelSalt          any field element, as are the salts below: they hide, they bind nothing
/// @input  featuresSalt       used by the first chunk only, as is predictionsSalt
/// @input  predictionsSalt
/// @input  featuresBefore     state of the features' commitment before this chunk; unused by the first, as is the next
/// @input  predictionsBefore
/// @input  stateInSalt
/// @input  stateOutSalt
///
/// @output modelCommitment  commitment to the parameters, in every chunk
/// @output featuresRoot     block commitment of the features in the last chunk, else 0
/// @output predictionsRoot  block commitment of the predictions in the last chunk, else 0
/// @output stateIn          0 in the first chunk, else the stateOut of the one before
/// @output stateOut         0 in the last chunk
///
/// Cost: a row 9 a column (8 bits, 1 product) and BITS + 2 (47 for 30 columns); a block 610 a group of 15 elements,
/// 1 an element and 242; 3,377 and 32 a column once.
template LinearInference(blocks, blockRows, columns, width) {
    assert(blockRows <= 248 && columns > 1 && columns < 248);
    var rows = blocks * blockRows;
    var columnElements = (blockRows + 30) \ 31;
    var groups = (columns * columnElements + width - 1) \ width;

    signal input first;
    signal input last;
    signal input n;
    signal input rowsBefore;
    signal input active[rows];
    signal input groupActive[groups];
    signal input features[rows][columns];
    signal input parameters[columns + 1];
    signal input parameterCount;
    signal input modelSalt;
    signal input featuresSalt;
    signal input predictionsSalt;
    signal input featuresBefore;
    signal input predictionsBefore;
    signal input stateInSalt;
    signal input stateOutSalt;

    signal output modelCommitment;
    signal output featuresRoot;
    signal output predictionsRoot;
    signal output stateIn;
    signal output stateOut;

    first * (first - 1) === 0;
    last * (last - 1) === 0;

    // 1, ..., 1, 0, ..., 0 with at least one 1, both: after a 1 the next is a bit, after a 0 its square is 0.
    active[0] === 1;
    for (var i = 1; i < rows; i++) {
        active[i] * (active[i] - active[i - 1]) === 0;
    }
    groupActive[0] === 1;
    for (var i = 1; i < groups; i++) {
        groupActive[i] * (groupActive[i] - groupActive[i - 1]) === 0;
    }
    var groupCount = 0;
    for (var i = 0; i < groups; i++) groupCount += groupActive[i];

    signal parameterBits[columns + 1][32];
    for (var j = 0; j <= columns; j++) {
        parameterBits[j] <== Bits(32)(parameters[j]);
    }
    modelCommitment <== ParameterCommitment(columns + 1, width)(parameterCount, modelSalt, parameters);

    // |score| <= 2^31 (255 columns + 1) <= 2^39 columns: with that much added, score - 1 has its sign in the top bit.
    var BITS = 40;
    for (var reach = 1; reach < columns; reach *= 2) BITS++;

    signal featureBits[rows][columns][8];
    signal products[rows][columns];
    signal scoreBits[rows][BITS];
    signal predictions[rows];
    for (var i = 0; i < rows; i++) {
        var score = parameters[0] - (1 << 31);
        for (var j = 0; j < columns; j++) {
            featureBits[i][j] <== Bits(8)(features[i][j]);
            products[i][j] <== features[i][j] * (parameters[j + 1] - (1 << 31));
            score += products[i][j];
        }
        scoreBits[i] <== Bits(BITS)(score - 1 + (1 << (BITS - 1)));
        predictions[i] <== active[i] * scoreBits[i][BITS - 1];
    }

    var FEATURES = 0x6665617475726573; // "features"
    var PREDICTIONS = 0x70726564696374696f6e73; // "predictions"
    signal featuresBegun <== Poseidon(4)([FEATURES, n, 8 + 256 * (groupCount - 1), featuresSalt]);
    signal predictionsBegun <== Poseidon(4)([PREDICTIONS, n, 1, predictionsSalt]);

    signal rowsUpTo[blocks + 1];
    signal featuresState[blocks + 1];
    signal predictionsState[blocks + 1];
    signal featuresAbsorbed[blocks];
    signal predictionsAbsorbed[blocks];
    signal blockPredictions[blocks];
    signal elements[blocks][width * groups];
    first * rowsBefore === 0;
    rowsUpTo[0] <== rowsBefore;
    featuresState[0] <== featuresBefore + first * (featuresBegun - featuresBefore);
    predictionsState[0] <== predictionsBefore + first * (predictionsBegun - predictionsBefore);
    for (var b = 0; b < blocks; b++) {
        for (var e = 0; e < width * groups; e++) {
            var packed = 0;
            var j = e \ columnElements;
            if (j < columns) {
                var from = (e % columnElements) * 31;
                for (var k = 0; k < 31 && from + k < blockRows; k++) {
                    packed += features[b * blockRows + from + k][j] * (1 << (8 * k));
                }
            }
            elements[b][e] <== packed;
            if (j < columns) {
                elements[b][e] * (1 - groupActive[e \ width]) === 0;
            }
        }
        var blockCount = 0;
        var bits = 0;
        for (var k = 0; k < blockRows; k++) {
            blockCount += active[b * blockRows + k];
            bits += predictions[b * blockRows + k] * (1 << k);
        }
        rowsUpTo[b + 1] <== rowsUpTo[b] + blockCount;
        blockPredictions[b] <== bits;
        featuresAbsorbed[b] <== AbsorbGroups(groups, width)(featuresState[b], groupActive, elements[b]);
        predictionsAbsorbed[b] <== Poseidon(2)([predictionsState[b], blockPredictions[b]]);
        featuresState[b + 1] <== featuresState[b] + active[b * blockRows] * (featuresAbsorbed[b] - featuresState[b]);
        predictionsState[b + 1] <==
            predictionsState[b] + active[b * blockRows] * (predictionsAbsorbed[b] - predictionsState[b]);
    }

    // Only the last chunk may be short, and with it the rows are all.
    (1 - last) * (1 - active[rows - 1]) === 0;
    last * (n - rowsUpTo[blocks]) === 0;

    var CHUNK = 0x6368756e6b; // "chunk"
    signal opened <== Poseidon(7)([CHUNK, featuresBefore, predictionsBefore, rowsBefore, n, groupCount, stateInSalt]);
    signal closed <== Poseidon(7)([
        CHUNK, featuresState[blocks], predictionsState[blocks], rowsUpTo[blocks], n, groupCount, stateOutSalt
    ]);
    stateIn <== (1 - first) * opened;
    stateOut <== (1 - last) * closed;
    featuresRoot <== last * featuresState[blocks];
    predictionsRoot <== last * predictionsState[blocks];
}

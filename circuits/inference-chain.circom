// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "./bits.circom";
include "./group-commitment.circom";

/// What every chunk of a chain of proofs does, whatever kind of model predicts: it holds that the rows are the next ones
/// of the committed fold, and commits to what the model predicts on them. The template of a family of models gives this one
/// its rows and predictions, and what else passes from chunk to chunk.
///
/// The first chunk begins both commitments, each further one takes up where `stateIn` says that the one before left off,
/// and the last gives both roots. Chunks without a row may follow the last row, for families that have more to check.
/// What passes between two chunks is hidden by a salt: the state of a commitment over few predictions could be guessed.
///
/// @param rows         rows of a chunk: whole blocks of features; its predictions are absorbed in pieces of as many rows as
///                     go into a chunk and into `blockRows`
/// @param blockRows    rows of a block of predictions; 240 wherever a root leaves the circuit, smaller only in tests
/// @param width        elements of a group, 15 wherever a root leaves the circuit; rows of a block of features where an
///                     element is of one row
/// @param columns      most features of a row
/// @param featureBits  bits of a feature in its element: 8, and an element holds features of one row, see AbsorbRows; or
///                     more, and it holds one feature of 248 \ featureBits rows, see AbsorbColumns
/// @param laneBits     bits of a prediction: 1, 8 or 16
/// @param extra        elements of the family's own that pass from chunk to chunk
///
/// @input  first              1 in the first chunk, else 0 (constrained here, as are `last` and `done`)
/// @input  last               1 in the last chunk
/// @input  done               1 where no row follows
/// @input  n                  rows of the fold; what both roots absorbed, and the rows of all chunks together
/// @input  rowsBefore         rows of the chunks before; 0 in the first (constrained here)
/// @input  part               1 for which part of its block of predictions the chunk begins with (constrained here)
/// @input  active             1 while a row is one of the fold's, then 0
/// @input  groupActive        1 for the groups of features that this fold has, then 0 (constrained here)
/// @input  features           a byte each (range-checked here), 0 in groups that are not active (constrained here); or
///                            elements of several rows, any field elements: those of groups that are not active are in no
///                            root, and count nowhere by the family
/// @input  predictions        below 2^laneBits by the family; those of rows that are not active count as 0
/// @input  featuresSalt       any field element, as are the salts below: they hide, they bind nothing; the first chunk's only
/// @input  predictionsSalt    likewise
/// @input  featuresBefore     state of the features' commitment before this chunk; unused by the first, as is the next
/// @input  predictionsBefore
/// @input  pendingBefore      elements of the block of predictions that is not full yet; 0 in the first (constrained here)
/// @input  extraBefore        the family's elements before and after this chunk; it constrains how they begin and end
/// @input  extraAfter
/// @input  stateInSalt
/// @input  stateOutSalt
///
/// @output featuresRoot     commitment to the features in the last chunk, else 0
/// @output predictionsRoot  commitment to the predictions in the last chunk, else 0
/// @output stateIn          0 in the first chunk, else the stateOut of the one before
/// @output stateOut         0 in the last chunk
/// @output featuresState    of the features' commitment after this chunk
///
/// Cost: a row 2; AbsorbRows or AbsorbColumns; AbsorbPredictions for each piece; 1,440 once.
template InferenceChain(rows, blockRows, width, columns, featureBits, laneBits, extra) {
    assert(laneBits <= 16);
    var groups = featureGroups(columns, featureBits, width);
    var pieceRows = divisorOf(rows, blockRows);
    var pieces = rows \ pieceRows;
    var parts = blockRows \ pieceRows;
    var lanes = 240 \ laneBits;
    var blockElements = (blockRows + lanes - 1) \ lanes;
    var pendings = parts > 1 ? blockElements : 0;

    signal input first;
    signal input last;
    signal input done;
    signal input n;
    signal input rowsBefore;
    signal input part[parts];
    signal input active[rows];
    signal input groupActive[groups];
    signal input features[rows \ elementRowsOf(featureBits)][columns];
    signal input predictions[rows];
    signal input featuresSalt;
    signal input predictionsSalt;
    signal input featuresBefore;
    signal input predictionsBefore;
    signal input pendingBefore[pendings];
    signal input extraBefore[extra];
    signal input extraAfter[extra];
    signal input stateInSalt;
    signal input stateOutSalt;

    signal output featuresRoot;
    signal output predictionsRoot;
    signal output stateIn;
    signal output stateOut;
    signal output featuresState;

    first * (first - 1) === 0;
    last * (last - 1) === 0;
    done * (done - 1) === 0;

    // 1, ..., 1, 0, ..., 0, both: after a 1 the next is a bit, after a 0 its square is 0.
    active[0] * (active[0] - 1) === 0;
    for (var i = 1; i < rows; i++) {
        active[i] * (active[i] - active[i - 1]) === 0;
    }
    groupActive[0] === 1;
    for (var g = 1; g < groups; g++) {
        groupActive[g] * (groupActive[g] - groupActive[g - 1]) === 0;
    }
    var groupCount = 0;
    for (var g = 0; g < groups; g++) groupCount += groupActive[g];

    // Rows are counted once each; a chunk is short, or has none, only where they are all counted, and so is the last.
    var chunkRows = 0;
    for (var i = 0; i < rows; i++) chunkRows += active[i];
    signal rowsAfter <== rowsBefore + chunkRows;
    first * rowsBefore === 0;
    done * (n - rowsAfter) === 0;
    (1 - done) * (1 - active[rows - 1]) === 0;
    last * (1 - done) === 0;

    var FEATURES = 0x6665617475726573; // "features"
    signal featuresBegun <== Poseidon(4)([FEATURES, n, featureBits + 256 * (groupCount - 1), featuresSalt]);
    if (featureBits == 8) {
        component absorbed = AbsorbRows(rows, width, columns);
        absorbed.state <== featuresBefore + first * (featuresBegun - featuresBefore);
        absorbed.active <== active;
        absorbed.groupActive <== groupActive;
        absorbed.features <== features;
        featuresState <== absorbed.out;
    } else {
        component absorbedColumns = AbsorbColumns(rows, featureBits, width, columns);
        absorbedColumns.state <== featuresBefore + first * (featuresBegun - featuresBefore);
        absorbedColumns.active <== active;
        absorbedColumns.groupActive <== groupActive;
        absorbedColumns.features <== features;
        featuresState <== absorbedColumns.out;
    }

    var PREDICTIONS = 0x70726564696374696f6e73; // "predictions"
    var encoding = laneBits + (blockElements > 1 ? 256 * ((blockElements + width - 1) \ width - 1) : 0);
    signal predictionsBegun <== Poseidon(4)([PREDICTIONS, n, encoding, predictionsSalt]);
    var end = pieces - 1;
    component predicted[pieces];
    for (var k = 0; k < pieces; k++) {
        predicted[k] = AbsorbPredictions(pieceRows, blockRows, width, laneBits);
        if (k == 0) {
            predicted[k].state <== predictionsBefore + first * (predictionsBegun - predictionsBefore);
        } else {
            predicted[k].state <== predicted[k - 1].out;
        }
        // A chunk that is not done has all its rows.
        if (k < end) {
            predicted[k].done <== 1 - active[(k + 1) * pieceRows];
        } else {
            predicted[k].done <== done;
        }
        for (var p = 0; p < parts; p++) {
            predicted[k].part[(p + k) % parts] <== part[p];
        }
        for (var i = 0; i < pieceRows; i++) {
            predicted[k].active[i] <== active[k * pieceRows + i];
            predicted[k].predictions[i] <== predictions[k * pieceRows + i];
        }
        for (var e = 0; e < pendings; e++) {
            if (k == 0) {
                predicted[k].pending[e] <== pendingBefore[e];
            } else {
                predicted[k].pending[e] <== predicted[k - 1].pendingAfter[e];
            }
        }
    }

    var partBefore = 0;
    for (var p = 0; p < parts; p++) partBefore += p * part[p];
    if (parts > 1) {
        first * partBefore === 0;
        // A chunk without a row follows a full block, or the last row: no block that waits is dropped.
        (1 - active[0]) * partBefore === 0;
    }
    for (var e = 0; e < pendings; e++) {
        first * pendingBefore[e] === 0;
    }

    component opened = ChunkState(pendings + extra, width);
    component closed = ChunkState(pendings + extra, width);
    opened.begin <== [featuresBefore, predictionsBefore, rowsBefore, n, groupCount, partBefore, stateInSalt];
    closed.begin <== [featuresState, predicted[end].out, rowsAfter, n, groupCount, predicted[end].nextPart, stateOutSalt];
    for (var e = 0; e < pendings; e++) {
        opened.more[e] <== pendingBefore[e];
        closed.more[e] <== predicted[end].pendingAfter[e];
    }
    for (var e = 0; e < extra; e++) {
        opened.more[pendings + e] <== extraBefore[e];
        closed.more[pendings + e] <== extraAfter[e];
    }
    stateIn <== (1 - first) * opened.out;
    stateOut <== (1 - last) * closed.out;
    featuresRoot <== last * featuresState;
    predictionsRoot <== last * predicted[end].out;
}

/// The greatest number that divides both.
function divisorOf(a, b) {
    var divisor = a;
    while (a % divisor != 0 || b % divisor != 0) divisor--;
    return divisor;
}

/// How many rows an element of features is of.
function elementRowsOf(featureBits) {
    return featureBits == 8 ? 1 : 248 \ featureBits;
}

/// How many groups of `width` elements a block of features has.
function featureGroups(columns, featureBits, width) {
    return featureBits == 8 ? (columns + 30) \ 31 : (columns + width - 1) \ width;
}

/// Absorbs rows of features, `width` rows at a time: group g of a block holds element g of each of its rows.
///
/// @input  state        before the rows
/// @input  active       1 while a row is one of the fold's, then 0, by the caller
/// @input  groupActive  1 for the elements that a row has, then 0, by the caller
/// @input  features     a byte each (range-checked here); 31 of a row in an element, the first in its lowest bits
/// @output out          after the rows
///
/// Cost: 8 a feature, 1 an element of a row; a block 610 an element of a row, and 1.
template AbsorbRows(rows, width, columns) {
    assert(rows % width == 0);
    var groups = (columns + 30) \ 31;
    var blocks = rows \ width;
    signal input state;
    signal input active[rows];
    signal input groupActive[groups];
    signal input features[rows][columns];
    signal output out;

    signal featureBits[rows][columns][8];
    signal elements[rows][groups];
    for (var i = 0; i < rows; i++) {
        var packed[groups];
        for (var j = 0; j < columns; j++) {
            featureBits[i][j] <== Bits(8)(features[i][j]);
            packed[j \ 31] += features[i][j] * (1 << (8 * (j % 31)));
        }
        for (var g = 0; g < groups; g++) {
            elements[i][g] <== packed[g];
            elements[i][g] * (1 - groupActive[g]) === 0;
        }
    }

    signal states[blocks + 1];
    signal absorbed[blocks];
    component block[blocks];
    states[0] <== state;
    for (var b = 0; b < blocks; b++) {
        block[b] = AbsorbGroups(groups, width);
        block[b].state <== states[b];
        block[b].groupActive <== groupActive;
        for (var g = 0; g < groups; g++) {
            for (var k = 0; k < width; k++) {
                block[b].elements[g * width + k] <== elements[b * width + k][g];
            }
        }
        absorbed[b] <== block[b].out;
        states[b + 1] <== states[b] + active[b * width] * (absorbed[b] - states[b]);
    }
    out <== states[blocks];
}

/// Absorbs features 248 \ featureBits rows at a time: an element holds one feature of each of them, and group g of a block
/// the elements of features `width` g and on, zeros behind the last.
///
/// Whether elements hold bytes is not constrained. They are those that the fold's owner committed to, so a prover has
/// nothing to choose.
///
/// @param featureBits  an element is the sum over the block's rows i of feature * 2^(featureBits i)
///
/// @input  state        before the rows
/// @input  active       1 while a row is one of the fold's, then 0, by the caller
/// @input  groupActive  1 for the groups that a block has, then 0, by the caller
/// @input  features     any field elements; those of a block without a row, or of a group not active, are not absorbed
/// @output out          after the rows
///
/// Cost: a block 610 a group, less 3 for each element that is always 0, and 1.
template AbsorbColumns(rows, featureBits, width, columns) {
    var elementRows = elementRowsOf(featureBits);
    assert(rows % elementRows == 0);
    var groups = featureGroups(columns, featureBits, width);
    var blocks = rows \ elementRows;
    signal input state;
    signal input active[rows];
    signal input groupActive[groups];
    signal input features[blocks][columns];
    signal output out;

    signal states[blocks + 1];
    signal absorbed[blocks];
    component block[blocks];
    states[0] <== state;
    for (var b = 0; b < blocks; b++) {
        block[b] = AbsorbGroups(groups, width);
        block[b].state <== states[b];
        block[b].groupActive <== groupActive;
        for (var e = 0; e < groups * width; e++) {
            if (e < columns) {
                block[b].elements[e] <== features[b][e];
            } else {
                block[b].elements[e] <== 0;
            }
        }
        absorbed[b] <== block[b].out;
        states[b + 1] <== states[b] + active[b * elementRows] * (absorbed[b] - states[b]);
    }
    out <== states[blocks];
}

/// Adds the predictions of a chunk to their block, and absorbs the block where it is full or no row follows.
///
/// @input  state         of the commitment before the chunk
/// @input  done          1 where no row follows, by the caller
/// @input  part          1 for which part of the block the chunk is (constrained here)
/// @input  active        1 while a row is one of the fold's, then 0, by the caller
/// @input  predictions   below 2^laneBits by the caller
/// @input  pending       the elements of the block so far
/// @output out           after the chunk
/// @output nextPart      which part of its block the next chunk is; 0 where no row follows
/// @output pendingAfter  the elements of the block that is not full yet, 0 where there is none
///
/// Cost: 1 a row; where a block has several parts 1 a part for each element it has rows in, and 1 a part, 4 and 1 an
/// element; 241 for a block of one element, 610 for each 15 of several.
template AbsorbPredictions(rows, blockRows, width, laneBits) {
    var parts = blockRows \ rows;
    var lanes = 240 \ laneBits;
    var blockElements = (blockRows + lanes - 1) \ lanes;
    var pendings = parts > 1 ? blockElements : 0;
    signal input state;
    signal input done;
    signal input part[parts];
    signal input active[rows];
    signal input predictions[rows];
    signal input pending[pendings];
    signal output out;
    signal output nextPart;
    signal output pendingAfter[pendings];

    signal counted[rows];
    for (var i = 0; i < rows; i++) {
        counted[i] <== active[i] * predictions[i];
    }

    var sum = 0;
    var number = 0;
    for (var p = 0; p < parts; p++) {
        if (parts > 1) {
            part[p] * (part[p] - 1) === 0;
        }
        sum += part[p];
        number += p * part[p];
    }
    sum === 1;
    if (parts > 1) {
        nextPart <== (1 - done) * (number + 1 - parts * part[parts - 1]);
    } else {
        nextPart <== 0;
    }

    // Each part places the chunk's rows elsewhere in the block.
    signal placed[parts][blockElements];
    var packed[blockElements];
    for (var p = 0; p < parts; p++) {
        var shifted[blockElements];
        for (var i = 0; i < rows; i++) {
            var at = p * rows + i;
            shifted[at \ lanes] += counted[i] * (1 << (laneBits * (at % lanes)));
        }
        for (var e = 0; e < blockElements; e++) {
            placed[p][e] <== part[p] * shifted[e];
            packed[e] += placed[p][e];
        }
    }

    signal elements[blockElements];
    signal full <== 1 - (1 - part[parts - 1]) * (1 - done);
    for (var e = 0; e < blockElements; e++) {
        if (parts > 1) {
            elements[e] <== packed[e] + pending[e];
            pendingAfter[e] <== (1 - full) * elements[e];
        } else {
            elements[e] <== packed[e];
        }
    }

    signal absorbed;
    if (blockElements == 1) {
        absorbed <== Poseidon(2)([state, elements[0]]);
    } else {
        var groups = (blockElements + width - 1) \ width;
        component block = AbsorbGroups(groups, width);
        block.state <== state;
        for (var g = 0; g < groups; g++) {
            block.groupActive[g] <== 1;
        }
        for (var e = 0; e < groups * width; e++) {
            if (e < blockElements) {
                block.elements[e] <== elements[e];
            } else {
                block.elements[e] <== 0;
            }
        }
        absorbed <== block.out;
    }
    signal absorbs <== active[0] * full;
    out <== state + absorbs * (absorbed - state);
}

/// What passes from one chunk to the next, as one hash.
///
/// @param count  how many elements there are behind those that every chunk has
///
/// @input  begin  state of both commitments, rows so far, n, elements of a row, part of the block, salt
/// @input  more   elements of a block that is not full yet, then the family's
/// @output out    the hash
///
/// Cost: 411, and 609 for each 15 elements more.
template ChunkState(count, width) {
    signal input begin[7];
    signal input more[count];
    signal output out;

    var CHUNK = 0x6368756e6b; // "chunk"
    var groups = (count + width - 1) \ width;
    signal begun <== Poseidon(8)([CHUNK, begin[0], begin[1], begin[2], begin[3], begin[4], begin[5], begin[6]]);
    component absorb = AbsorbGroups(groups, width);
    absorb.state <== begun;
    for (var g = 0; g < groups; g++) {
        absorb.groupActive[g] <== 1;
    }
    for (var e = 0; e < groups * width; e++) {
        if (e < count) {
            absorb.elements[e] <== more[e];
        } else {
            absorb.elements[e] <== 0;
        }
    }
    out <== absorb.out;
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "./bits.circom";
include "./absorb-all.circom";
include "./inference-chain.circom";
include "./forest-row.circom";
include "./forest-table.circom";
include "./forest-challenges.circom";

/// One chunk of a chain of proofs which says that a committed forest, on the committed features of a benchmark fold,
/// predicts what predictionsRoot commits to. Only the nodes that a row passes are looked at, and the nodes of the forest
/// are read once in the chain: what the paths claim is held against the table by sums of fractions, at points that are
/// hashes of all that was claimed before (circuits/README.md has the argument).
///
/// Each chunk works with the points that the first one named, and the last checks that they are those hashes, and that the
/// sums agree. Chunks may follow the last row, until the table is read.
///
/// @param rows, blockRows, width, columns, laneBits  see InferenceChain; laneBits also says what is predicted, see
///                                                   ForestOutput
/// @param trees   of the forest, padded with trees of one leaf
/// @param depth   most decisions from a root to a leaf
/// @param groups  of 4 * width records of the table, in a chunk
///
/// @input  first, ..., stateOutSalt  see InferenceChain
/// @input  commitment   to the model, as claimed; the last chunk gives the one of the table that was read
/// @input  modelSalt    any field element; used by the first chunk only
/// @input  bias         of sums, plus 2^31: what the commitment begins with; passes from chunk to chunk
/// @input  challenges   gamma, alpha, eta, mu, delta: any in the first chunk, then the same, and hashes by the last
/// @input  digests      of paths, answers and visits before this chunk; 0 in the first (constrained here)
/// @input  sums         before this chunk; 0 in the first (constrained here)
/// @input  table        before this chunk: state, open, tree, place
/// @input  paths        what the rows claim, 240 bits each (range-checked here), see ForestRow
/// @input  answers      of each row, sum over its nodes of (1 / (eta - feature) + threshold / (eta - columns)) /
///                      (gamma - node), as claimed
/// @input  records, visits, tableActive   see ForestTable
/// @input  poles        in the last chunk: what sum over rows of featureSum * answer / (alpha - row) is made of, the
///                      coefficients of 1 / (eta - j)^2 for each column j and that of thresholds, then of 1 / (eta - j)
///
/// @output modelCommitment  in every chunk
/// @output featuresRoot, predictionsRoot, stateIn, stateOut  see InferenceChain
///
/// Cost: InferenceChain; a row ForestRow and 7; 240 and 609 / 15 for 240 bits of paths; ForestTable and 609 / 15 a record;
/// 609 / 15 a row; a tree 1, and what README says once.
template ForestInference(rows, blockRows, width, columns, laneBits, trees, depth, groups) {
    assert(laneBits == 1 || laneBits == 8 || laneBits == 16);
    var rowElements = (columns + 30) \ 31;
    var parts = blockRows \ rows;
    var lanes = 240 \ laneBits;
    var pendings = parts > 1 ? (blockRows + lanes - 1) \ lanes : 0;
    var rowBits = trees * (9 * depth + 1) + forestOutputBits(laneBits, trees);
    var elements = (rows * rowBits + 239) \ 240;
    var slots = groups * 4 * width;

    signal input first;
    signal input last;
    signal input done;
    signal input n;
    signal input rowsBefore;
    signal input part[parts];
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

    signal input commitment;
    signal input modelSalt;
    signal input bias;
    signal input challenges[5];
    signal input digests[3];
    signal input sums[5];
    signal input table[4];
    signal input paths[elements];
    signal input answers[rows];
    signal input records[slots];
    signal input visits[slots];
    signal input tableActive[groups];
    signal input poles[2 * (columns + 1)];

    signal output modelCommitment;
    signal output featuresRoot;
    signal output predictionsRoot;
    signal output stateIn;
    signal output stateOut;

    component chain = InferenceChain(rows, blockRows, width, columns, 8, laneBits, 18);

    // Where the first chunk begins.
    var FOREST = 0x666f72657374; // "forest"
    // The same nodes say other things in a circuit of other sizes, so these are committed to.
    signal begun <== Poseidon(4)([FOREST, laneBits + 256 * trees + 65536 * columns, bias, modelSalt]);
    first * (table[0] - begun) === 0;
    first * (table[1] - 1) === 0;
    first * table[2] === 0;
    first * table[3] === 0;
    for (var k = 0; k < 3; k++) {
        first * digests[k] === 0;
    }
    for (var k = 0; k < 5; k++) {
        first * sums[k] === 0;
    }

    component read = ForestTable(groups, width, depth, laneBits);
    component row[rows];
    var gamma = challenges[0];
    var alpha = challenges[1];
    var eta = challenges[2];
    var mu = challenges[3];
    var delta = challenges[4];

    signal etaInverses[forestInverses(columns)];
    for (var j = 0; j < forestInverses(columns); j++) {
        etaInverses[j] <-- 1 / (eta - j);
        etaInverses[j] * (eta - j) === 1;
    }
    // What each row passes above the roots: the node 0 of each tree.
    signal rootInverses[trees];
    var roots = 0;
    for (var t = 0; t < trees; t++) {
        rootInverses[t] <-- 1 / (delta - (t + 1) * (1 << 64));
        rootInverses[t] * (delta - (t + 1) * (1 << 64)) === 1;
        roots += rootInverses[t];
    }

    signal bits[elements][240];
    for (var e = 0; e < elements; e++) {
        bits[e] <== Bits(240)(paths[e]);
    }
    signal alphaWeights[rows];
    signal muWeights[rows];
    signal products[rows];
    signal added[rows][5];
    var after[5];
    for (var i = 0; i < rows; i++) {
        row[i] = ForestRow(columns, trees, depth, laneBits);
        for (var k = 0; k < rowBits; k++) {
            var at = i * rowBits + k;
            row[i].bits[k] <== bits[at \ 240][at % 240];
        }
        row[i].features <== features[i];
        row[i].bias <== bias - (1 << 31);
        row[i].gamma <== gamma;
        row[i].delta <== delta;
        row[i].etaInverses <== etaInverses;

        // 0 where there is no row.
        alphaWeights[i] <-- active[i] / (alpha - rowsBefore - i);
        alphaWeights[i] * (alpha - rowsBefore - i) === active[i];
        muWeights[i] <-- active[i] / (mu - rowsBefore - i);
        muWeights[i] * (mu - rowsBefore - i) === active[i];
        products[i] <== row[i].featureSum * answers[i];
        added[i][0] <== alphaWeights[i] * products[i];
        added[i][1] <== alphaWeights[i] * row[i].decisions;
        added[i][2] <== muWeights[i] * answers[i];
        added[i][3] <== muWeights[i] * (row[i].leaves - roots);
        added[i][4] <== muWeights[i] * row[i].leafSum;
        for (var k = 0; k < 5; k++) after[k] += added[i][k];
    }

    read.state <== table[0];
    read.open <== table[1];
    read.tree <== table[2];
    read.place <== table[3];
    read.groupActive <== tableActive;
    read.records <== records;
    read.visits <== visits;
    read.gamma <== gamma;
    read.eta <== eta;
    read.delta <== delta;
    read.thresholds <== etaInverses[columns];
    modelCommitment <== commitment + last * (read.stateAfter - commitment);

    signal digestsAfter[3];
    digestsAfter[0] <== AbsorbAll(elements, width)(digests[0], paths);
    digestsAfter[1] <== AbsorbAll(rows, width)(digests[1], answers);
    digestsAfter[2] <== AbsorbAll(slots, width)(digests[2], visits);
    signal sumsAfter[5];
    sumsAfter[0] <== sums[0] + after[0];
    sumsAfter[1] <== sums[1] + after[1];
    sumsAfter[2] <== sums[2] + after[2] - read.nodeSum;
    sumsAfter[3] <== sums[3] + after[3] + read.visitSum;
    sumsAfter[4] <== sums[4] + after[4] - read.leafSum;

    chain.first <== first;
    chain.last <== last;
    chain.done <== done;
    chain.n <== n;
    chain.rowsBefore <== rowsBefore;
    chain.part <== part;
    chain.active <== active;
    chain.groupActive <== groupActive;
    chain.features <== features;
    for (var i = 0; i < rows; i++) {
        chain.predictions[i] <== row[i].prediction;
    }
    chain.featuresSalt <== featuresSalt;
    chain.predictionsSalt <== predictionsSalt;
    chain.featuresBefore <== featuresBefore;
    chain.predictionsBefore <== predictionsBefore;
    chain.pendingBefore <== pendingBefore;
    chain.stateInSalt <== stateInSalt;
    chain.stateOutSalt <== stateOutSalt;
    chain.extraBefore[0] <== bias;
    chain.extraAfter[0] <== bias;
    for (var k = 0; k < 5; k++) {
        chain.extraBefore[1 + k] <== challenges[k];
        chain.extraAfter[1 + k] <== challenges[k];
        chain.extraBefore[6 + k] <== sums[k];
        chain.extraAfter[6 + k] <== sumsAfter[k];
    }
    for (var k = 0; k < 3; k++) {
        chain.extraBefore[11 + k] <== digests[k];
        chain.extraAfter[11 + k] <== digestsAfter[k];
    }
    for (var k = 0; k < 4; k++) {
        chain.extraBefore[14 + k] <== table[k];
    }
    chain.extraAfter[14] <== read.stateAfter;
    chain.extraAfter[15] <== read.openAfter;
    chain.extraAfter[16] <== read.treeAfter;
    chain.extraAfter[17] <== read.placeAfter;

    component check = ForestChallenges(columns, width);
    check.last <== last;
    check.featuresState <== chain.featuresState;
    check.commitment <== modelCommitment;
    check.challenges <== challenges;
    check.digests <== digestsAfter;
    check.poles <== poles;
    for (var j = 0; j <= columns; j++) {
        check.etaInverses[j] <== etaInverses[j];
    }
    check.sums <== sumsAfter;

    featuresRoot <== chain.featuresRoot;
    predictionsRoot <== chain.predictionsRoot;
    stateIn <== chain.stateIn;
    stateOut <== chain.stateOut;
}

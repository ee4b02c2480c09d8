// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DeltaOne, GateTerms, Guardrail, Score} from "./DeltaOne.sol";
import {DeltaOneAccuracy} from "./DeltaOneAccuracy.sol";
import {ICircuitRegistry, Proof} from "./ICircuitRegistry.sol";
import {Fold, Head, IModelRegistry, Model, Policy, SCALAR_FIELD} from "./IModelRegistry.sol";
import {Contribution, FoldState, IRounds, Round, State, Status, VoidReason, Vote} from "./IRounds.sol";
import {RewardToken} from "./RewardToken.sol";
import {RoundBudgets} from "./RoundBudgets.sol";
import {RoundFees} from "./RoundFees.sol";
import {RoundRecords} from "./RoundRecords.sol";
import {RoundVotes} from "./RoundVotes.sol";

contract Rounds is RoundBudgets, RoundFees, RoundVotes {
    bytes32 private constant TAG_SEED = keccak256("hokusai.seed");
    bytes32 private constant TAG_TRAINING_SET = keccak256("hokusai.trainingSet");
    /// @dev The one metric whose counts this contract can read, for two classes.
    bytes32 private constant ACCURACY = "accuracy";

    mapping(bytes32 modelId => mapping(bytes32 foldId => FoldState)) private _foldStates;
    /// @inheritdoc IRounds
    mapping(bytes32 modelId => mapping(uint256 headCommitment => mapping(bytes32 foldId => uint256))) public
        baselinePredictionsRoot;
    /// @inheritdoc IRounds
    mapping(bytes32 modelId => bytes32) public slot;

    constructor(IModelRegistry modelRegistry_, ICircuitRegistry circuitRegistry_)
        RoundRecords(modelRegistry_, circuitRegistry_)
    {}

    /// @inheritdoc IRounds
    function commit(bytes32 commitment) external returns (bytes32 roundId) {
        roundId = _roundId(commitment);
        Round storage r = _rounds[roundId];
        if (r.state != State.NONE) revert RoundsAlreadyCommitted(roundId, commitment);
        r.state = State.COMMITTED;
        r.committedBlock = uint40(block.number);
        emit ContributionCommitted(roundId, msg.sender, commitment);
    }

    /// @inheritdoc IRounds
    function open(Contribution calldata contribution) external payable returns (bytes32 roundId) {
        (, roundId) = commitmentOf(contribution);
        Round storage r = _requireState(roundId, State.COMMITTED);
        if (block.number <= r.committedBlock) revert RoundsOpenedTooEarly(roundId, r.committedBlock, block.number);
        Model memory model = _ownModel(contribution.modelId);
        if (contribution.policyHash != model.policyHash) {
            revert RoundsStalePolicy(roundId, contribution.policyHash, model.policyHash);
        }
        Policy memory policy = modelRegistry.policy(model.policyHash);
        _requireAdmissible(roundId, contribution, policy);
        _takeSlot(contribution.modelId, roundId);
        _reserve(contribution.modelId, policy.maxReward);

        r.state = State.OPEN;
        r.deadline = uint40(block.timestamp + policy.roundDuration);
        r.contributor = contribution.contributor;
        r.payee = contribution.payee;
        r.rows = contribution.rows;
        r.modelId = contribution.modelId;
        r.dataRoot = contribution.dataRoot;
        r.policyHash = contribution.policyHash;
        r.headCommitment = model.head.modelCommitment;
        r.headTrainingSetRoot = model.head.trainingSetRoot;
        r.evaluationFee = policy.evaluationFee;
        r.reward = policy.maxReward;
        r.shares = 1;
        r.shareholders = SETTLER;
        _takeFold(r, model, policy.roundsPerFold);
        _emitOpened(roundId, r, contribution);
    }

    /// @inheritdoc IRounds
    function settle(
        bytes32 roundId,
        Vote calldata vote,
        bytes[] calldata signatures,
        Proof calldata proof,
        uint256 countsPacked,
        uint256 attestationHash
    ) external {
        if (vote.status != Status.SCORED) revert RoundsWrongStatus(roundId, vote.status);
        Round storage r = _requireBeforeDeadline(roundId);
        _requireFreshHead(roundId, r);
        Policy memory policy = modelRegistry.policy(r.policyHash);
        _close(roundId, r, policy, vote, signatures, State.SETTLED);
        _requireFieldElement(vote.candidateCommitment);
        bytes32 expected = _nextTrainingSetRoot(r);
        if (vote.trainingSetRoot != expected) {
            revert RoundsTrainingSetMismatch(roundId, expected, vote.trainingSetRoot);
        }
        uint256[] memory signals = _publicSignals(roundId, r, policy, vote, msg.sender, countsPacked, attestationHash);
        if (!circuitRegistry.verify(policy.circuitId, proof, signals)) {
            revert RoundsInvalidProof(roundId, policy.circuitId, signals[5]);
        }
        _score(roundId, r, policy, countsPacked);
        _foldStates[r.modelId][r.foldId].accepted = true;
        r.finalisableAt = uint40(block.timestamp + policy.delay);
        r.candidateCommitment = vote.candidateCommitment;
        _emitSettled(roundId, r, attestationHash, vote.metricsHash);
    }

    /// @inheritdoc IRounds
    function reject(bytes32 roundId, Vote calldata vote, bytes[] calldata signatures) external {
        if (vote.status == Status.SCORED) revert RoundsWrongStatus(roundId, vote.status);
        Round storage r = _requireBeforeDeadline(roundId);
        _close(roundId, r, modelRegistry.policy(r.policyHash), vote, signatures, State.REJECTED);
        r.status = vote.status;
        _giveBack(r);
        emit RoundRejected(roundId, r.modelId, r.contributor, vote.status);
    }

    /// @inheritdoc IRounds
    function expire(bytes32 roundId) external {
        Round storage r = _requireState(roundId, State.OPEN);
        if (block.timestamp <= r.deadline) revert RoundsDeadlineNotPassed(roundId, r.deadline, block.timestamp);
        r.state = State.VOIDED;
        _giveBack(r);
        emit RoundVoided(roundId, r.modelId, r.contributor, VoidReason.TIMED_OUT);
    }

    /// @inheritdoc IRounds
    function finalise(bytes32 roundId) external {
        Round storage r = _requireState(roundId, State.SETTLED);
        if (block.timestamp < r.finalisableAt) revert RoundsDelayNotPassed(roundId, r.finalisableAt, block.timestamp);
        r.state = State.FINALISED;
        slot[r.modelId] = 0;
        modelRegistry.advanceHead(r.modelId, roundId, Head(r.candidateCommitment, _nextTrainingSetRoot(r)));
    }

    /// @inheritdoc IRounds
    function claim(bytes32 roundId) external {
        Round storage r = _requireState(roundId, State.FINALISED);
        if (msg.sender != r.payee) revert RoundsNotPayee(roundId, r.payee, msg.sender);
        r.state = State.CLAIMED;
        emit RewardClaimed(roundId, r.modelId, msg.sender, r.reward);
        RewardToken(modelRegistry.model(r.modelId).rewardToken).mint(msg.sender, r.reward);
    }

    /// @inheritdoc IRounds
    function foldState(bytes32 modelId, bytes32 foldId) external view returns (FoldState memory) {
        return _foldStates[modelId][foldId];
    }

    function _requireAdmissible(bytes32 roundId, Contribution calldata contribution, Policy memory policy)
        private
        view
    {
        if (msg.sender != contribution.contributor) {
            revert RoundsNotContributor(roundId, contribution.contributor, msg.sender);
        }
        if (contribution.payee == address(0)) revert RoundsZeroPayee(roundId);
        if (msg.value != policy.evaluationFee) revert RoundsWrongFee(roundId, policy.evaluationFee, msg.value);
        if (contribution.rows < policy.minContributionRows) {
            revert RoundsTooFewRows(roundId, policy.minContributionRows, contribution.rows);
        }
        for (uint256 i = 0; i < policy.validators.length; i++) {
            address validator = policy.validators[i];
            if (validator == contribution.contributor || validator == contribution.payee) {
                revert RoundsInterestedValidator(roundId, validator);
            }
        }
    }

    function _takeSlot(bytes32 modelId, bytes32 roundId) private {
        if (slot[modelId] != 0) revert RoundsSlotTaken(modelId, slot[modelId]);
        slot[modelId] = roundId;
    }

    /// @dev The first fold of the benchmark that is not spent.
    function _takeFold(Round storage r, Model memory model, uint256 roundsPerFold) private {
        bytes32[] memory foldIds = modelRegistry.foldIds(r.modelId);
        for (uint256 i = 0; i < foldIds.length; i++) {
            FoldState storage state = _foldStates[r.modelId][foldIds[i]];
            if (state.accepted || state.rounds >= roundsPerFold) continue;
            state.rounds++;
            Fold memory fold = modelRegistry.fold(foldIds[i]);
            if (fold.metric != ACCURACY || fold.classes != 2) {
                revert RoundsUnsupportedMetric(fold.metric, fold.classes);
            }
            r.foldId = foldIds[i];
            r.labelsRoot = fold.labelsRoot;
            r.n = fold.n;
            return;
        }
        revert RoundsFoldsSpent(r.modelId, model.benchmarkId);
    }

    /// @dev The pinned head's training set with the contribution.
    function _nextTrainingSetRoot(Round storage r) private view returns (bytes32) {
        return keccak256(abi.encode(TAG_TRAINING_SET, r.headTrainingSetRoot, r.dataRoot));
    }

    /// @dev What `settle` and `reject` share: the quorum, who is paid for it, and what the head predicts.
    function _close(
        bytes32 roundId,
        Round storage r,
        Policy memory policy,
        Vote calldata vote,
        bytes[] calldata signatures,
        State state
    ) private {
        r.shareholders = SETTLER | _requireQuorum(roundId, policy, vote, signatures);
        r.shares = uint16(signatures.length + 1);
        r.settler = msg.sender;
        r.state = state;
        if (vote.status != Status.SCORED && vote.status != Status.BELOW_GATE) return;

        uint256 actual = vote.baselinePredictionsRoot;
        _requireFieldElement(actual);
        uint256 expected = baselinePredictionsRoot[r.modelId][r.headCommitment][r.foldId];
        if (expected == 0) baselinePredictionsRoot[r.modelId][r.headCommitment][r.foldId] = actual;
        else if (actual != expected) revert RoundsBaselineMismatch(roundId, expected, actual);
    }

    /// @dev Computes, gates and records the score; what it does not pay goes back to the budget.
    function _score(bytes32 roundId, Round storage r, Policy memory policy, uint256 countsPacked) private {
        (uint256 n, uint256 b, uint256 c) = DeltaOneAccuracy.unpack(countsPacked);
        if (n != r.n) revert RoundsWrongRows(roundId, r.n, n);
        uint256[] memory counts = new uint256[](1);
        counts[0] = countsPacked;
        Score memory s = DeltaOne.score(ACCURACY, 2, counts, _gateTerms(policy));
        if (s.failed != 0) revert RoundsBelowGate(roundId, n, b, c, s.payableBps);
        uint256 reward = DeltaOne.reward(
            policy.payPoint ? s.deltaOneBps : s.payableBps, policy.tokensPerDeltaOne, policy.maxReward
        );
        _release(r.modelId, policy.maxReward - reward);
        r.reward = uint128(reward);
        r.deltaOneBps = int16(s.deltaOneBps);
        r.payableBps = int16(s.payableBps);
    }

    function _gateTerms(Policy memory policy) private pure returns (GateTerms memory) {
        return GateTerms({
            alpha30: policy.alpha30,
            zMicro: policy.zMicro,
            minDeltaBps: policy.minDeltaBps,
            minRows: policy.minRows,
            minPositives: 0,
            guardrails: new Guardrail[](0)
        });
    }

    function _giveBack(Round storage r) private {
        slot[r.modelId] = 0;
        _release(r.modelId, r.reward);
        r.reward = 0;
    }

    function _requireBeforeDeadline(bytes32 roundId) private view returns (Round storage r) {
        r = _requireState(roundId, State.OPEN);
        if (block.timestamp > r.deadline) revert RoundsDeadlinePassed(roundId, r.deadline, block.timestamp);
    }

    function _requireFreshHead(bytes32 roundId, Round storage r) private view {
        Head memory head = modelRegistry.head(r.modelId);
        if (head.modelCommitment != r.headCommitment) {
            revert RoundsStaleHead(roundId, r.headCommitment, head.modelCommitment);
        }
        if (head.trainingSetRoot != r.headTrainingSetRoot) {
            revert RoundsStaleTrainingSet(roundId, r.headTrainingSetRoot, head.trainingSetRoot);
        }
    }

    function _requireFieldElement(uint256 value) private pure {
        if (value == 0 || value >= SCALAR_FIELD) revert RoundsNotFieldElement(value);
    }

    function _emitOpened(bytes32 roundId, Round storage r, Contribution calldata contribution) private {
        emit RoundOpened(
            roundId,
            r.modelId,
            r.contributor,
            r.payee,
            r.dataRoot,
            r.rows,
            contribution.ciphertextHash,
            r.policyHash,
            contribution.salt,
            r.foldId,
            r.headCommitment,
            r.headTrainingSetRoot,
            keccak256(abi.encode(TAG_SEED, r.dataRoot, blockhash(block.number - 1))),
            r.deadline
        );
    }

    function _emitSettled(bytes32 roundId, Round storage r, uint256 attestationHash, bytes32 metricsHash) private {
        emit AttestationSettled(
            roundId,
            r.modelId,
            r.contributor,
            attestationHash,
            r.deltaOneBps,
            r.payableBps,
            r.reward,
            r.n,
            metricsHash
        );
    }
}

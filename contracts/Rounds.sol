// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {DeltaOne, Score} from "./DeltaOne.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Proof} from "./ICircuitRegistry.sol";
import {Fold, Head, Model, Policy, SCALAR_FIELD} from "./IModelRegistry.sol";
import {Contribution, IRounds, Round, State, Status, VoidReason, Vote} from "./IRounds.sol";
import {RoundFrauds} from "./RoundFrauds.sol";
import {Parts, RoundRecords} from "./RoundRecords.sol";
import {RoundClock} from "./RoundClock.sol";

contract Rounds is RoundFrauds, ERC165 {
    bytes32 private constant TAG_SEED = keccak256("hokusai.seed");
    bytes32 private constant TAG_FOLD_DRAW = keccak256("hokusai.foldDraw");
    bytes32 private constant TAG_COMMITTEE = keccak256("hokusai.committee");
    bytes32 private constant TAG_TRAINING_SET = keccak256("hokusai.trainingSet");

    /// @inheritdoc IRounds
    mapping(bytes32 modelId => mapping(uint256 headCommitment => mapping(bytes32 foldId => uint256))) public
        baselinePredictionsRoot;

    constructor(Parts memory parts, address accessManager) RoundRecords(parts) RoundClock(accessManager) {}

    /// @inheritdoc IRounds
    function open(Contribution calldata contribution, bytes calldata signature)
        external
        whileRunning
        returns (bytes32 roundId)
    {
        (, roundId) = commitmentOf(contribution);
        Round storage r = _requireState(roundId, State.COMMITTED);
        if (block.number <= r.anchorBlock) revert RoundsOpenedTooEarly(roundId, r.anchorBlock, block.number);
        _requireSameTerms(contribution, r);
        _requireContributor(roundId, contribution, signature);
        Policy memory policy = _policyOf(r);
        if (contribution.payeesRoot == 0) revert RoundsNoPayees(roundId);
        if (contribution.rows < policy.minContributionRows) {
            revert RoundsTooFewRows(roundId, policy.minContributionRows, contribution.rows);
        }
        if (_unspentFolds(r, policy.roundsPerFold).length == 0) revert RoundsFoldsSpent(r.modelId, r.benchmarkId);
        _takeSlot(roundId, r);

        Model memory model = modelRegistry.model(r.modelId);
        r.state = State.OPEN;
        r.anchorBlock = uint40(block.number);
        r.deadline = clock() + policy.openDuration;
        r.contributor = contribution.contributor;
        r.payeesRoot = contribution.payeesRoot;
        r.dataRoot = contribution.dataRoot;
        r.rows = contribution.rows;
        r.parentRound = model.headRound;
        r.headCommitment = model.head.modelCommitment;
        r.headTrainingSetRoot = model.head.trainingSetRoot;
        rewards.reserve(r.modelId, roundId, policy.maxReward, policy.epochReward, policy.epochDuration);
        _emitOpened(roundId, r, contribution);
    }

    /// @inheritdoc IRounds
    function draw(bytes32 roundId) external {
        Round storage r = _requireState(roundId, State.OPEN);
        _requireBy(roundId, r.deadline);
        uint256 drawnBy = r.anchorBlock + 2;
        if (block.number <= drawnBy) revert RoundsDrawnTooEarly(roundId, drawnBy, block.number);
        bytes32 randomness = blockhash(drawnBy);
        if (randomness == 0) {
            r.anchorBlock = uint40(block.number);
            emit DrawPostponed(roundId, block.number);
            return;
        }
        bytes32 seed = keccak256(abi.encode(TAG_SEED, r.dataRoot, randomness));
        Policy memory policy = _policyOf(r);
        r.state = State.VOTING;
        r.voteDeadline = clock() + policy.voteDuration;
        r.revealDeadline = r.voteDeadline + policy.revealDuration;
        r.deadline = r.revealDeadline + policy.settleDuration;
        _drawFold(r, policy, seed);
        _drawCommittee(roundId, r, policy, seed);
        emit RoundDrawn(
            roundId,
            r.modelId,
            r.foldId,
            seed,
            validatorRegistry.members(r.committee),
            r.voteDeadline,
            r.revealDeadline,
            r.deadline
        );
    }

    /// @inheritdoc IRounds
    function settle(
        bytes32 roundId,
        Vote calldata vote,
        Proof calldata proof,
        uint256[] calldata counts,
        uint256 attestationHash
    ) external whileRunning {
        if (vote.status > Status.BELOW_GATE) revert RoundsWrongStatus(roundId, vote.status);
        Round storage r = _requireState(roundId, State.VOTING);
        _requireBy(roundId, r.deadline);
        _requireFreshHead(roundId, r);
        Policy memory policy = _policyOf(r);
        Fold memory fold = _foldOf(r);
        _close(roundId, r, policy, vote, State.SETTLED);
        _requireFieldElement(vote.candidateCommitment);
        bytes32 expected = _nextTrainingSetRoot(r);
        if (vote.trainingSetRoot != expected) {
            revert RoundsTrainingSetMismatch(roundId, expected, vote.trainingSetRoot);
        }
        uint256 context = _contextHash(roundId, r, policy, vote.candidateCommitment, msg.sender);
        uint256[] memory signals = _publicSignals(fold.labelsRoot, vote, counts, attestationHash, context);
        if (!circuitRegistry.verify(policy.circuitId, proof, signals)) {
            revert RoundsInvalidProof(roundId, policy.circuitId, context);
        }
        _requireInferred(r, policy, vote);
        uint256 reward = _score(roundId, r, policy, fold, counts);
        _foldStates[r.modelId][r.foldId].accepted = true;
        r.finalisableAt = clock() + policy.delay;
        r.candidateCommitment = vote.candidateCommitment;
        emit AttestationSettled(
            roundId,
            r.modelId,
            r.contributor,
            attestationHash,
            r.deltaOneBps,
            r.payableBps,
            reward,
            fold.n,
            vote.metricsHash
        );
    }

    /// @inheritdoc IRounds
    function reject(bytes32 roundId, Vote calldata vote) external {
        if (vote.status == Status.SCORED) revert RoundsWrongStatus(roundId, vote.status);
        Round storage r = _requireState(roundId, State.VOTING);
        Policy memory policy = _policyOf(r);
        _requireBy(roundId, r.deadline + policy.settleDuration);
        if (vote.status == Status.BELOW_GATE) _requireAfter(roundId, r.deadline);
        _close(roundId, r, policy, vote, State.REJECTED);
        r.status = vote.status;
        bool defaulted = vote.status == Status.UNAVAILABLE || vote.status == Status.ROOT_MISMATCH;
        r.refund = defaulted ? 0 : r.bond;
        _giveBack(roundId, r);
        emit RoundRejected(roundId, r.modelId, r.contributor, vote.status);
        if (defaulted) _forfeit(roundId, r.bond, address(0));
    }

    /// @inheritdoc IRounds
    function expire(bytes32 roundId) external {
        Round storage r = _rounds[roundId];
        if (r.state == State.COMMITTED) {
            _forfeit(roundId, _expireTurn(roundId, r), address(0));
            return;
        }
        if (r.state == State.OPEN) {
            _requireAfter(roundId, r.deadline);
            _void(roundId, r, VoidReason.NOT_DRAWN, r.bond + r.evaluationFee);
        } else {
            _requireState(roundId, State.VOTING);
            _requireAfter(roundId, r.deadline + _policyOf(r).settleDuration);
            _void(roundId, r, VoidReason.TIMED_OUT, r.bond + r.evaluationFee);
        }
        _giveBack(roundId, r);
    }

    /// @inheritdoc IRounds
    function finalise(bytes32 roundId) external whileRunning {
        Round storage r = _requireState(roundId, State.SETTLED);
        if (clock() < r.finalisableAt) revert RoundsDelayNotPassed(roundId, r.finalisableAt, clock());
        r.state = State.FINALISED;
        r.refund = r.bond;
        _freeSlot(r.modelId);
        modelRegistry.advanceHead(r.modelId, roundId, Head(r.candidateCommitment, _nextTrainingSetRoot(r)));
        rewards.award(r.modelId, roundId, r.payeesRoot, _policyOf(r).vestingDuration);
    }

    /// @inheritdoc ERC165
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IRounds).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev What was committed is bound to what was current when it was.
    function _requireSameTerms(Contribution calldata contribution, Round storage r) private view {
        if (contribution.modelId != r.modelId) revert RoundsForeignModel(contribution.modelId, address(this));
        _requireCurrent(contribution.policyHash, r.policyHash, contribution.benchmarkId, r.benchmarkId);
    }

    function _requireContributor(bytes32 roundId, Contribution calldata contribution, bytes calldata signature)
        private
        view
    {
        address contributor = contribution.contributor;
        if (msg.sender == contributor) return;
        if (!SignatureChecker.isValidSignatureNowCalldata(contributor, contributionDigest(contribution), signature)) {
            revert RoundsNotContributor(roundId, contributor, msg.sender);
        }
    }

    /// @dev At most 64 folds of 2^256 hashes: the remainder favours none by more than 2^-250. What a proposer can do to the
    /// seed is said at `draw`.
    function _drawFold(Round storage r, Policy memory policy, bytes32 seed) private {
        bytes32[] memory unspent = _unspentFolds(r, policy.roundsPerFold);
        // slither-disable-next-line weak-prng
        r.foldId = unspent[uint256(keccak256(abi.encode(TAG_FOLD_DRAW, seed))) % unspent.length];
        _foldStates[r.modelId][r.foldId].rounds++;
    }

    function _drawCommittee(bytes32 roundId, Round storage r, Policy memory policy, bytes32 seed) private {
        uint256 committee = policy.committeeSize == 0
            ? validatorRegistry.eligible(policy.validators, policy.minStake, r.contributor)
            : validatorRegistry.draw(
                keccak256(abi.encode(TAG_COMMITTEE, seed)),
                policy.committeeSize,
                policy.minStake,
                r.contributor,
                r.anchorBlock + 1
            );
        uint8 seats = 0;
        while (seats < 16 && (committee >> (16 * seats)) & 0xffff != 0) seats++;
        if (seats < policy.threshold) revert RoundsTooFewValidators(roundId, policy.threshold, seats);
        r.committee = committee;
        r.seats = seats;
    }

    /// @dev The pinned head's training set with the contribution.
    function _nextTrainingSetRoot(Round storage r) private view returns (bytes32) {
        return keccak256(abi.encode(TAG_TRAINING_SET, r.headTrainingSetRoot, r.dataRoot));
    }

    /// @dev What `settle` and `reject` share: the quorum, who is paid for it, and what the head predicts.
    function _close(bytes32 roundId, Round storage r, Policy memory policy, Vote calldata vote, State state) private {
        r.shareholders = _requireQuorum(roundId, r, policy.threshold, vote);
        r.settler = msg.sender;
        r.state = state;
        if (vote.status > Status.BELOW_GATE) return;

        uint256 actual = vote.baselinePredictionsRoot;
        _requireFieldElement(actual);
        uint256 expected = baselinePredictionsRoot[r.modelId][r.headCommitment][r.foldId];
        if (expected == 0) baselinePredictionsRoot[r.modelId][r.headCommitment][r.foldId] = actual;
        else if (actual != expected) revert RoundsBaselineMismatch(roundId, expected, actual);
    }

    /// @dev Computes, gates and records the score; what it does not pay goes back to the budget.
    function _score(
        bytes32 roundId,
        Round storage r,
        Policy memory policy,
        Fold memory fold,
        uint256[] calldata counts
    ) private returns (uint256 reward) {
        Score memory score = DeltaOne.score(fold.metric, fold.classes, counts, policy.gate);
        if (score.n != fold.n) revert RoundsWrongRows(roundId, fold.n, score.n);
        if (score.failed != 0) {
            revert RoundsBelowGate(roundId, score.deltaOneBps, score.payableBps, score.failed);
        }
        int256 paid = policy.payPoint ? score.deltaOneBps : score.payableBps;
        reward = DeltaOne.reward(paid, policy.tokensPerDeltaOne, policy.maxReward);
        rewards.keep(r.modelId, roundId, uint128(reward));
        r.deltaOneBps = int16(score.deltaOneBps);
        r.payableBps = int16(score.payableBps);
    }

    /// @dev At assurance level 2 the predictions that are scored are those of the two models.
    function _requireInferred(Round storage r, Policy memory policy, Vote calldata vote) private view {
        if (policy.inferenceCircuitId == 0) return;
        inferenceRegistry.requireProven(
            policy.inferenceCircuitId,
            r.foldId,
            r.headCommitment,
            vote.baselinePredictionsRoot,
            vote.candidateCommitment,
            vote.candidatePredictionsRoot
        );
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
            r.payeesRoot,
            r.dataRoot,
            r.rows,
            contribution.ciphertextHash,
            contribution.salt,
            r.headCommitment,
            r.headTrainingSetRoot,
            r.anchorBlock
        );
    }
}

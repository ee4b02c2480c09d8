// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitRegistry, Proof} from "./ICircuitRegistry.sol";
import {IInferenceRegistry} from "./IInferenceRegistry.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {IRewards, IRoundVoters} from "./IRewards.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @notice What a validator found. SCORED settles with a proof; every other one rejects without.
/// SCORED          trained and evaluated, and the score passes the policy's gate
/// BELOW_GATE      trained and evaluated, and it does not
/// UNAVAILABLE     the ciphertext could not be had, hashed otherwise than committed, or did not decrypt
/// ROOT_MISMATCH   the data does not hash to the dataRoot, or the row count differs
/// OVERLAP         rows of the benchmark are in the contribution
/// SCHEMA          the data does not fit the model's schema
/// PII             personal data that was neither removed nor keyed-hashed
/// TOO_FEW_ROWS    too few rows are left that are not already in the head's training set
/// TRAINING_FAILED the registered training did not end in a model
enum Status {
    SCORED,
    BELOW_GATE,
    UNAVAILABLE,
    ROOT_MISMATCH,
    OVERLAP,
    SCHEMA,
    PII,
    TOO_FEW_ROWS,
    TRAINING_FAILED
}

/// @notice NONE, COMMITTED, OPEN, VOTING, SETTLED; and for good FINALISED, or REJECTED, or VOIDED.
enum State {
    NONE,
    COMMITTED,
    OPEN,
    VOTING,
    SETTLED,
    FINALISED,
    REJECTED,
    VOIDED
}

/// @notice Why a round was voided.
/// CANCELLED   its sponsor took it out of the queue before its turn, or because it could not be opened
/// MISSED_TURN it was not opened in its turn, and could be when the turn was ended
/// NOT_OPENED  its turn passed, and budget, epoch or folds do not allow it to be opened
/// NOT_DRAWN   nobody drew its fold and committee in time, or too few validators were there to draw
/// TIMED_OUT   neither settled nor rejected in time
/// OVERLAP     a row was shown to be in the contribution and in the benchmark
/// DOUBLE_VOTE validators without whom there was no quorum were shown to have signed two votes
/// VETOED      by the model's owner
enum VoidReason {
    CANCELLED,
    MISSED_TURN,
    NOT_OPENED,
    NOT_DRAWN,
    TIMED_OUT,
    OVERLAP,
    DOUBLE_VOTE,
    VETOED
}

/// @notice What a commitment commits to, and `open` reveals.
/// @param payeesRoot who claims the reward, as IRewards says
/// @param dataRoot keccak256(abi.encode(TAG_DATA, rowsRoot, featuresRoot, rows)): two Merkle trees over the salted
/// digests of the rows, whole and without their labels
/// @param rows leaves of the first
/// @param ciphertextHash of the one file that validators are given
/// @param policyHash the promise under which the data is given
/// @param benchmarkId what it is measured on
/// @param salt hides the rest until `open`
struct Contribution {
    bytes32 modelId;
    address contributor;
    bytes32 payeesRoot;
    bytes32 dataRoot;
    uint32 rows;
    bytes32 ciphertextHash;
    bytes32 policyHash;
    bytes32 benchmarkId;
    bytes32 salt;
}

/// @notice What validators find. They agree when all of it is equal; what a status has no value for is zero, so that
/// votes of the same finding are equal.
/// @param baselinePredictionsRoot predictions of the pinned head on the drawn fold (SCORED and BELOW_GATE)
/// @param candidateCommitment the newly trained model, below SCALAR_FIELD
/// @param trainingSetRoot of the candidate: keccak256(abi.encode(TAG_TRAINING_SET, head trainingSetRoot, dataRoot)); the
/// head's, once final
/// @param metricsHash of the deterministic part of the report
struct Vote {
    Status status;
    uint256 baselinePredictionsRoot;
    uint256 candidateCommitment;
    uint256 candidatePredictionsRoot;
    bytes32 trainingSetRoot;
    bytes32 metricsHash;
}

/// @notice A row that is in a contribution and in a benchmark: its digest without the label, opened under both.
/// @param rowsRoot with featuresRoot, what the dataRoot is made of
/// @param contributionSalt of the digest under featuresRoot
/// @param benchmarkSalt of the digest under the fold's rowsRoot
struct Overlap {
    bytes32 rowsRoot;
    bytes32 featuresRoot;
    bytes32 digest;
    bytes32 contributionSalt;
    bytes32[] contributionProof;
    bytes32 benchmarkSalt;
    bytes32[] benchmarkProof;
}

/// @notice All that is kept of a round. Times are by `clock`. What is written together is in one slot.
/// @param status SCORED unless the round was rejected
/// @param committed bit i: seat i has committed a vote
/// @param revealed bit i: seat i has revealed it
/// @param seats of the committee
/// @param anchorBlock of the commit; from `open` the block whose second successor draws
/// @param voteDeadline of the votes' commits
/// @param revealDeadline of their reveals
/// @param deadline of an OPEN round, to be drawn; of a VOTING one, to settle
/// @param sponsor who paid fee and bond, and gets back what is refunded
/// @param refund what the sponsor can withdraw
/// @param shareholders bit i: seat i voted for what the round ended with
/// @param parentRound the round that made the head; zero for the model's first
struct Round {
    State state;
    Status status;
    uint16 committed;
    uint16 revealed;
    uint8 seats;
    uint40 anchorBlock;
    uint40 voteDeadline;
    uint40 revealDeadline;
    uint40 deadline;
    int16 deltaOneBps;
    int16 payableBps;
    address contributor;
    uint32 rows;
    address sponsor;
    uint96 evaluationFee;
    address settler;
    uint40 committedAt;
    uint40 finalisableAt;
    uint16 shareholders;
    uint96 bond;
    uint96 refund;
    bytes32 modelId;
    bytes32 policyHash;
    bytes32 benchmarkId;
    bytes32 payeesRoot;
    bytes32 dataRoot;
    bytes32 foldId;
    bytes32 parentRound;
    uint256 headCommitment;
    bytes32 headTrainingSetRoot;
    uint256 committee;
    uint256 candidateCommitment;
}

/// @param rounds drawn on it, whatever became of them
/// @param accepted one settlement was accepted on it
struct FoldState {
    uint32 rounds;
    bool accepted;
}

/// @title The life of a contribution: commit, open, draw, vote, settle or reject or expire, finalise
/// @notice A model has one slot and a queue. `commit` queues; the first of the queue has its turn when the slot is
/// free, and `open` takes the slot; `reject`, `expire`, a void and `finalise` give it back. A settled round keeps it
/// through its delay, as the next round needs the new head.
///
/// Nobody has power over a round but by the policy under which it was committed. Fold, committee and seed are drawn
/// from the hash of a block that is mined after `open`. Validators commit their votes before anyone sees one, and
/// votes carry no counts: those come from the proof.
///
/// Validators whose vote the round ended with, and who ended it, are paid from the fee, whatever they found. A
/// time-out pays nobody: the fee goes back. The bond goes back too, except from a turn that was missed, a contribution
/// that validators could not have or that is not what was committed to, and a proven overlap: then it is burnt, so
/// that nobody gains by a contributor's default, but for the half that a proof of overlap earns.
///
/// A pause stops `commit`, `open`, `settle`, `finalise` and the clock by which all deadlines are measured. It ends by
/// itself and stops no refund, no fee and no claim.
interface IRounds is IRoundVoters {
    error RoundsAlreadyCommitted(bytes32 roundId, bytes32 commitment);
    error RoundsWrongState(bytes32 roundId, State expected, State actual);
    error RoundsOpenedTooEarly(bytes32 roundId, uint256 committedBlock, uint256 currentBlock);
    error RoundsDrawnTooEarly(bytes32 roundId, uint256 drawnBy, uint256 currentBlock);
    error RoundsNotSponsor(bytes32 roundId, address sponsor, address caller);
    /// @notice neither the contributor nor somebody with the contributor's signature
    error RoundsNotContributor(bytes32 roundId, address contributor, address caller);
    error RoundsNoPayees(bytes32 roundId);
    error RoundsForeignModel(bytes32 modelId, address rounds);
    error RoundsStalePolicy(bytes32 expected, bytes32 actual);
    error RoundsStaleBenchmark(bytes32 expected, bytes32 actual);
    error RoundsTooFewRows(bytes32 roundId, uint256 minContributionRows, uint256 rows);
    error RoundsWrongDeposit(uint256 expected, uint256 actual);
    error RoundsNotInTurn(bytes32 roundId, bytes32 turn);
    error RoundsInTurn(bytes32 roundId);
    error RoundsFoldsSpent(bytes32 modelId, bytes32 benchmarkId);
    error RoundsTooFewValidators(bytes32 roundId, uint256 threshold, uint256 seats);
    error RoundsDeadlinePassed(bytes32 roundId, uint256 deadline, uint256 time);
    error RoundsDeadlineNotPassed(bytes32 roundId, uint256 deadline, uint256 time);
    error RoundsDelayNotPassed(bytes32 roundId, uint256 finalisableAt, uint256 time);
    error RoundsDelayPassed(bytes32 roundId, uint256 finalisableAt, uint256 time);
    error RoundsNotValidator(bytes32 roundId, address account);
    error RoundsAlreadyVoted(bytes32 roundId, address validator);
    error RoundsNoVote(bytes32 roundId, address validator);
    error RoundsVoteMismatch(bytes32 roundId, address validator, bytes32 expected, bytes32 actual);
    /// @notice votes are still being committed: nobody reveals before all have, or the time is over
    error RoundsVoteStillOpen(bytes32 roundId, uint256 voteDeadline, uint256 time);
    /// @notice votes are still being revealed
    error RoundsRevealStillOpen(bytes32 roundId, uint256 revealDeadline, uint256 time);
    error RoundsNoQuorum(bytes32 roundId, uint256 threshold, uint256 votes);
    error RoundsWrongStatus(bytes32 roundId, Status status);
    error RoundsNotFieldElement(uint256 value);
    error RoundsStaleHead(bytes32 roundId, uint256 expected, uint256 actual);
    error RoundsStaleTrainingSet(bytes32 roundId, bytes32 expected, bytes32 actual);
    /// @notice the vote's root is not that of the head's set with the contribution
    error RoundsTrainingSetMismatch(bytes32 roundId, bytes32 expected, bytes32 actual);
    error RoundsBaselineMismatch(bytes32 roundId, uint256 expected, uint256 actual);
    error RoundsInvalidProof(bytes32 roundId, bytes32 circuitId, uint256 contextHash);
    error RoundsWrongRows(bytes32 roundId, uint256 expected, uint256 actual);
    /// @param failed the part of the gate that failed, as DeltaOne names it
    error RoundsBelowGate(bytes32 roundId, int256 deltaOneBps, int256 payableBps, bytes32 failed);
    error RoundsNotModelOwner(bytes32 modelId, address owner, address caller);
    error RoundsDataRootMismatch(bytes32 roundId, bytes32 expected, bytes32 actual);
    error RoundsNoOverlap(bytes32 roundId, bytes32 digest);
    /// @notice the same vote twice, or signatures of two keys
    error RoundsNoDoubleVote(bytes32 roundId);
    error RoundsNothingToWithdraw(bytes32 roundId, address account);
    error RoundsTransferFailed(address account, uint256 amount);
    error RoundsPaused(uint256 until);
    error RoundsNotPaused();
    error RoundsPausedTooSoon(uint256 notBefore, uint256 time);

    event ContributionCommitted(
        bytes32 indexed roundId,
        bytes32 indexed modelId,
        address indexed sponsor,
        bytes32 commitment,
        bytes32 policyHash,
        bytes32 benchmarkId
    );
    event RoundOpened(
        bytes32 indexed roundId,
        bytes32 indexed modelId,
        address indexed contributor,
        bytes32 payeesRoot,
        bytes32 dataRoot,
        uint32 rows,
        bytes32 ciphertextHash,
        bytes32 salt,
        uint256 headCommitment,
        bytes32 headTrainingSetRoot,
        uint256 anchorBlock
    );
    /// @notice The hash of the block that was to draw is no longer known; another block will.
    event DrawPostponed(bytes32 indexed roundId, uint256 anchorBlock);
    event RoundDrawn(
        bytes32 indexed roundId,
        bytes32 indexed modelId,
        bytes32 indexed foldId,
        bytes32 seed,
        address[] committee,
        uint256 voteDeadline,
        uint256 revealDeadline,
        uint256 deadline
    );
    event VoteCommitted(bytes32 indexed roundId, address indexed validator, bytes32 voteHash);
    event VoteRevealed(bytes32 indexed roundId, address indexed validator, Status indexed status, Vote vote);
    event AttestationSettled(
        bytes32 indexed roundId,
        bytes32 indexed modelId,
        address indexed contributor,
        uint256 attestationHash,
        int256 deltaOneBps,
        int256 payableBps,
        uint256 reward,
        uint256 n,
        bytes32 metricsHash
    );
    event RoundRejected(
        bytes32 indexed roundId, bytes32 indexed modelId, address indexed contributor, Status reason
    );
    event RoundVoided(
        bytes32 indexed roundId, bytes32 indexed modelId, address indexed sponsor, VoidReason reason
    );
    event BondForfeited(bytes32 indexed roundId, uint256 burnt, address indexed reporter, uint256 reported);
    event Withdrawn(bytes32 indexed roundId, address indexed account, uint256 amount);
    event Paused(uint256 until);
    event Unpaused();

    /// @notice Queues a contribution of which nothing is shown, under the model's present policy and benchmark, and
    /// escrows exactly their bond and evaluationFee. First commit wins. Anybody may bring and pay for it: only the
    /// contributor inside can open it.
    function commit(bytes32 modelId, bytes32 policyHash, bytes32 benchmarkId, bytes32 commitment)
        external
        payable
        returns (bytes32 roundId);

    /// @notice Takes a contribution out of the queue, with all that was paid, before its turn, or while it cannot be
    /// opened. By its sponsor, who does well to do so before its turn is over: one that waits longer, for the next epoch
    /// or a budget, can be ended as missed as soon as it could be opened.
    function cancel(bytes32 roundId) external;

    /// @notice Moves the queue over at most `max` entries that were cancelled. `open` and `expire` do so by themselves
    /// for up to 32, `cancel` for all.
    function skip(bytes32 modelId, uint256 max) external;

    /// @notice Reveals the contribution in its turn, in a later block than its commit, reserves the maxReward, takes the
    /// model's slot and pins the head. Reverting leaves the contribution in the queue.
    /// @param signature the contributor's over the EIP-712 `Contribution` (of a key or, by ERC-1271, of a contract);
    /// empty where the contributor calls
    function open(Contribution calldata contribution, bytes calldata signature) external returns (bytes32 roundId);

    /// @notice Draws fold, seed and committee from the hash of block anchorBlock + 2. By anybody, in one of the 256
    /// blocks after it; later, another block is chosen, and `draw` is to be called again.
    /// @dev The proposer of that block can pass it over, and so choose between two draws, at the price of its block.
    function draw(bytes32 roundId) external;

    /// @notice A committee member's vote, hidden: voteHash = keccak256(abi.encode(TAG_VOTE, chainid, this, roundId,
    /// voter, vote, salt)). Once.
    function voteCommit(bytes32 roundId, bytes32 voteHash) external;

    /// @notice Shows it, once all have committed or the time to do so is over.
    function voteReveal(bytes32 roundId, Vote calldata vote, bytes32 salt) external;

    /// @notice Pays for a proven gain that a quorum has trained and evaluated, once all votes are shown or the time to
    /// do so is over. The proof is bound to the caller.
    /// @param vote what a quorum revealed: SCORED, or BELOW_GATE, which a passing proof over its roots overrides
    /// @param counts public signals of the circuit between the roots and the context, as DeltaOne reads them
    function settle(
        bytes32 roundId,
        Vote calldata vote,
        Proof calldata proof,
        uint256[] calldata counts,
        uint256 attestationHash
    ) external;

    /// @notice Closes a round without pay on a quorum of any status but SCORED: BELOW_GATE once the time to settle is
    /// over, any other as soon as the votes are shown. The settler's share of the fee is for whoever is first.
    function reject(bytes32 roundId, Vote calldata vote) external;

    /// @notice Ends a phase whose time is over: a turn, the wait for the draw, the vote. By anybody.
    function expire(bytes32 roundId) external;

    /// @notice Advances the head and awards the reward, once the delay is over. By anybody.
    function finalise(bytes32 roundId) external;

    /// @notice Voids a settled round during its delay, by showing that it trained on what it is measured on. The
    /// caller earns half of the bond.
    function proveOverlap(bytes32 roundId, Overlap calldata overlap) external;

    /// @notice Slashes a committee member that signed two different votes. During the delay its vote counts no longer,
    /// and a round that has no quorum without it is void.
    function proveDoubleVote(
        bytes32 roundId,
        Vote calldata first,
        bytes calldata firstSignature,
        Vote calldata second,
        bytes calldata secondSignature
    ) external;

    /// @notice Voids a settled round during its delay. By the model's owner, who pays the evaluationFee, so that the
    /// sponsor is refunded in full and the validators are paid.
    function veto(bytes32 roundId) external payable;

    /// @notice Pays the caller all that an ended round owes him: his refund as its sponsor, one share of the fee for a
    /// vote that the round ended with, one for having ended it, the latter with what the division leaves over.
    function withdraw(bytes32 roundId) external;

    /// @notice Stops commit, open, settle, finalise and the clock, for at most 14 days, and not within 14 days of the
    /// last pause's end. By the role that the AccessManager names.
    function pause() external;

    function unpause() external;

    function modelRegistry() external view returns (IModelRegistry);

    function circuitRegistry() external view returns (ICircuitRegistry);

    function inferenceRegistry() external view returns (IInferenceRegistry);

    function validatorRegistry() external view returns (IValidatorRegistry);

    function rewards() external view returns (IRewards);

    /// @notice seconds since 1970 without those that were paused; all deadlines are by it
    function clock() external view returns (uint40);

    function round(bytes32 roundId) external view returns (Round memory);

    /// @notice the round that holds the model's slot, zero for none
    function slot(bytes32 modelId) external view returns (bytes32 roundId);

    /// @notice The contribution whose turn it is or will be when the slot is free, and when its turn ends (zero while
    /// the slot is taken).
    function turn(bytes32 modelId) external view returns (bytes32 roundId, uint40 endsAt);

    /// @notice all that were ever queued, and the place in it where the queue begins
    function queue(bytes32 modelId) external view returns (bytes32[] memory roundIds, uint256 first);

    function foldState(bytes32 modelId, bytes32 foldId) external view returns (FoldState memory);

    /// @notice what the first settled or BELOW_GATE vote on a head and fold of a model said that the head predicts;
    /// zero before
    function baselinePredictionsRoot(bytes32 modelId, uint256 headCommitment, bytes32 foldId)
        external
        view
        returns (uint256);

    /// @notice a validator's voteHash; from its reveal keccak256(abi.encode(vote))
    function voteOf(bytes32 roundId, address validator) external view returns (bytes32);

    /// @notice what `withdraw` would pay
    function withdrawable(bytes32 roundId, address account) external view returns (uint256);

    /// @notice What to pass to `commit`, and the round that it makes:
    /// commitment = keccak256(abi.encode(TAG_COMMITMENT, chainid, this, contribution)),
    /// roundId = keccak256(abi.encode(TAG_ROUND, chainid, this, commitment)).
    function commitmentOf(Contribution calldata contribution)
        external
        view
        returns (bytes32 commitment, bytes32 roundId);

    function voteHash(bytes32 roundId, address validator, Vote calldata vote, bytes32 salt)
        external
        view
        returns (bytes32);

    /// @notice the EIP-712 digest by which a validator signs what it voted, outside the chain
    function voteDigest(bytes32 roundId, Vote calldata vote) external view returns (bytes32);

    /// @notice the EIP-712 digest that a contributor signs for a relayer
    function contributionDigest(Contribution calldata contribution) external view returns (bytes32);

    /// @notice What a proof is good for: this chain, contract, round, candidate and settler. keccak256(abi.encode(
    /// TAG_CONTEXT, chainid, this, roundId, modelId, head commitment, head trainingSetRoot, dataRoot, payeesRoot,
    /// foldId, policyHash, trainSpecHash, circuitId, candidateCommitment, settler)) >> 8
    function contextHash(bytes32 roundId, uint256 candidateCommitment, address settler)
        external
        view
        returns (uint256);

    /// @notice The public signals of the score circuit, in its order: attestationHash, labelsRoot,
    /// baselinePredictionsRoot, candidatePredictionsRoot, the counts, contextHash.
    function publicSignals(
        bytes32 roundId,
        Vote calldata vote,
        address settler,
        uint256[] calldata counts,
        uint256 attestationHash
    ) external view returns (uint256[] memory);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitRegistry, Proof} from "./ICircuitRegistry.sol";
import {IModelRegistry} from "./IModelRegistry.sol";

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

/// @notice NONE, COMMITTED, OPEN, then SETTLED, FINALISED, CLAIMED, or REJECTED, or VOIDED.
enum State {
    NONE,
    COMMITTED,
    OPEN,
    SETTLED,
    FINALISED,
    CLAIMED,
    REJECTED,
    VOIDED
}

/// @notice Why a round was voided. TIMED_OUT: neither settled nor rejected by its deadline.
enum VoidReason {
    TIMED_OUT
}

/// @notice What a commitment commits to, and `open` reveals.
/// @param payee who claims the reward
/// @param dataRoot Merkle root over the salted row digests
/// @param rows leaves under dataRoot
/// @param ciphertextHash of the one file that validators are given
/// @param policyHash the promise under which the data is given
/// @param salt hides the rest until `open`
struct Contribution {
    bytes32 modelId;
    address contributor;
    address payee;
    bytes32 dataRoot;
    uint32 rows;
    bytes32 ciphertextHash;
    bytes32 policyHash;
    bytes32 salt;
}

/// @notice What validators sign, together with the roundId, as EIP-712 `Vote`. Validators agree when all of it is
/// equal; what a status has no value for is zero, so that votes of the same finding are equal.
/// @param baselinePredictionsRoot predictions of the pinned head on the pinned fold (SCORED and BELOW_GATE)
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

/// @notice All that is kept of a round. From `settle` or `reject`: settler; from `settle`: deltaOneBps, payableBps,
/// finalisableAt, candidateCommitment; the rest from `open`. The attestationHash is in the event
/// alone.
/// @param status SCORED unless the round was rejected
/// @param reward what is reserved of the budget: the policy's maxReward; from `settle` what is paid
/// @param shares parts of the fee
/// @param shareholders who has one: bit i policy.validators[i], who signed the vote that settled or rejected; bit 255
/// the settler, and before there is one, the contributor
struct Round {
    State state;
    uint40 committedBlock;
    uint40 deadline;
    address contributor;
    Status status;
    uint16 shares;
    address payee;
    uint32 rows;
    int16 deltaOneBps;
    int16 payableBps;
    address settler;
    uint40 finalisableAt;
    uint32 n;
    bytes32 modelId;
    bytes32 dataRoot;
    bytes32 policyHash;
    bytes32 foldId;
    uint256 labelsRoot;
    uint256 headCommitment;
    bytes32 headTrainingSetRoot;
    uint128 evaluationFee;
    uint128 reward;
    uint256 candidateCommitment;
    uint256 shareholders;
}

/// @param rounds opened on it, whatever became of them
/// @param accepted one settlement was accepted on it
struct FoldState {
    uint32 rounds;
    bool accepted;
}

/// @title The life of a contribution: commit, open, settle or reject or expire, finalise, claim
/// @notice A model has one slot. `open` takes it; `reject`, `expire` and `finalise` give it back. A settled round keeps
/// it through its delay, as the next round needs the new head.
///
/// Validators and the settler are paid from the contributor's fee, whatever they found, as soon as they found it. A
/// time-out pays nobody: the fee goes back. Nobody has power over a round but by what its policy said when it was
/// opened.
///
/// Quorum: `threshold` or more signatures over one vote. All given signatures have to be valid; the settler, who brings
/// them, drops others (an invalid one reverts before anything is written, and leaves the round as it was). A signature
/// that was not brought changes nothing but the shares.
interface IRounds {
    error RoundsAlreadyCommitted(bytes32 roundId, bytes32 commitment);
    error RoundsWrongState(bytes32 roundId, State expected, State actual);
    error RoundsOpenedTooEarly(bytes32 roundId, uint256 committedBlock, uint256 currentBlock);
    error RoundsNotContributor(bytes32 roundId, address contributor, address caller);
    error RoundsNotPayee(bytes32 roundId, address payee, address caller);
    error RoundsZeroPayee(bytes32 roundId);
    error RoundsForeignModel(bytes32 modelId, address rounds);
    error RoundsStalePolicy(bytes32 roundId, bytes32 expected, bytes32 actual);
    error RoundsUnsupportedMetric(bytes32 metric, uint256 classes);
    error RoundsInterestedValidator(bytes32 roundId, address validator);
    error RoundsTooFewRows(bytes32 roundId, uint256 minContributionRows, uint256 rows);
    error RoundsWrongFee(bytes32 roundId, uint256 expected, uint256 actual);
    error RoundsSlotTaken(bytes32 modelId, bytes32 roundId);
    error RoundsFoldsSpent(bytes32 modelId, bytes32 benchmarkId);
    error RoundsBudgetExceeded(bytes32 modelId, uint256 budget, uint256 maxReward);
    error RoundsDeadlinePassed(bytes32 roundId, uint256 deadline, uint256 time);
    error RoundsDeadlineNotPassed(bytes32 roundId, uint256 deadline, uint256 time);
    error RoundsDelayNotPassed(bytes32 roundId, uint256 finalisableAt, uint256 time);
    error RoundsWrongStatus(bytes32 roundId, Status status);
    error RoundsTooFewSignatures(bytes32 roundId, uint256 threshold, uint256 signatures);
    error RoundsNotValidator(bytes32 roundId, address signer);
    error RoundsUnorderedSigner(bytes32 roundId, address previous, address signer);
    error RoundsNotFieldElement(uint256 value);
    error RoundsStaleHead(bytes32 roundId, uint256 expected, uint256 actual);
    error RoundsStaleTrainingSet(bytes32 roundId, bytes32 expected, bytes32 actual);
    /// @notice the vote's root is not that of the head's set with the contribution
    error RoundsTrainingSetMismatch(bytes32 roundId, bytes32 expected, bytes32 actual);
    error RoundsBaselineMismatch(bytes32 roundId, uint256 expected, uint256 actual);
    error RoundsInvalidProof(bytes32 roundId, bytes32 circuitId, uint256 contextHash);
    error RoundsWrongRows(bytes32 roundId, uint256 expected, uint256 actual);
    /// @notice too few rows, or payableBps not above minDeltaBps, or the exact test fails
    error RoundsBelowGate(bytes32 roundId, uint256 n, uint256 fixedRows, uint256 brokenRows, int256 payableBps);
    error RoundsNothingToClaim(bytes32 roundId, address account);
    error RoundsTransferFailed(address account, uint256 amount);
    error RoundsNotTokenOwner(address token, address owner, address caller);
    error RoundsNotMinter(address token, address minter);
    error RoundsCapExceeded(address token, uint256 cap, uint256 allocated);

    event BudgetAllocated(bytes32 indexed modelId, address indexed rewardToken, uint256 amount);
    event ContributionCommitted(bytes32 indexed roundId, address indexed committer, bytes32 commitment);
    event RoundOpened(
        bytes32 indexed roundId,
        bytes32 indexed modelId,
        address indexed contributor,
        address payee,
        bytes32 dataRoot,
        uint32 rows,
        bytes32 ciphertextHash,
        bytes32 policyHash,
        bytes32 salt,
        bytes32 foldId,
        uint256 headCommitment,
        bytes32 headTrainingSetRoot,
        bytes32 seed,
        uint256 deadline
    );
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
        bytes32 indexed roundId, bytes32 indexed modelId, address indexed contributor, VoidReason reason
    );
    event RewardClaimed(bytes32 indexed roundId, bytes32 indexed modelId, address indexed payee, uint256 reward);
    event FeeClaimed(bytes32 indexed roundId, address indexed account, uint256 amount);

    /// @notice Lets a model's rounds pay up to `amount` more of its reward token. By the token's owner only, who trusts
    /// the model's owner with it. The budgets of all models never exceed the token's cap, so a settled reward can be
    /// minted.
    function allocateBudget(bytes32 modelId, uint256 amount) external;

    /// @notice First commit wins. Anybody may bring it: only the contributor inside can open it.
    function commit(bytes32 commitment) external returns (bytes32 roundId);

    /// @notice Reveals the contribution, in a later block than its commit, escrows exactly the evaluationFee, reserves
    /// the maxReward, takes the model's slot and pins head, fold and policy. Reverting leaves the commitment as it was.
    /// @dev The seed comes from the hash of the previous block; a contributor who waits for one that pleases can choose
    /// among a few, at one block each.
    function open(Contribution calldata contribution) external payable returns (bytes32 roundId);

    /// @notice Pays for a proven gain that a quorum has trained and evaluated. The proof is bound to the caller.
    /// @param vote with status SCORED
    /// @param signatures of at least `threshold` validators, 65 bytes each, by strictly ascending signer
    function settle(
        bytes32 roundId,
        Vote calldata vote,
        bytes[] calldata signatures,
        Proof calldata proof,
        uint256 countsPacked,
        uint256 attestationHash
    ) external;

    /// @notice Closes a round without pay, on a quorum of any status but SCORED. The settler's share of the fee is for
    /// whoever brings the votes first: without a proof nothing binds them to a caller.
    function reject(bytes32 roundId, Vote calldata vote, bytes[] calldata signatures) external;

    /// @notice Voids a round that was neither settled nor rejected by its deadline. By anybody; the fee goes back.
    function expire(bytes32 roundId) external;

    /// @notice Advances the head and makes the reward claimable, once the delay is over. By anybody.
    function finalise(bytes32 roundId) external;

    /// @notice Mints the reward. By the payee, once.
    function claim(bytes32 roundId) external;

    /// @notice Pays the caller what the round owes him of its fee: one share for a signature, one for having settled or
    /// rejected, the latter with what the division leaves over; all of it to the contributor of a voided round.
    function claimFee(bytes32 roundId) external;

    function modelRegistry() external view returns (IModelRegistry);

    function circuitRegistry() external view returns (ICircuitRegistry);

    function round(bytes32 roundId) external view returns (Round memory);

    /// @notice the open or settled round that holds the model's slot, zero for none
    function slot(bytes32 modelId) external view returns (bytes32 roundId);

    /// @notice what is neither reserved nor paid
    function budget(bytes32 modelId) external view returns (uint256);

    /// @notice the sum of all budgets ever allocated in a token
    function allocated(address rewardToken) external view returns (uint256);

    function foldState(bytes32 modelId, bytes32 foldId) external view returns (FoldState memory);

    /// @notice what the first settled or BELOW_GATE vote on a head and fold of a model said that the head predicts;
    /// zero before
    function baselinePredictionsRoot(bytes32 modelId, uint256 headCommitment, bytes32 foldId)
        external
        view
        returns (uint256);

    /// @notice What to pass to `commit`, and the round that it makes:
    /// commitment = keccak256(abi.encode(TAG_COMMITMENT, chainid, this, contribution)),
    /// roundId = keccak256(abi.encode(TAG_ROUND, chainid, this, commitment)).
    function commitmentOf(Contribution calldata contribution)
        external
        view
        returns (bytes32 commitment, bytes32 roundId);

    /// @notice the EIP-712 digest that a validator signs
    function voteDigest(bytes32 roundId, Vote calldata vote) external view returns (bytes32);

    /// @notice What a proof is good for: this chain, contract, round, candidate and settler. keccak256(abi.encode(
    /// TAG_CONTEXT, chainid, this, roundId, modelId, head commitment, head trainingSetRoot, dataRoot, payee, foldId,
    /// policyHash, trainSpecHash, circuitId, candidateCommitment, settler)) >> 8
    function contextHash(bytes32 roundId, uint256 candidateCommitment, address settler)
        external
        view
        returns (uint256);

    /// @notice The public signals of the score circuit, in its order: attestationHash, labelsRoot,
    /// baselinePredictionsRoot, candidatePredictionsRoot, countsPacked, contextHash.
    function publicSignals(
        bytes32 roundId,
        Vote calldata vote,
        address settler,
        uint256 countsPacked,
        uint256 attestationHash
    ) external view returns (uint256[] memory);
}

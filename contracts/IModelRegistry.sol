// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {GateTerms} from "./DeltaOne.sol";

/// @dev Order of the field of the circuits; roots and model commitments are below it, so each has one encoding
uint256 constant SCALAR_FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

/// @notice What is promised to contributors and asked of validators. A contribution is committed under one and keeps it,
/// whatever the owner does to the model's policy later. Whoever has budget allocated to a model trusts the model's owner
/// with it: the owner writes the policy.
/// @param circuitId what CircuitRegistry verifies the settlement's proof against
/// @param inferenceCircuitId what InferenceRegistry verifies against that both models predict what they are scored by; 0
/// where validators are believed in it (assurance level 1)
/// @param metric short string, one that DeltaOne knows
/// @param trainSpecHash canonical training configuration and evaluator release
/// @param payPoint pay the point estimate instead of the lower bound (the gate is the same)
/// @param roundsPerFold K: opened rounds after which a fold is spent; 1 to 1,000
/// @param minContributionRows fewest rows of a contribution; 1 to 2^32 - 1
/// @param tokensPerDeltaOne smallest units of the reward token for 100 bps; 100 to 2^128 - 1, so that a paid gain is
/// never a reward of zero
/// @param maxReward most that one round pays; 1 to epochReward
/// @param epochReward most that the model's rounds pay in one epoch; 1 to 2^128 - 1
/// @param epochDuration seconds of an epoch; 1 hour to 366 days
/// @param vestingDuration seconds over which a claimed share vests, from `finalise` on; 0 (at once) to 4 years
/// @param evaluationFee wei, for the validators who found what the round ended with, and for who ended it
/// @param bond wei, forfeited by a contribution that is not opened in its turn, is not what was committed to, or
/// overlaps the benchmark
/// @param openDuration seconds of a turn, from a free slot to `open`, and again from `open` to `draw`; 1 minute to 30 days
/// @param voteDuration seconds from `draw` in which votes are committed; 1 minute to 14 days
/// @param revealDuration seconds after that in which they are revealed; 1 minute to 3 days
/// @param settleDuration seconds after that in which a proof settles; and then again, in which a round is rejected
/// that fell below the gate; 1 minute to 3 days
/// @param delay seconds from `settle` to the earliest `finalise`; 0 to 7 days. A settled round is over 27 days of
/// the clock after its draw, or 55 with the two pauses that fit in: validators are bonded for longer
/// @param threshold matching votes that settle or reject; more than half of the committee, so that two quorums of
/// different content share a validator
/// @param committeeSize validators that `draw` takes by lot from ValidatorRegistry, 1 to 16; zero for those named
/// @param minStake wei that each validator of a committee has at stake when it is drawn
/// @param validators strictly ascending, 1 to 16; none where committeeSize is not zero
/// @param gate what a score has to pass
struct Policy {
    bytes32 circuitId;
    bytes32 inferenceCircuitId;
    bytes32 metric;
    bytes32 trainSpecHash;
    bool payPoint;
    uint16 roundsPerFold;
    uint32 minContributionRows;
    uint128 tokensPerDeltaOne;
    uint128 maxReward;
    uint128 epochReward;
    uint32 epochDuration;
    uint32 vestingDuration;
    uint96 evaluationFee;
    uint96 bond;
    uint32 openDuration;
    uint32 voteDuration;
    uint32 revealDuration;
    uint32 settleDuration;
    uint32 delay;
    uint8 threshold;
    uint8 committeeSize;
    uint96 minStake;
    address[] validators;
    GateTerms gate;
}

/// @notice One part of a benchmark, spent by one acceptance or K rounds.
/// @param labelsRoot block commitment of the labels, below SCALAR_FIELD, not zero
/// @param featuresRoot block commitment of the quantised features, below SCALAR_FIELD, not zero
/// @param rowsRoot Merkle root over features-only digests
/// @param quantiserHash how features become the committed integers
/// @param metric that of the policy
/// @param n rows; the policy's minRows to 2^31 - 1
/// @param classes 2 or more; 0 where the labels are numbers
struct Fold {
    uint256 labelsRoot;
    uint256 featuresRoot;
    bytes32 rowsRoot;
    bytes32 quantiserHash;
    bytes32 metric;
    uint32 n;
    uint16 classes;
}

/// @notice The current baseline of a model line.
/// @param modelCommitment below SCALAR_FIELD
struct Head {
    uint256 modelCommitment;
    bytes32 trainingSetRoot;
}

/// @param rounds the only contract that advances the head
/// @param rewardToken what its rounds pay with
/// @param metric of every policy and every fold it will ever have
/// @param headRound the round that made the head; zero for the first
struct Model {
    address owner;
    address rounds;
    address rewardToken;
    bytes32 metric;
    bytes32 policyHash;
    bytes32 benchmarkId;
    Head head;
    bytes32 headRound;
}

/// @title Models, their heads, policies and benchmarks
/// @notice Anybody registers a model; its owner replaces policy and benchmark for rounds opened later. Nobody but the
/// model's rounds contract moves its head.
interface IModelRegistry {
    /// @notice `field` is the name of the policy's member
    error ModelRegistryPolicyOutOfRange(bytes32 field, uint256 value, uint256 min, uint256 max);
    error ModelRegistryUnorderedValidator(address previous, address next);
    error ModelRegistryMetricMismatch(bytes32 expected, bytes32 actual);
    error ModelRegistryFoldCountOutOfRange(uint256 count, uint256 max);
    error ModelRegistryFoldRowsOutOfRange(bytes32 foldId, uint256 n, uint256 min, uint256 max);
    /// @notice DeltaOne has no score of this metric for so many classes
    error ModelRegistryUnsupportedMetric(bytes32 metric, uint256 classes);
    /// @notice zero, or not below SCALAR_FIELD
    error ModelRegistryNotFieldElement(uint256 value);
    error ModelRegistryModelExists(bytes32 modelId);
    error ModelRegistryUnknownModel(bytes32 modelId);
    error ModelRegistryUnknownPolicy(bytes32 policyHash);
    error ModelRegistryUnknownFold(bytes32 foldId);
    error ModelRegistryUnknownBenchmark(bytes32 benchmarkId);
    error ModelRegistryNotOwner(bytes32 modelId, address owner, address caller);
    error ModelRegistryNotRounds(bytes32 modelId, address rounds, address caller);

    event ModelRegistered(
        bytes32 indexed modelId,
        address indexed owner,
        address indexed rounds,
        address rewardToken,
        bytes32 metric,
        bytes32 salt,
        uint256 modelCommitment,
        bytes32 trainingSetRoot
    );
    event PolicyRegistered(bytes32 indexed modelId, bytes32 indexed policyHash, Policy policy);
    event BenchmarkRegistered(bytes32 indexed modelId, bytes32 indexed benchmarkId, bytes32[] foldIds, Fold[] folds);
    event HeadAdvanced(
        bytes32 indexed modelId,
        bytes32 indexed roundId,
        uint256 previousModelCommitment,
        bytes32 previousTrainingSetRoot,
        uint256 modelCommitment,
        bytes32 trainingSetRoot
    );

    /// @notice modelId = keccak256(abi.encode(TAG_MODEL, chainid, this, msg.sender, salt)).
    /// @param folds 1 to 64, of which each round draws one that is not spent
    function registerModel(
        bytes32 salt,
        address rounds,
        address rewardToken,
        Head calldata initialHead,
        Policy calldata policy_,
        Fold[] calldata folds
    ) external returns (bytes32 modelId);

    /// @notice Replaces the policy of contributions committed from now on. Tries that a fold has had stay counted.
    function updatePolicy(bytes32 modelId, Policy calldata policy_) external returns (bytes32 policyHash);

    /// @notice Replaces the folds of contributions committed from now on. A fold that was spent stays spent.
    function updateBenchmark(bytes32 modelId, Fold[] calldata folds) external returns (bytes32 benchmarkId);

    /// @notice Called by the model's rounds contract when a round is final.
    function advanceHead(bytes32 modelId, bytes32 roundId, Head calldata next) external;

    function model(bytes32 modelId) external view returns (Model memory);

    function head(bytes32 modelId) external view returns (Head memory);

    /// @notice policyHash = keccak256(abi.encode(policy))
    function policy(bytes32 policyHash) external view returns (Policy memory);

    /// @notice the folds of a benchmark; benchmarkId = keccak256(abi.encode(TAG_BENCHMARK, foldIds))
    function foldIds(bytes32 benchmarkId) external view returns (bytes32[] memory);

    /// @notice foldId = keccak256(abi.encode(TAG_FOLD, fold))
    function fold(bytes32 foldId) external view returns (Fold memory);
}

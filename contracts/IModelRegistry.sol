// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Order of the field of the circuits; roots and model commitments are below it, so each has one encoding
uint256 constant SCALAR_FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

/// @notice What is promised to contributors and asked of validators. A round pins it at `open`, a contributor at
/// `commit`. Whoever has budget allocated to a model trusts the model's owner with it: the owner writes the policy.
/// @param circuitId what CircuitRegistry verifies the settlement's proof against
/// @param metric short string, e.g. "accuracy"
/// @param trainSpecHash canonical training configuration and evaluator release
/// @param alpha30 floor(2^30 * alpha / K): the chance of a false gain that one round may take; 1 to 2^29
/// @param zMicro normal quantile at 1 - alpha / K in millionths, rounded up; 1 to 10^7. Not checked against alpha30
/// (both are public and a client compares them)
/// @param minDeltaBps the lower bound has to exceed it; 0 to 9,999
/// @param minRows fewest benchmark rows; 1 to 2^31 - 1
/// @param minContributionRows fewest rows of a contribution; 1 to 2^32 - 1
/// @param payPoint pay the point estimate instead of the lower bound (the gate is the same)
/// @param threshold matching votes that settle or reject; more than half of the validators, so that two quorums of
/// different content share a validator
/// @param roundsPerFold K: opened rounds after which a fold is spent; 1 to 1,000
/// @param roundDuration seconds from `open` to the deadline; 1 minute to 30 days
/// @param delay seconds from `settle` to the earliest `finalise`; 0 to 30 days
/// @param tokensPerDeltaOne smallest units of the reward token for 100 bps; 100 to 2^128 - 1, so that a paid gain is
/// never a reward of zero
/// @param maxReward most that one round pays; 1 to 2^128 - 1
/// @param evaluationFee wei, escrowed by `open`
/// @param validators strictly ascending, 1 to 255
struct Policy {
    bytes32 circuitId;
    bytes32 metric;
    bytes32 trainSpecHash;
    uint32 alpha30;
    uint32 zMicro;
    uint16 minDeltaBps;
    uint32 minRows;
    uint32 minContributionRows;
    bool payPoint;
    uint8 threshold;
    uint16 roundsPerFold;
    uint32 roundDuration;
    uint32 delay;
    uint128 tokensPerDeltaOne;
    uint128 maxReward;
    uint128 evaluationFee;
    address[] validators;
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
struct Model {
    address owner;
    address rounds;
    address rewardToken;
    bytes32 metric;
    bytes32 policyHash;
    bytes32 benchmarkId;
    Head head;
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
    error ModelRegistryTooFewClasses(bytes32 foldId, uint256 classes);
    /// @notice zero, or not below SCALAR_FIELD
    error ModelRegistryNotFieldElement(uint256 value);
    error ModelRegistryModelExists(bytes32 modelId);
    error ModelRegistryUnknownModel(bytes32 modelId);
    error ModelRegistryUnknownPolicy(bytes32 policyHash);
    error ModelRegistryUnknownFold(bytes32 foldId);
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
    /// @param folds 1 to 64, spent in this order
    function registerModel(
        bytes32 salt,
        address rounds,
        address rewardToken,
        Head calldata initialHead,
        Policy calldata policy_,
        Fold[] calldata folds
    ) external returns (bytes32 modelId);

    /// @notice Replaces the policy of rounds opened from now on. Contributions committed under the old one cannot be
    /// opened any more. Tries that a fold has had stay counted.
    function updatePolicy(bytes32 modelId, Policy calldata policy_) external returns (bytes32 policyHash);

    /// @notice Replaces the folds of rounds opened from now on. A fold that was spent stays spent.
    function updateBenchmark(bytes32 modelId, Fold[] calldata folds) external returns (bytes32 benchmarkId);

    /// @notice Called by the model's rounds contract when a round is final.
    function advanceHead(bytes32 modelId, bytes32 roundId, Head calldata next) external;

    function model(bytes32 modelId) external view returns (Model memory);

    function head(bytes32 modelId) external view returns (Head memory);

    /// @notice policyHash = keccak256(abi.encode(policy))
    function policy(bytes32 policyHash) external view returns (Policy memory);

    /// @notice the folds of the model's current benchmark, in the order in which they are spent;
    /// benchmarkId = keccak256(abi.encode(TAG_BENCHMARK, foldIds))
    function foldIds(bytes32 modelId) external view returns (bytes32[] memory);

    /// @notice foldId = keccak256(abi.encode(TAG_FOLD, fold))
    function fold(bytes32 foldId) external view returns (Fold memory);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModelRegistry} from "./IModelRegistry.sol";

/// @notice What a claim asks of the model's Rounds contract.
interface IRoundVoters {
    /// @notice whether the account revealed a vote in the round
    function hasVoted(bytes32 roundId, address account) external view returns (bool);
}

/// @notice What a round may pay, and once it is final, to whom.
/// @param reserved most that the round pays; from `award` what it pays, in smallest units of the model's reward token
/// @param since when it was reserved; from `award` when the payees could begin to claim, and their vesting began
/// @param epochDuration by which the epoch of the reservation is numbered, since / epochDuration; zero before `reserve`
/// @param vestingDuration seconds over which a claimed share vests; zero pays at once
/// @param awarded whether the payees can claim
/// @param payeesRoot of the tree of payees; zero before `award`
struct Award {
    uint128 reserved;
    uint40 since;
    uint32 epochDuration;
    uint32 vestingDuration;
    bool awarded;
    bytes32 payeesRoot;
}

/// @notice A sibling on the way from a payee to the root of the tree of payees.
/// @param hash of the sibling
/// @param sum of the weights below it
struct Sibling {
    bytes32 hash;
    uint128 sum;
}

/// @title Budgets, and the claims on them
/// @notice A contribution may name any number of payees with weights: the leaves of a Merkle sum tree, in which every
/// node carries the sum of the weights below it. A payee's share is the range of weights that its place in the tree
/// spans, and ranges of different places are disjoint whatever the tree's maker did; so shares never add up to more
/// than the reward, and to exactly the reward once all are claimed. Rounding is by the ends of the range:
/// floor(reward * to / total) - floor(reward * from / total).
///
///     leaf = keccak256(abi.encode(TAG_PAYEE, payee, weight))
///     node = keccak256(abi.encode(TAG_PAYEE_NODE, left hash, left sum, right hash, right sum))
///     payeesRoot = keccak256(abi.encode(TAG_PAYEES, root node, total weight))
///
/// Places are numbered from the root: it has place 1, and the children of place p have 2 p and 2 p + 1. The total is
/// below 2^128.
///
/// Nothing here can be paused, and nobody has a say over it. Budgets are moved by the model's Rounds contract alone:
/// one that lies wastes its own model's budget and no more, and the cap of an epoch is as good as the Rounds that states
/// it. A share that nobody can claim, because its payee voted or the list of payees was lost, is never minted and does
/// not return to the budget.
interface IRewards {
    error RewardsNotRounds(bytes32 modelId, address rounds, address caller);
    error RewardsNotTokenOwner(address token, address owner, address caller);
    error RewardsNotMinter(address token, address minter);
    error RewardsCapExceeded(address token, uint256 cap, uint256 allocated);
    error RewardsBudgetExceeded(bytes32 modelId, uint256 budget, uint256 amount);
    error RewardsEpochExceeded(bytes32 modelId, uint256 epoch, uint256 left, uint256 amount);
    error RewardsZeroEpochDuration(bytes32 modelId);
    error RewardsAlreadyReserved(bytes32 modelId, bytes32 roundId);
    /// @notice or all of it was given back
    error RewardsNotReserved(bytes32 modelId, bytes32 roundId);
    error RewardsMoreThanReserved(bytes32 roundId, uint256 reserved, uint256 amount);
    error RewardsAlreadyAwarded(bytes32 roundId);
    error RewardsNotAwarded(bytes32 roundId);
    /// @notice one who voted in a round is no payee of it
    error RewardsInterestedValidator(bytes32 roundId, address payee);
    /// @notice as many siblings lead to another depth of the tree than the place is at
    error RewardsWrongPlace(bytes32 roundId, uint256 place, uint256 siblings);
    /// @notice the caller has no leaf of this weight at this place
    error RewardsNotInTree(bytes32 roundId, bytes32 expected, bytes32 actual);
    error RewardsAlreadyClaimed(bytes32 roundId, address payee, uint256 place);
    /// @notice a weight of zero, or one so small that its share rounds to nothing
    error RewardsNothingToClaim(bytes32 roundId, address payee, uint256 weight);

    event BudgetAllocated(bytes32 indexed modelId, address indexed rewardToken, uint256 amount);
    event RewardAwarded(
        bytes32 indexed roundId, bytes32 indexed modelId, bytes32 payeesRoot, uint256 reward, uint256 vestingDuration
    );
    /// @param wallet where the share is: the payee's own address, or the VestingWallet made for it
    event RewardClaimed(
        bytes32 indexed roundId, bytes32 indexed modelId, address indexed payee, uint256 reward, address wallet
    );

    /// @notice Lets a model's rounds pay up to `amount` more of its reward token. By the token's owner only, who trusts
    /// the model's owner with it. The budgets of all models never exceed the token's cap, so an award can be minted.
    function allocateBudget(bytes32 modelId, uint256 amount) external;

    /// @notice Sets `amount` of the model's budget and of its present epoch aside for a round. By the model's Rounds,
    /// once a round.
    /// @param epochReward most that the model's rounds reserve in one epoch, and so pay
    /// @param epochDuration seconds, above zero; epochs are numbered by block.timestamp / epochDuration, and those of
    /// another duration are counted apart
    function reserve(bytes32 modelId, bytes32 roundId, uint128 amount, uint128 epochReward, uint32 epochDuration)
        external;

    /// @notice Keeps `amount` of what is reserved for a round and gives the rest back, to the budget and to the
    /// epoch that it was reserved in, be it over. By the model's Rounds, any number of times before `award`.
    function keep(bytes32 modelId, bytes32 roundId, uint128 amount) external;

    /// @notice Makes what is reserved for a round, which is not nothing, claimable by its payees. By the model's Rounds,
    /// once.
    function award(bytes32 modelId, bytes32 roundId, bytes32 payeesRoot, uint32 vestingDuration) external;

    /// @notice Mints the caller's share of a round's reward, to the caller or, where it vests, to an OpenZeppelin
    /// VestingWallet of the caller's that is created here and began when the round became final.
    /// @param weight of the caller's leaf, above zero
    /// @param place of the caller's leaf; 1 for a sole payee
    /// @param siblings from the leaf up; none for a sole payee
    function claim(bytes32 modelId, bytes32 roundId, uint128 weight, uint256 place, Sibling[] calldata siblings)
        external;

    function modelRegistry() external view returns (IModelRegistry);

    /// @notice what is neither reserved nor paid
    function budget(bytes32 modelId) external view returns (uint256);

    /// @notice the sum of all budgets ever allocated in a token
    function allocated(address rewardToken) external view returns (uint256);

    /// @notice Whether `reserve` would succeed now, for a round that has nothing reserved yet.
    function canReserve(bytes32 modelId, uint128 amount, uint128 epochReward, uint32 epochDuration)
        external
        view
        returns (bool);

    /// @notice what is reserved and paid of an epoch
    function spent(bytes32 modelId, uint32 epochDuration, uint256 epoch) external view returns (uint256);

    function awardOf(bytes32 modelId, bytes32 roundId) external view returns (Award memory);

    function isClaimed(bytes32 modelId, bytes32 roundId, uint256 place) external view returns (bool);
}

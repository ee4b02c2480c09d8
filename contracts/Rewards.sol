// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {VestingWallet} from "@openzeppelin/contracts/finance/VestingWallet.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IModelRegistry, Model} from "./IModelRegistry.sol";
import {Award, IRewards, IRoundVoters, Sibling} from "./IRewards.sol";
import {IRewardToken} from "./IRewardToken.sol";
import {RewardToken} from "./RewardToken.sol";

/// @dev A model's Rounds and its token are whatever contracts its owner chose. All that they can reach is kept under
/// their modelId, or under the token's own address; the token is called last, when everything is written.
contract Rewards is IRewards {
    using BitMaps for BitMaps.BitMap;

    /// @dev Rounds and token of a model never change in ModelRegistry. They are kept here from its first budget on:
    /// to read a model there costs 19,000 gas, and each call here needs one word of it.
    struct Account {
        address rounds;
        address rewardToken;
        uint256 budget;
    }

    bytes32 private constant TAG_PAYEE = keccak256("hokusai.payee");
    bytes32 private constant TAG_PAYEE_NODE = keccak256("hokusai.payeeNode");
    bytes32 private constant TAG_PAYEES = keccak256("hokusai.payees");

    /// @inheritdoc IRewards
    IModelRegistry public immutable modelRegistry;

    mapping(bytes32 modelId => Account) private _accounts;
    /// @inheritdoc IRewards
    mapping(address rewardToken => uint256) public allocated;
    /// @inheritdoc IRewards
    mapping(bytes32 modelId => mapping(uint32 epochDuration => mapping(uint256 epoch => uint256))) public spent;
    mapping(bytes32 modelId => mapping(bytes32 roundId => Award)) private _awards;
    /// @dev By place. Leaves of a balanced tree are neighbours, and share a word.
    mapping(bytes32 modelId => mapping(bytes32 roundId => BitMaps.BitMap)) private _claimed;

    constructor(IModelRegistry modelRegistry_) {
        modelRegistry = modelRegistry_;
    }

    /// @inheritdoc IRewards
    function allocateBudget(bytes32 modelId, uint256 amount) external {
        Model memory model = modelRegistry.model(modelId);
        RewardToken token = RewardToken(model.rewardToken);
        address owner = token.owner();
        if (msg.sender != owner) revert RewardsNotTokenOwner(address(token), owner, msg.sender);
        address minter = token.minter();
        if (minter != address(this)) revert RewardsNotMinter(address(token), minter);
        uint256 total = allocated[address(token)] + amount;
        uint256 cap = token.cap();
        if (total > cap) revert RewardsCapExceeded(address(token), cap, total);

        allocated[address(token)] = total;
        Account storage account = _accounts[modelId];
        account.rounds = model.rounds;
        account.rewardToken = address(token);
        account.budget += amount;
        emit BudgetAllocated(modelId, address(token), amount);
    }

    /// @inheritdoc IRewards
    function reserve(bytes32 modelId, bytes32 roundId, uint128 amount, uint128 epochReward, uint32 epochDuration)
        external
    {
        Account storage account = _requireRounds(modelId);
        if (epochDuration == 0) revert RewardsZeroEpochDuration(modelId);
        Award storage award_ = _awards[modelId][roundId];
        if (award_.epochDuration != 0) revert RewardsAlreadyReserved(modelId, roundId);
        uint256 left = account.budget;
        if (amount > left) revert RewardsBudgetExceeded(modelId, left, amount);
        uint256 epoch = block.timestamp / epochDuration;
        uint256 spent_ = spent[modelId][epochDuration][epoch];
        if (spent_ + amount > epochReward) {
            revert RewardsEpochExceeded(modelId, epoch, epochReward > spent_ ? epochReward - spent_ : 0, amount);
        }

        account.budget = left - amount;
        spent[modelId][epochDuration][epoch] = spent_ + amount;
        award_.reserved = amount;
        award_.since = uint40(block.timestamp);
        award_.epochDuration = epochDuration;
    }

    /// @inheritdoc IRewards
    function keep(bytes32 modelId, bytes32 roundId, uint128 amount) external {
        Account storage account = _requireRounds(modelId);
        Award storage award_ = _requireReserved(modelId, roundId);
        uint256 reserved = award_.reserved;
        if (amount > reserved) revert RewardsMoreThanReserved(roundId, reserved, amount);
        uint32 epochDuration = award_.epochDuration;

        award_.reserved = amount;
        account.budget += reserved - amount;
        spent[modelId][epochDuration][award_.since / epochDuration] -= reserved - amount;
    }

    /// @inheritdoc IRewards
    function award(bytes32 modelId, bytes32 roundId, bytes32 payeesRoot, uint32 vestingDuration) external {
        _requireRounds(modelId);
        Award storage award_ = _requireReserved(modelId, roundId);
        uint256 reward = award_.reserved;
        if (reward == 0) revert RewardsNotReserved(modelId, roundId);

        award_.since = uint40(block.timestamp);
        award_.vestingDuration = vestingDuration;
        award_.awarded = true;
        award_.payeesRoot = payeesRoot;
        emit RewardAwarded(roundId, modelId, payeesRoot, reward, vestingDuration);
    }

    /// @inheritdoc IRewards
    function claim(bytes32 modelId, bytes32 roundId, uint128 weight, uint256 place, Sibling[] calldata siblings)
        external
    {
        Award memory award_ = _awards[modelId][roundId];
        if (!award_.awarded) revert RewardsNotAwarded(roundId);
        Account storage account = _accounts[modelId];
        if (IRoundVoters(account.rounds).hasVoted(roundId, msg.sender)) {
            revert RewardsInterestedValidator(roundId, msg.sender);
        }
        uint256 reward = _share(roundId, award_, weight, place, siblings);
        // slither-disable-next-line incorrect-equality
        if (reward == 0) revert RewardsNothingToClaim(roundId, msg.sender, weight);
        BitMaps.BitMap storage claimed = _claimed[modelId][roundId];
        if (claimed.get(place)) revert RewardsAlreadyClaimed(roundId, msg.sender, place);

        claimed.set(place);
        address wallet = msg.sender;
        if (award_.vestingDuration > 0) {
            bytes32 salt = keccak256(abi.encode(modelId, roundId, msg.sender, place));
            wallet = address(new VestingWallet{salt: salt}(msg.sender, award_.since, award_.vestingDuration));
        }
        emit RewardClaimed(roundId, modelId, msg.sender, reward, wallet);
        IRewardToken(account.rewardToken).mint(wallet, reward);
    }

    /// @inheritdoc IRewards
    function budget(bytes32 modelId) external view returns (uint256) {
        return _accounts[modelId].budget;
    }

    /// @inheritdoc IRewards
    function canReserve(bytes32 modelId, uint128 amount, uint128 epochReward, uint32 epochDuration)
        external
        view
        returns (bool)
    {
        if (epochDuration == 0 || amount > _accounts[modelId].budget) return false;
        return spent[modelId][epochDuration][block.timestamp / epochDuration] + amount <= epochReward;
    }

    /// @inheritdoc IRewards
    function awardOf(bytes32 modelId, bytes32 roundId) external view returns (Award memory) {
        return _awards[modelId][roundId];
    }

    /// @inheritdoc IRewards
    function isClaimed(bytes32 modelId, bytes32 roundId, uint256 place) external view returns (bool) {
        return _claimed[modelId][roundId].get(place);
    }

    /// @dev What the caller's leaf is paid. Why no tree, however it was made, pays more than the reward:
    ///
    /// 1. A place fixes all that is hashed on its way. payeesRoot fixes one root node and one total; a node fixes its
    ///    two children and their two sums; and by the tags no hash is both a leaf and a node, so no leaf has another
    ///    leaf below it. Two calls that pass with one place therefore had the same caller and weight: the second finds
    ///    the place claimed.
    /// 2. On a way that passes, what a node's parent (or the payeesRoot) says of its sum is what was added up here, the
    ///    sum of what the node says of its children. So give the root the range [0, total), and a node's children what
    ///    the node has, cut once: the left one its first left-sum weights, the right one the rest. `from` is the begin
    ///    of the leaf's range in this, and weight its length. A tree that lies about a sum makes ways that do not pass.
    /// 3. Two different places part at some node, one to each side of its cut; neither lies above the other, by 1. So
    ///    their ranges are disjoint.
    /// 4. floor(reward * x / total) grows with x, is 0 at 0 and reward at total. Its growth over disjoint ranges in
    ///    [0, total) adds up to at most the reward, and to exactly the reward if they cover it.
    ///
    /// No product overflows: reward and every sum are below 2^128, the sums because adding them is checked.
    function _share(
        bytes32 roundId,
        Award memory award_,
        uint128 weight,
        uint256 place,
        Sibling[] calldata siblings
    ) private view returns (uint256) {
        if (weight == 0) revert RewardsNothingToClaim(roundId, msg.sender, 0);
        uint256 from = 0;
        uint128 total = weight;
        uint256 above = place;
        bytes32 hash = keccak256(abi.encode(TAG_PAYEE, msg.sender, weight));
        for (uint256 i = 0; i < siblings.length; i++) {
            bytes32 siblingHash = siblings[i].hash;
            uint128 siblingSum = siblings[i].sum;
            if (above & 1 == 1) {
                hash = keccak256(abi.encode(TAG_PAYEE_NODE, siblingHash, siblingSum, hash, total));
                from += siblingSum;
            } else {
                hash = keccak256(abi.encode(TAG_PAYEE_NODE, hash, total, siblingHash, siblingSum));
            }
            total += siblingSum;
            above >>= 1;
        }
        if (above != 1) revert RewardsWrongPlace(roundId, place, siblings.length);
        hash = keccak256(abi.encode(TAG_PAYEES, hash, total));
        if (hash != award_.payeesRoot) revert RewardsNotInTree(roundId, award_.payeesRoot, hash);
        uint256 reward = award_.reserved;
        return reward * (from + weight) / total - reward * from / total;
    }

    function _requireRounds(bytes32 modelId) private view returns (Account storage account) {
        account = _accounts[modelId];
        address rounds = account.rounds;
        if (rounds == address(0)) rounds = modelRegistry.model(modelId).rounds;
        if (msg.sender != rounds) revert RewardsNotRounds(modelId, rounds, msg.sender);
    }

    /// @dev What the round can still keep or be awarded.
    function _requireReserved(bytes32 modelId, bytes32 roundId) private view returns (Award storage award_) {
        award_ = _awards[modelId][roundId];
        if (award_.epochDuration == 0) revert RewardsNotReserved(modelId, roundId);
        if (award_.awarded) revert RewardsAlreadyAwarded(roundId);
    }
}

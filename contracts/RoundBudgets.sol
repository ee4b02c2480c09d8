// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Model} from "./IModelRegistry.sol";
import {IRounds} from "./IRounds.sol";
import {RewardToken} from "./RewardToken.sol";
import {RoundRecords} from "./RoundRecords.sol";

/// @notice What a model's rounds may still pay. Only `open` takes from it and only the end of a round gives back, so
/// every settled reward lies under the cap of its token.
abstract contract RoundBudgets is RoundRecords {
    /// @inheritdoc IRounds
    mapping(bytes32 modelId => uint256) public budget;
    /// @inheritdoc IRounds
    mapping(address rewardToken => uint256) public allocated;

    /// @inheritdoc IRounds
    function allocateBudget(bytes32 modelId, uint256 amount) external {
        Model memory model = _ownModel(modelId);
        RewardToken token = RewardToken(model.rewardToken);
        if (msg.sender != token.owner()) revert RoundsNotTokenOwner(address(token), token.owner(), msg.sender);
        if (token.minter() != address(this)) revert RoundsNotMinter(address(token), token.minter());
        uint256 total = allocated[address(token)] + amount;
        if (total > token.cap()) revert RoundsCapExceeded(address(token), token.cap(), total);
        allocated[address(token)] = total;
        budget[modelId] += amount;
        emit BudgetAllocated(modelId, address(token), amount);
    }

    function _reserve(bytes32 modelId, uint256 maxReward) internal {
        uint256 left = budget[modelId];
        if (maxReward > left) revert RoundsBudgetExceeded(modelId, left, maxReward);
        budget[modelId] = left - maxReward;
    }

    function _release(bytes32 modelId, uint256 amount) internal {
        budget[modelId] += amount;
    }
}

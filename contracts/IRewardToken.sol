// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What contributions are paid with
/// @notice A capped ERC-20. Its owner cannot mint: all he can do is allocate budgets to models, in Rewards.
interface IRewardToken {
    error RewardTokenNotMinter(address minter, address caller);

    /// @notice the Rewards contract, for good
    function minter() external view returns (address);

    /// @notice By the minter only; reverts ERC20ExceededCap above the cap.
    function mint(address to, uint256 amount) external;
}

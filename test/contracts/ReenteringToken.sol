// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRewards, Sibling} from "../../contracts/IRewards.sol";

/// @notice A reward token that names itself a payee, and that claims again whenever it is told to mint.
contract ReenteringToken {
    IRewards public immutable minter;
    address public immutable owner = msg.sender;
    uint256 public constant cap = type(uint256).max;

    bytes private _call;
    /// @notice what the claims within `mint` reverted with
    bytes[] public refusals;
    uint256 public minted;

    constructor(IRewards minter_) {
        minter = minter_;
    }

    function claim(bytes calldata call) external {
        _call = call;
        (bool success,) = address(minter).call(call);
        require(success, "the first claim");
    }

    function mint(address, uint256 amount) external {
        minted += amount;
        (bool success, bytes memory reason) = address(minter).call(_call);
        if (!success) refusals.push(reason);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Calls what it is told to, and makes the same call once more whenever it is paid in the midst of it.
contract ReentrantValidator {
    address private target;
    bytes private data;
    /// @notice what the second call reverted with; empty where it was not made, or did not revert
    bytes public refusal;

    receive() external payable {
        if (data.length == 0) return;
        (bool success, bytes memory result) = target.call(data);
        refusal = success ? bytes("") : result;
    }

    function call(address target_, bytes calldata data_) external payable {
        (target, data, refusal) = (target_, data_, "");
        (bool success, bytes memory result) = target_.call{value: msg.value}(data_);
        data = "";
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }
}

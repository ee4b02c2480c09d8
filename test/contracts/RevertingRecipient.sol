// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Calls what it is told to, forwards the value, and takes no money.
contract RevertingRecipient {
    error RevertingRecipientRefuses();

    receive() external payable {
        revert RevertingRecipientRefuses();
    }

    function call(address target, bytes calldata data) external payable {
        (bool success, bytes memory result) = target.call{value: msg.value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }
}

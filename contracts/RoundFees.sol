// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRounds, Round, State} from "./IRounds.sol";
import {RoundRecords} from "./RoundRecords.sol";

/// @notice Who is owed what of a round's fee. Nothing is credited when a round ends: each pulls his own, and a
/// recipient that reverts keeps only himself from it.
abstract contract RoundFees is RoundRecords {
    /// @dev The settler's bit among a round's shareholders, beside the 255 of the validators.
    uint256 internal constant SETTLER = 1 << 255;

    mapping(bytes32 roundId => uint256 bits) private _feePaid;

    /// @inheritdoc IRounds
    function claimFee(bytes32 roundId) external {
        Round storage r = _rounds[roundId];
        uint256 paid = _feePaid[roundId];
        uint256 due = _sharesOf(r, msg.sender) & ~paid;
        if (due == 0) revert RoundsNothingToClaim(roundId, msg.sender);
        _feePaid[roundId] = paid | due;

        uint256 amount = _worthOf(due, r.evaluationFee, r.shares);
        emit FeeClaimed(roundId, msg.sender, amount);
        (bool sent,) = msg.sender.call{value: amount}("");
        if (!sent) revert RoundsTransferFailed(msg.sender, amount);
    }

    /// @dev The bits that are the account's. While a round is open nobody has any.
    function _sharesOf(Round storage r, address account) private view returns (uint256 bits) {
        if (r.state == State.VOIDED) return account == r.contributor ? r.shareholders : 0;
        if (r.settler == address(0)) return 0;
        if (account == r.settler) bits = SETTLER;
        address[] memory validators = modelRegistry.policy(r.policyHash).validators;
        for (uint256 i = 0; i < validators.length; i++) {
            if (validators[i] == account) return bits | (r.shareholders & (1 << i));
        }
    }

    /// @dev Shares are equal; what the division leaves over is the settler's, so the shares add up to the fee.
    function _worthOf(uint256 due, uint256 fee, uint256 shares) private pure returns (uint256 amount) {
        if (due & ~SETTLER != 0) amount = fee / shares;
        if (due & SETTLER != 0) amount += fee / shares + fee % shares;
    }
}

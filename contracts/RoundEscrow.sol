// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRounds, Round, State} from "./IRounds.sol";
import {RoundRecords} from "./RoundRecords.sol";

/// @notice Who is owed what of a round's fee and bond. Nothing is credited when a round ends: each pulls his own, and a
/// recipient that reverts keeps only himself from it.
abstract contract RoundEscrow is RoundRecords {
    /// @dev The settler's bit beside the seats'.
    uint256 private constant SETTLER = 1 << 16;

    mapping(bytes32 roundId => uint256 bits) private _sharesPaid;

    /// @inheritdoc IRounds
    function withdraw(bytes32 roundId) external {
        Round storage r = _rounds[roundId];
        (uint256 refund, uint256 shares, uint256 amount) = _owed(roundId, r, msg.sender);
        if (amount == 0) revert RoundsNothingToWithdraw(roundId, msg.sender);
        _sharesPaid[roundId] |= shares;
        if (refund != 0) r.refund = 0;
        emit Withdrawn(roundId, msg.sender, amount);
        _send(msg.sender, amount);
    }

    /// @inheritdoc IRounds
    function withdrawable(bytes32 roundId, address account) external view returns (uint256 amount) {
        (,, amount) = _owed(roundId, _rounds[roundId], account);
    }

    /// @dev Burns a bond but for what a report earns.
    function _forfeit(bytes32 roundId, uint256 bond, address reporter) internal {
        if (bond == 0) return;
        uint256 reported = reporter == address(0) ? 0 : bond / 2;
        emit BondForfeited(roundId, bond - reported, reporter, reported);
        if (reported != 0) _send(reporter, reported);
        _send(address(0), bond - reported);
    }

    /// @dev To the caller, who is owed it, or to nobody, which burns it.
    function _send(address to, uint256 amount) internal {
        // slither-disable-next-line arbitrary-send-eth
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert RoundsTransferFailed(to, amount);
    }

    /// @dev Shares are equal; what the division leaves over is the settler's, so they add up to the fee. Of a round
    /// that has not ended nobody is owed anything.
    function _owed(bytes32 roundId, Round storage r, address account)
        private
        view
        returns (uint256 refund, uint256 shares, uint256 amount)
    {
        if (r.state < State.FINALISED) return (0, 0, 0);
        if (account == r.sponsor) refund = r.refund;
        amount = refund;
        if (r.settler == address(0)) return (refund, 0, amount);

        shares = r.shareholders & _seatBit(r, account);
        if (account == r.settler) shares |= SETTLER;
        shares &= ~_sharesPaid[roundId];
        uint256 parts = _count(r.shareholders) + 1;
        if (shares & ~SETTLER != 0) amount += r.evaluationFee / parts;
        if (shares & SETTLER != 0) amount += r.evaluationFee / parts + r.evaluationFee % parts;
    }

    function _count(uint256 bits) internal pure returns (uint256 count) {
        for (; bits != 0; bits &= bits - 1) count++;
    }
}

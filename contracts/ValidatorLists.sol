// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IValidatorRegistry, Validator, ValidatorState} from "./IValidatorRegistry.sol";

/// @notice The validators, the lists of those that can be drawn, and the committees drawn from them. Nothing here moves
/// money: ValidatorRegistry decides who is listed, and with what at stake.
abstract contract ValidatorLists is IValidatorRegistry {
    uint256 private constant SEATS = 16;
    uint256 private constant TIER_PLACES = 256;

    /// @inheritdoc IValidatorRegistry
    mapping(uint16 id => address) public accountOf;
    /// @inheritdoc IValidatorRegistry
    mapping(address account => uint16) public idOf;
    /// @dev By id and not by account: a draw reads one word of each that it considers.
    mapping(uint16 id => Validator) internal _validators;
    mapping(address rounds => mapping(uint256 tier => uint16[])) private _lists;
    /// @dev Bit t: somebody is listed in tier t.
    mapping(address rounds => uint256) private _tiers;

    /// @inheritdoc IValidatorRegistry
    function listed(address rounds) external view returns (uint256 count) {
        for (uint256 tiers = _tiers[rounds]; tiers != 0; tiers &= tiers - 1) {
            count += _lists[rounds][Math.log2(tiers & (~tiers + 1))].length;
        }
    }

    /// @inheritdoc IValidatorRegistry
    function draw(bytes32 seed, uint256 size, uint256 minStake, address except, uint256 listedBefore)
        external
        view
        returns (uint256 committee)
    {
        if (size == 0 || size > SEATS) revert ValidatorRegistryCommitteeSize(size, SEATS);
        uint256[] memory tickets = new uint256[](size);
        uint256 drawn = 0;
        uint256 excepted = idOf[except];
        uint256 lowest = Math.log2(minStake);
        for (uint256 tiers = _tiers[msg.sender] >> lowest << lowest; tiers != 0; tiers &= tiers - 1) {
            uint16[] memory ids = _lists[msg.sender][Math.log2(tiers & (~tiers + 1))];
            for (uint256 i = 0; i < ids.length; i++) {
                uint256 ticket = _ticket(seed, ids[i]);
                if (drawn == size && ticket >= tickets[size - 1]) continue;
                Validator storage candidate = _validators[ids[i]];
                if (candidate.stake < minStake || candidate.listedSince >= listedBefore || ids[i] == excepted) continue;
                if (drawn < size) drawn++;
                _insert(tickets, drawn, ticket);
            }
        }
        for (uint256 i = drawn; i > 0; i--) {
            committee = committee << 16 | uint16(tickets[i - 1]);
        }
    }

    /// @inheritdoc IValidatorRegistry
    function eligible(address[] calldata accounts, uint256 minStake, address except)
        external
        view
        returns (uint256 committee)
    {
        if (accounts.length > SEATS) revert ValidatorRegistryCommitteeSize(accounts.length, SEATS);
        for (uint256 i = accounts.length; i > 0; i--) {
            uint16 id = idOf[accounts[i - 1]];
            if (id == 0 || accounts[i - 1] == except) continue;
            Validator storage candidate = _validators[id];
            if (candidate.state != ValidatorState.ACTIVE || candidate.stake < minStake) continue;
            if (candidate.rounds == msg.sender) committee = committee << 16 | id;
        }
    }

    /// @inheritdoc IValidatorRegistry
    function seatOf(uint256 committee, address account) external view returns (uint256 seat) {
        uint256 id = idOf[account];
        if (id == 0) return 0;
        for (seat = 1; committee != 0; seat++) {
            if (uint16(committee) == id) return seat;
            committee >>= 16;
        }
        return 0;
    }

    /// @inheritdoc IValidatorRegistry
    function members(uint256 committee) external view returns (address[] memory accounts) {
        accounts = new address[](committee == 0 ? 0 : Math.log2(committee) / 16 + 1);
        for (uint256 i = 0; i < accounts.length; i++) {
            accounts[i] = accountOf[uint16(committee >> (16 * i))];
        }
    }

    function _list(Validator storage own) internal {
        if (own.stake == 0) return;
        (address rounds, uint256 tier) = (own.rounds, Math.log2(own.stake));
        uint16[] storage list = _lists[rounds][tier];
        if (list.length == TIER_PLACES) revert ValidatorRegistryTierFull(rounds, tier, TIER_PLACES);
        list.push(own.id);
        own.listedAt = uint16(list.length);
        own.listedSince = uint40(block.number);
        if (list.length == 1) _tiers[rounds] |= 1 << tier;
    }

    function _unlist(Validator storage own) internal {
        uint16 place = own.listedAt;
        if (place == 0) return;
        (address rounds, uint256 tier) = (own.rounds, Math.log2(own.stake));
        uint16[] storage list = _lists[rounds][tier];
        uint16 last = list[list.length - 1];
        list[place - 1] = last;
        _validators[last].listedAt = place;
        list.pop();
        own.listedAt = 0;
        own.listedSince = 0;
        if (list.length == 0) _tiers[rounds] ^= 1 << tier;
    }

    function _ticket(bytes32 seed, uint256 id) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, id))) >> 16 << 16 | id;
    }

    /// @dev Puts a ticket where it belongs among the first `count`, which are in order, and drops the last of them.
    function _insert(uint256[] memory tickets, uint256 count, uint256 ticket) private pure {
        uint256 place = count - 1;
        for (; place > 0 && tickets[place - 1] > ticket; place--) {
            tickets[place] = tickets[place - 1];
        }
        tickets[place] = ticket;
    }
}

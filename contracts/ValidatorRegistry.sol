// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IValidatorRegistry, Validator, ValidatorState} from "./IValidatorRegistry.sol";
import {ValidatorLists} from "./ValidatorLists.sol";

contract ValidatorRegistry is ValidatorLists, AccessManaged {
    uint256 private constant MAX_RECIPIENT = 128;
    uint256 private constant MAX_IDS = type(uint16).max;
    uint256 private constant MAX_IDS_UNRESERVED = MAX_IDS / 2;
    /// @inheritdoc IValidatorRegistry
    uint256 public constant RESERVED_ID_STAKE = 0.1 ether;
    uint256 private constant MIN_DELAY = 63 days;
    uint256 private constant MAX_DELAY = 180 days;

    /// @inheritdoc IValidatorRegistry
    uint40 public unbondingDelay;
    uint16 private _lastId;

    constructor(address accessManager, uint40 unbondingDelay_) AccessManaged(accessManager) {
        _setUnbondingDelay(unbondingDelay_);
    }

    /// @inheritdoc IValidatorRegistry
    function register(address rounds, string calldata ageRecipient) external payable returns (uint16 id) {
        if (idOf[msg.sender] != 0) revert ValidatorRegistryAlreadyRegistered(msg.sender, idOf[msg.sender]);
        if (rounds == address(0)) revert ValidatorRegistryZeroRounds(msg.sender);
        _requireRecipient(ageRecipient);
        uint256 max = msg.value < RESERVED_ID_STAKE ? MAX_IDS_UNRESERVED : MAX_IDS;
        if (_lastId >= max) revert ValidatorRegistryFull(max, msg.value);
        id = ++_lastId;
        idOf[msg.sender] = id;
        accountOf[id] = msg.sender;
        Validator storage own = _validators[id];
        own.id = id;
        own.state = ValidatorState.ACTIVE;
        own.rounds = rounds;
        own.ageRecipient = ageRecipient;
        _addStake(own);
        _list(own);
        emit ValidatorRegistered(msg.sender, rounds, id, ageRecipient, msg.value);
    }

    /// @inheritdoc IValidatorRegistry
    function setRecipient(string calldata ageRecipient) external {
        Validator storage own = _validator(msg.sender);
        _requireRecipient(ageRecipient);
        own.ageRecipient = ageRecipient;
        emit RecipientChanged(msg.sender, ageRecipient);
    }

    /// @inheritdoc IValidatorRegistry
    function addStake() external payable {
        Validator storage own = _staying();
        _unlist(own);
        _addStake(own);
        if (own.state == ValidatorState.ACTIVE) _list(own);
        emit StakeAdded(msg.sender, msg.value, own.stake);
    }

    /// @inheritdoc IValidatorRegistry
    function pause() external {
        Validator storage own = _inState(ValidatorState.ACTIVE);
        _unlist(own);
        own.state = ValidatorState.PAUSED;
        emit ValidatorPaused(msg.sender);
    }

    /// @inheritdoc IValidatorRegistry
    function resume() external {
        Validator storage own = _inState(ValidatorState.PAUSED);
        own.state = ValidatorState.ACTIVE;
        _list(own);
        emit ValidatorResumed(msg.sender);
    }

    /// @inheritdoc IValidatorRegistry
    function unbond() external {
        Validator storage own = _staying();
        _unlist(own);
        own.state = ValidatorState.LEAVING;
        own.withdrawableAt = uint40(block.timestamp) + unbondingDelay;
        emit ValidatorLeaving(msg.sender, own.withdrawableAt);
    }

    /// @inheritdoc IValidatorRegistry
    function withdraw() external {
        Validator storage own = _inState(ValidatorState.LEAVING);
        if (block.timestamp < own.withdrawableAt) {
            revert ValidatorRegistryStillBonded(msg.sender, own.withdrawableAt, block.timestamp);
        }
        uint256 amount = own.stake;
        own.state = ValidatorState.PAUSED;
        own.withdrawableAt = 0;
        own.stake = 0;
        emit StakeWithdrawn(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// @inheritdoc IValidatorRegistry
    function slash(address account, address reporter) external {
        Validator storage slashed = _validator(account);
        if (msg.sender != slashed.rounds) revert ValidatorRegistryNotRounds(account, slashed.rounds, msg.sender);
        _unlist(slashed);
        uint256 reported = slashed.stake / 2;
        uint256 burnt = slashed.stake - reported;
        slashed.state = ValidatorState.SLASHED;
        slashed.withdrawableAt = 0;
        slashed.stake = 0;
        emit ValidatorSlashed(account, reporter, reported, burnt);
        _pay(address(0), burnt);
        _pay(reporter, reported);
    }

    /// @inheritdoc IValidatorRegistry
    function setUnbondingDelay(uint40 delay) external restricted {
        _setUnbondingDelay(delay);
    }

    /// @inheritdoc IValidatorRegistry
    function validator(address account) external view returns (Validator memory) {
        return _validator(account);
    }

    function _addStake(Validator storage own) private {
        uint256 stake = own.stake + msg.value;
        if (stake > type(uint96).max) revert ValidatorRegistryStakeTooLarge(msg.sender, stake, type(uint96).max);
        own.stake = uint96(stake);
    }

    function _setUnbondingDelay(uint40 delay) private {
        if (delay < MIN_DELAY || delay > MAX_DELAY) {
            revert ValidatorRegistryDelayOutOfRange(delay, MIN_DELAY, MAX_DELAY);
        }
        emit UnbondingDelayChanged(unbondingDelay, delay);
        unbondingDelay = delay;
    }

    /// @dev A stake to whose it is; of a slashed one half to who reported it, and the rest to nobody, which burns it.
    function _pay(address account, uint256 amount) private {
        if (amount == 0) return;
        // slither-disable-next-line arbitrary-send-eth
        (bool success,) = account.call{value: amount}("");
        if (!success) revert ValidatorRegistryTransferFailed(account, amount);
    }

    function _validator(address account) private view returns (Validator storage) {
        uint16 id = idOf[account];
        if (id == 0) revert ValidatorRegistryNotRegistered(account);
        return _validators[id];
    }

    function _inState(ValidatorState expected) private view returns (Validator storage own) {
        own = _validator(msg.sender);
        if (own.state != expected) revert ValidatorRegistryWrongState(msg.sender, expected, own.state);
    }

    function _staying() private view returns (Validator storage own) {
        own = _validator(msg.sender);
        if (own.state == ValidatorState.LEAVING) revert ValidatorRegistryLeaving(msg.sender, own.withdrawableAt);
        if (own.state == ValidatorState.SLASHED) revert ValidatorRegistrySlashed(msg.sender);
    }

    function _requireRecipient(string calldata ageRecipient) private pure {
        uint256 length = bytes(ageRecipient).length;
        if (length == 0 || length > MAX_RECIPIENT) revert ValidatorRegistryRecipientLength(length, MAX_RECIPIENT);
    }
}

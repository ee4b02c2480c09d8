// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A validator, named by the account that votes.
/// @param id from 1, for good; zero for an account that never registered
/// @param listedAt 1 + its place in the list that committees are drawn from; zero while paused or leaving
/// @param stake wei that equivocation forfeits
/// @param withdrawableAt when the stake of one who leaves is free; zero for one who stays
/// @param rounds the one Rounds contract that it votes in, and that can slash it; its own choice, for good
/// @param ageRecipient where data keys are encrypted to, `age1…`
struct Validator {
    uint16 id;
    uint16 listedAt;
    uint96 stake;
    uint40 withdrawableAt;
    address rounds;
    string ageRecipient;
}

/// @title Who may evaluate contributions, where their keys are encrypted to, and what they have at stake
/// @notice Anybody registers. Whom a model lets evaluate is its policy's matter: a list of the owner's, or a committee
/// drawn from all who are listed here with enough at stake. A listed validator is eligible; a paused one is not drawn
/// and keeps what it has; one that leaves gets its stake after the unbonding delay, until which it can still be
/// slashed. Nobody but the Rounds contract that a validator chose can touch its stake, and only for an equivocation.
interface IValidatorRegistry {
    error ValidatorRegistryAlreadyRegistered(address validator, uint256 id);
    error ValidatorRegistryNotRegistered(address validator);
    error ValidatorRegistryFull(uint256 max);
    error ValidatorRegistryZeroRounds(address validator);
    /// @notice 1 to 128 bytes
    error ValidatorRegistryRecipientLength(uint256 length, uint256 max);
    error ValidatorRegistryLeaving(address validator, uint256 withdrawableAt);
    error ValidatorRegistryNotLeaving(address validator);
    error ValidatorRegistryStillBonded(address validator, uint256 withdrawableAt, uint256 time);
    error ValidatorRegistryNotListed(address validator);
    error ValidatorRegistryAlreadyListed(address validator);
    error ValidatorRegistryStakeTooLarge(address validator, uint256 stake, uint256 max);
    error ValidatorRegistryNotRounds(address validator, address rounds, address caller);
    error ValidatorRegistryDelayOutOfRange(uint256 delay, uint256 min, uint256 max);
    error ValidatorRegistryTransferFailed(address account, uint256 amount);

    event ValidatorRegistered(
        address indexed validator, address indexed rounds, uint256 id, string ageRecipient, uint256 stake
    );
    event RecipientChanged(address indexed validator, string ageRecipient);
    event StakeAdded(address indexed validator, uint256 amount, uint256 stake);
    event ValidatorPaused(address indexed validator);
    event ValidatorResumed(address indexed validator);
    event ValidatorLeaving(address indexed validator, uint256 withdrawableAt);
    event StakeWithdrawn(address indexed validator, uint256 amount);
    event ValidatorSlashed(address indexed validator, address indexed reporter, uint256 reported, uint256 burnt);
    event UnbondingDelayChanged(uint256 previous, uint256 next);

    /// @notice Registers the caller, who is listed from now on. What is sent is its stake.
    function register(address rounds, string calldata ageRecipient) external payable returns (uint16 id);

    /// @notice Keys of rounds drawn later are encrypted to this one.
    function setRecipient(string calldata ageRecipient) external;

    function addStake() external payable;

    /// @notice Off the list: not drawn, not eligible, until `resume`. Votes in rounds already drawn go on.
    function pause() external;

    function resume() external;

    /// @notice Off the list, and the unbonding delay begins. `withdraw` ends it.
    function leave() external;

    /// @notice Pays the stake of a validator that left, to it. It may `resume` afterwards, with stake added anew.
    function withdraw() external;

    /// @notice Takes the whole stake of a validator and takes it off the list. By its `rounds` only, which has checked
    /// an equivocation. Half is paid to the reporter, who so cannot gain by reporting himself; the rest is burnt.
    function slash(address validator, address reporter) external;

    /// @notice By the role that the AccessManager names, after its delay. For those who leave from then on.
    function setUnbondingDelay(uint40 delay) external;

    /// @notice seconds from `leave` to `withdraw`; 7 to 90 days
    function unbondingDelay() external view returns (uint40);

    /// @notice Reverts for an account that never registered.
    function validator(address account) external view returns (Validator memory);

    /// @notice zero for an id that was never given
    function accountOf(uint16 id) external view returns (address);

    /// @notice how many are listed
    function listed() external view returns (uint256);

    /// @notice The committee that a seed draws: up to `size` distinct ids of listed validators that chose the caller as
    /// their rounds, have `minStake` and are not `except`; fewer where there are not enough. Packed by 16 bits, the
    /// first drawn lowest; zero ends it.
    /// @dev A walk over the list from a drawn place in a drawn stride would favour neighbours; this draws without
    /// replacement, so every committee is equally likely.
    /// @param size 1 to 16
    function draw(bytes32 seed, uint256 size, uint256 minStake, address except) external view returns (uint256 committee);

    /// @notice Those of `accounts` that are eligible, as `draw` says, in their order, packed likewise.
    /// @param accounts at most 16
    function eligible(address[] calldata accounts, uint256 minStake, address except)
        external
        view
        returns (uint256 committee);

    /// @notice 1 + the account's place in a packed committee; zero where it has none
    function seatOf(uint256 committee, address account) external view returns (uint256 seat);

    /// @notice the accounts of a packed committee, in its order
    function members(uint256 committee) external view returns (address[] memory);
}

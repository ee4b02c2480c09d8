// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice UNKNOWN, then ACTIVE, which PAUSED and LEAVING come back to; SLASHED is for good.
enum ValidatorState {
    UNKNOWN,
    ACTIVE,
    PAUSED,
    LEAVING,
    SLASHED
}

/// @notice A validator, named by the account that votes.
/// @param id from 1, for good; zero for an account that never registered
/// @param listedAt 1 + its place in the list of its tier; zero unless it is active and has a stake
/// @param listedSince the block from which on it is listed with this much stake
/// @param stake wei that equivocation forfeits
/// @param withdrawableAt when the stake of one who leaves is free; zero for everybody else
/// @param rounds the one Rounds contract that it votes in, and that can slash it; its own choice, for good
/// @param ageRecipient where data keys are encrypted to, `age1…`
struct Validator {
    uint16 id;
    ValidatorState state;
    uint16 listedAt;
    uint40 listedSince;
    uint96 stake;
    uint40 withdrawableAt;
    address rounds;
    string ageRecipient;
}

/// @title Who may evaluate contributions, where their keys are encrypted to, and what they have at stake
/// @notice Anybody registers. Whom a model lets evaluate is its policy's matter: a list of the owner's, or a committee
/// drawn from all who are listed here with enough at stake. An active validator is eligible, and with a stake it is
/// listed; a paused one is not drawn and keeps what it has; one that leaves gets its stake after the unbonding delay,
/// until which it can still be slashed. Nobody but the Rounds contract that a validator chose can touch its stake, and
/// only for an equivocation.
///
/// Lists. Each Rounds contract has one list for each tier of stake: tier t is from 2^t wei to below 2^(t+1). A draw
/// reads the tiers from that of its `minStake` up, so a registration that is in its way has at least half of `minStake`
/// locked up, and one in a higher tier more than that: nobody stuffs the list for the price of the gas. A tier has at
/// most 256 places, so the cost of a draw is bounded by the logarithm of what a wealthy attacker stakes. Whom a full
/// tier keeps out stakes up to twice as much, and is in the next one; whoever filled it could as well have most seats of
/// most committees, which no draw by stake prevents.
///
/// Ids. There are 65,535, so that a committee of 16 fits one word, and each is given once. Those above 32,767 are only
/// for who registers with RESERVED_ID_STAKE: registrations for the price of the gas leave half of them.
interface IValidatorRegistry {
    error ValidatorRegistryAlreadyRegistered(address validator, uint256 id);
    error ValidatorRegistryNotRegistered(address validator);
    /// @param max ids for who registers with this stake
    error ValidatorRegistryFull(uint256 max, uint256 stake);
    error ValidatorRegistryTierFull(address rounds, uint256 tier, uint256 max);
    error ValidatorRegistryZeroRounds(address validator);
    /// @notice 1 to 128 bytes
    error ValidatorRegistryRecipientLength(uint256 length, uint256 max);
    error ValidatorRegistryWrongState(address validator, ValidatorState expected, ValidatorState actual);
    error ValidatorRegistryLeaving(address validator, uint256 withdrawableAt);
    error ValidatorRegistrySlashed(address validator);
    error ValidatorRegistryStillBonded(address validator, uint256 withdrawableAt, uint256 time);
    error ValidatorRegistryStakeTooLarge(address validator, uint256 stake, uint256 max);
    error ValidatorRegistryNotRounds(address validator, address rounds, address caller);
    error ValidatorRegistryDelayOutOfRange(uint256 delay, uint256 min, uint256 max);
    error ValidatorRegistryCommitteeSize(uint256 size, uint256 max);
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

    /// @notice Registers the caller, who is active from now on. What is sent is its stake.
    function register(address rounds, string calldata ageRecipient) external payable returns (uint16 id);

    /// @notice Keys of rounds drawn later are encrypted to this one. In any state.
    function setRecipient(string calldata ageRecipient) external;

    /// @notice While active or paused. An active validator is not drawn by a seed that is known already: who could raise
    /// its stake after the draw would register many with little, and pay for those that won.
    function addStake() external payable;

    /// @notice From active: not drawn, not eligible, until `resume`. Votes in rounds already drawn go on.
    function pause() external;

    /// @notice From paused to active, for draws whose seed is not known yet.
    function resume() external;

    /// @notice From active or paused to leaving: the unbonding delay begins. `withdraw` ends it.
    function unbond() external;

    /// @notice Pays the stake of a validator that left, to it, and leaves it paused: it may add stake and `resume`.
    function withdraw() external;

    /// @notice Takes the whole stake of a validator, in any state, and excludes it for good: whoever holds the key of an
    /// account that equivocated may go on under another, with a new stake, and a model whose policy lists the account
    /// has one validator less at once. By its `rounds` only, which has checked an equivocation. The smaller half is paid
    /// to the reporter, who so cannot gain by reporting himself; the rest is burnt. Where nothing is at stake, or not
    /// any more, nothing is paid and nothing reverts: an equivocation in a second round can be reported like the first.
    function slash(address validator, address reporter) external;

    /// @notice By the role that the AccessManager names, after its delay. For those who leave from then on.
    function setUnbondingDelay(uint40 delay) external;

    /// @notice wei; what an id above 32,767 asks for at registration
    function RESERVED_ID_STAKE() external view returns (uint256);

    /// @notice seconds from `unbond` to `withdraw`; 63 to 180 days: the longest a round takes from its draw to its end, and no less
    function unbondingDelay() external view returns (uint40);

    /// @notice Reverts for an account that never registered.
    function validator(address account) external view returns (Validator memory);

    /// @notice zero for an account that never registered; an id is for good
    function idOf(address account) external view returns (uint16);

    /// @notice zero for an id that was never given
    function accountOf(uint16 id) external view returns (address);

    /// @notice how many are listed for a Rounds contract, with any stake
    function listed(address rounds) external view returns (uint256);

    /// @notice The committee that a seed draws: up to `size` distinct ids of listed validators that chose the caller as
    /// their rounds, have `minStake`, were listed with it before the block `listedBefore`, and are not `except`; fewer
    /// where there are not enough. Nobody without a stake is drawn, even where `minStake` is zero. Packed by 16 bits,
    /// the first drawn lowest; zero ends it.
    /// @dev Those are drawn who have the lowest keccak256(abi.encode(seed, id)), with its low 16 bits replaced by the id.
    /// So every committee is equally likely, and, for a seed, none depends on the order of the lists or on when it is
    /// drawn: who knows the seed can take his own validators out, whose seats go to the next lowest, and do nothing else.
    /// For that, `listedBefore` has to be a block that was over when the seed became known.
    /// @param size 1 to 16
    /// @param listedBefore a block number
    function draw(bytes32 seed, uint256 size, uint256 minStake, address except, uint256 listedBefore)
        external
        view
        returns (uint256 committee);

    /// @notice Those of `accounts` that are active, chose the caller as their rounds, have `minStake` (zero: none is
    /// needed) and are not `except`; in their order, packed likewise.
    /// @param accounts distinct, at most 16
    function eligible(address[] calldata accounts, uint256 minStake, address except)
        external
        view
        returns (uint256 committee);

    /// @notice 1 + the account's place in a packed committee; zero where it has none
    function seatOf(uint256 committee, address account) external view returns (uint256 seat);

    /// @notice the accounts of a packed committee, in its order
    function members(uint256 committee) external view returns (address[] memory);
}

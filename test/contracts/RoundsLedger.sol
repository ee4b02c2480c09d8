// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Contribution, IRounds} from "../../contracts/IRounds.sol";
import {Head, IModelRegistry} from "../../contracts/IModelRegistry.sol";
import {IRewards} from "../../contracts/IRewards.sol";
import {IValidatorRegistry} from "../../contracts/IValidatorRegistry.sol";
import {RewardToken} from "../../contracts/RewardToken.sol";
import {VerifierSpy} from "./VerifierSpy.sol";

interface Vm {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function roll(uint256 number) external;
    function warp(uint256 timestamp) external;
    function setBlockhash(uint256 number, bytes32 hash) external;
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function envOr(string calldata name, uint256 otherwise) external view returns (uint256);
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @notice What the players keep of a round, written down apart from the contracts.
/// @param locked of its deposit, while it has not ended
/// @param pot what its settler and its shareholders are paid from
/// @param shareholders bit i: the i-th validator is paid a share; paid: was
/// @param reward that was settled; minted: that was claimed of it
/// @param endsWith its votes' kind, which it was settled or rejected with
struct Play {
    uint256 model;
    Contribution contribution;
    bytes32 rowsRoot;
    bytes32 featuresRoot;
    bool overlaps;
    uint256 committedAt;
    address sponsor;
    uint256 bond;
    uint256 fee;
    uint256 locked;
    uint256 refund;
    uint256 pot;
    address settler;
    bool settlerPaid;
    uint256 shareholders;
    uint256 paid;
    uint256 candidate;
    uint256 reward;
    uint256 minted;
    uint256 claims;
    bool finalised;
    bool voided;
}

/// @notice What the players know: the contracts, what time it is, and all that was done before, written down apart from
/// the contracts.
/// @dev Time and height are kept here, because the optimiser takes block.timestamp for a constant.
abstract contract RoundsLedger {
    uint256 internal constant MODELS = 2;
    uint256 internal constant CAP = 400e18;
    uint256 internal constant STAKE = 1 ether;
    address internal constant OWNER = address(0x0E1);
    address internal constant TOKEN_OWNER = address(0x0E2);
    address internal constant GUARDIAN = address(0x0E3);
    address internal constant OUTSIDER = address(0x0E4);
    address internal constant RELAYER = address(0x0E5);
    address internal constant PAYEE = address(0x0E6);
    bytes32 internal constant DIGEST = "a row of every fold";

    IModelRegistry public modelRegistry;
    IValidatorRegistry public validatorRegistry;
    IRewards public rewards;
    IRounds public rounds;
    RewardToken public token;
    VerifierSpy internal spy;

    uint256 internal time = 1_000_000;
    uint256 internal height = 1_000;
    /// @dev What `clock` has to show, and until when it stands.
    uint256 public expectedClock;
    uint256 public pausedUntil;

    bytes32[2] public modelIds;
    uint256[2] public allocated;
    uint256[2] public awarded;
    Head[2] internal heads;
    /// @dev Whose turn it is, and since when by `clock`.
    bytes32[2] internal turnOf;
    uint256[2] internal turnSince;
    bytes32[][2] internal queues;
    uint256[2] internal fronts;

    bytes32[] public roundIds;
    mapping(bytes32 roundId => Play) internal plays;
    /// @dev Beside the one that may overlap, in a contribution's tree.
    mapping(bytes32 roundId => bytes32) internal otherLeaf;
    mapping(bytes32 roundId => mapping(address validator => uint256 kindPlusOne)) internal committedVotes;
    mapping(bytes32 roundId => mapping(address validator => bool)) internal revealedVotes;
    mapping(bytes32 modelId => mapping(bytes32 foldId => uint256)) internal drawnOn;
    mapping(bytes32 modelId => mapping(bytes32 foldId => bool)) internal acceptedOn;

    /// @dev By place; keys are places and 1,000 more.
    address[] public validators;
    mapping(address validator => uint256 placePlusOne) internal placeOf;
    address[3] internal contributors;
    uint256 internal foldsMade;
    uint256 public minted;

    string[] public moves;
    mapping(string move => uint256) public successes;

    function _rowLeaf(bytes32 digest, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(keccak256("hokusai.row"), digest, salt))));
    }

    function _node(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }

    function _trainingSetRoot(bytes32 previous, bytes32 dataRoot) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("hokusai.trainingSet"), previous, dataRoot));
    }

    function _field(bytes memory of_) internal pure returns (uint256) {
        return 1 + (uint256(keccak256(of_)) >> 8);
    }
}

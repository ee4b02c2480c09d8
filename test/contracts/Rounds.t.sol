// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {console} from "hardhat/console.sol";
import {Award} from "../../contracts/IRewards.sol";
import {FoldState, IRounds, Round, State} from "../../contracts/IRounds.sol";
import {Head} from "../../contracts/IModelRegistry.sol";
import {vm} from "./RoundsLedger.sol";
import {RoundsMoves} from "./RoundsMoves.sol";

/// @dev Here, because Hardhat finds no target in another file than the test's; the moves are abstract, so that they are
/// compiled with this file alone.
contract RoundsHandler is RoundsMoves {}

/// @notice What holds of the whole protocol after any sequence of moves. What has to hold of one move is asked by the
/// move itself, in the handler; its message begins with the move's name.
contract RoundsInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant MODELS = 2;
    /// @dev What costs too much after each move is looked at after every sixteenth.
    uint256 private constant SOMETIMES = 16;
    /// @dev How many names the handler counts successes under.
    uint256 private constant KINDS = 41;
    RoundsHandler private handler;
    string[] private names;
    mapping(string move => uint256) private total;

    function setUp() public {
        handler = new RoundsHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), handler.selectors());
    }

    /// @dev One campaign for all of them: Hardhat plays another for each invariant_ function.
    function invariant_afterEachMove() public view {
        mintedIsAllocatedAndBelowTheCap();
        budgetReservedAndAwardedIsAllocated();
        oneRoundHoldsTheSlot();
        headIsTheLastFinalisedRounds();
        clockStandsInAPause();
        stakesAreTheRegistrysBalance();
    }

    function afterInvariant() public {
        _requireLater();
    }

    /// @notice Each move succeeds often enough to have been tested. Plays whole sequences like the campaign above, which
    /// cannot print what it did.
    function test_everyMoveSucceeds() public {
        uint256 sequences = vm.envOr("SEQUENCES", 8);
        for (uint256 s = 0; s < sequences; s++) {
            if (s > 0) setUp();
            bytes4[] memory selectors = handler.selectors();
            for (uint256 i = 0; i < 512; i++) {
                uint256 bits = uint256(keccak256(abi.encode("play", s, i)));
                this.playOne(selectors[bits % 64], bits >> 8, i % SOMETIMES == 0);
            }
            this.afterInvariant();
            for (uint256 i = 0; i < handler.moveCount(); i++) {
                string memory name = handler.moves(i);
                if (total[name] == 0) names.push(name);
                total[name] += handler.successes(name);
            }
        }
        uint256 fewest = type(uint256).max;
        for (uint256 k = 0; k < names.length; k++) {
            console.log(total[names[k]], names[k]);
            if (total[names[k]] < fewest) fewest = total[names[k]];
        }
        require(names.length == KINDS, "a move that never succeeds");
        require(sequences < 20 || fewest >= sequences / 10, "a move that hardly ever succeeds");
    }

    /// @dev In a frame of its own, whose memory is given back.
    function playOne(bytes4 selector, uint256 seed, bool all) external {
        (bool ok, bytes memory result) = address(handler).call(abi.encodeWithSelector(selector, seed));
        if (!ok) {
            assembly {
                revert(add(result, 32), mload(result))
            }
        }
        invariant_afterEachMove();
        if (all) everyRoundIsOwedWhatItTook();
    }

    function mintedIsAllocatedAndBelowTheCap() public view {
        uint256 supply = handler.token().totalSupply();
        require(supply == handler.minted(), "minted without a claim");
        require(supply <= handler.awarded(0) + handler.awarded(1), "minted more than was awarded");
        uint256 allocated = handler.rewards().allocated(address(handler.token()));
        require(supply <= allocated && allocated <= handler.token().cap(), "minted more than was allocated");
        require(allocated == handler.allocated(0) + handler.allocated(1), "allocated");
    }

    function budgetReservedAndAwardedIsAllocated() public view {
        for (uint256 m = 0; m < MODELS; m++) {
            bytes32 modelId = handler.modelIds(m);
            bytes32 slot = handler.rounds().slot(modelId);
            uint256 reserved = slot == 0 ? 0 : handler.rewards().awardOf(modelId, slot).reserved;
            uint256 budget = handler.rewards().budget(modelId);
            require(budget + reserved + handler.awarded(m) == handler.allocated(m), "budget");
        }
    }

    function oneRoundHoldsTheSlot() public view {
        for (uint256 m = 0; m < MODELS; m++) {
            bytes32 slot = handler.rounds().slot(handler.modelIds(m));
            if (slot == 0) continue;
            State state = handler.rounds().round(slot).state;
            require(state == State.OPEN || state == State.VOTING || state == State.SETTLED, "slot not given back");
        }
    }

    function headIsTheLastFinalisedRounds() public view {
        for (uint256 m = 0; m < MODELS; m++) {
            Head memory head = handler.modelRegistry().head(handler.modelIds(m));
            (uint256 modelCommitment, bytes32 trainingSetRoot) = handler.headOf(m);
            require(head.modelCommitment == modelCommitment, "head moved");
            require(head.trainingSetRoot == trainingSetRoot, "training set moved");
        }
    }

    function clockStandsInAPause() public view {
        require(handler.rounds().clock() == handler.expectedClock(), "clock");
    }

    function stakesAreTheRegistrysBalance() public view {
        uint256 sum = 0;
        for (uint256 i = 0; i < handler.validatorCount(); i++) {
            sum += handler.validatorRegistry().validator(handler.validators(i)).stake;
        }
        require(address(handler.validatorRegistry()).balance == sum, "stakes");
    }

    function everyRoundIsOwedWhatItTook() public view {
        uint256 sum = 0;
        for (uint256 i = 0; i < handler.roundCount(); i++) {
            bytes32 roundId = handler.roundIds(i);
            sum += handler.lockedIn(roundId);
            address[] memory accounts = handler.interestedIn(roundId);
            for (uint256 j = 0; j < accounts.length; j++) {
                if (_isRepeated(accounts, j)) continue;
                uint256 owed = handler.rounds().withdrawable(roundId, accounts[j]);
                require(owed == handler.owed(roundId, accounts[j]), "owed");
                sum += owed;
            }
        }
        require(address(handler.rounds()).balance == sum, "Rounds' balance");
    }

    function onlyFinalisedRoundsAreAwarded() public view {
        for (uint256 i = 0; i < handler.roundCount(); i++) {
            bytes32 roundId = handler.roundIds(i);
            Round memory r = handler.rounds().round(roundId);
            (uint256 reward, uint256 paid, bool finalised, bool voided) = handler.playOf(roundId);
            Award memory award = handler.rewards().awardOf(r.modelId, roundId);
            require(award.awarded == finalised && (r.state == State.FINALISED) == finalised, "awarded");
            require(paid <= (finalised ? reward : 0), "paid more than was settled, or of a void round");
            if (voided) require(award.reserved == 0, "kept by a void round");
            if (voided) require(r.state == State.VOIDED || r.state == State.REJECTED, "void");
            if (finalised) require(award.reserved == reward, "another reward than was settled");
            bool holds = r.state == State.OPEN || r.state == State.VOTING || r.state == State.SETTLED;
            require(holds == (handler.rounds().slot(r.modelId) == roundId), "two in one slot");
        }
    }

    function foldsAreDrawnAsOftenAsIsRecorded() public view {
        for (uint256 i = 0; i < handler.roundCount(); i++) {
            Round memory r = handler.rounds().round(handler.roundIds(i));
            if (r.foldId == 0) continue;
            FoldState memory state = handler.rounds().foldState(r.modelId, r.foldId);
            (uint256 drawn, bool accepted) = handler.foldUse(r.modelId, r.foldId);
            require(state.rounds == drawn && state.accepted == accepted, "fold");
        }
    }

    /// @dev What is asked at the end of a sequence; the last of it changes everything.
    function _requireLater() private {
        everyRoundIsOwedWhatItTook();
        onlyFinalisedRoundsAreAwarded();
        foldsAreDrawnAsOftenAsIsRecorded();
        handler.drain();
        budgetReservedAndAwardedIsAllocated();
    }

    function _isRepeated(address[] memory accounts, uint256 j) private pure returns (bool) {
        for (uint256 i = 0; i < j; i++) {
            if (accounts[i] == accounts[j]) return true;
        }
        return false;
    }
}

/// @notice What the campaign found, played on purpose.
contract RoundsFoundTest is RoundsMoves {
    /// @dev `cancel` moves the queue over a bounded number of entries that were cancelled. Behind more of them, the round
    /// in turn passed for one that waits: it left for free, and without giving the next its time.
    function test_attack_leaveTheTurnBehindEntriesLeftToBeSkipped() public move {
        bytes32 holder = _commit(0, 1);
        _roll(1);
        require(_open(holder, 1), "open");
        bytes32[] memory piled = new bytes32[](40);
        for (uint256 i = 0; i < piled.length; i++) {
            piled[i] = _commit(0, 2 + i);
        }
        bytes32 attacker = _commit(0, 100);
        bytes32 victim = _commit(0, 101);
        for (uint256 i = piled.length; i > 0; i--) {
            require(_cancelBy(piled[i - 1], plays[piled[i - 1]].sponsor), "cancel");
        }
        _until(rounds.round(holder).deadline + 1);
        require(_expire(holder), "expire");

        require(!_cancelBy(attacker, plays[attacker].sponsor), "left its turn");
        _until(expectedClock + 2 hours + 1);
        _asRounds(OUTSIDER, 0, abi.encodeCall(IRounds.skip, (modelIds[0], 40)));
        require(_expire(attacker) && !_expire(victim), "the next has a whole turn");
        _roll(1);
        require(_open(victim, 1), "and can use it");
    }
}

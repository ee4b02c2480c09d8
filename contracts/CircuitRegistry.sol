// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ContractCode} from "./ContractCode.sol";
import {Groth16, Proof} from "./Groth16.sol";
import {ICircuitRegistry} from "./ICircuitRegistry.sol";

/// @title The verification keys of circuits, written once
contract CircuitRegistry is ICircuitRegistry {
    /// @dev x of the generator of G2; with the same x, y can only be the generator's or its negative, and both are known.
    uint256 private constant G2_X1 = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant G2_X0 = 10857046999023057135944570762232829481370756359578518086990519993285655852781;

    mapping(bytes32 circuitId => address) private keys;

    /// @inheritdoc ICircuitRegistry
    function register(bytes calldata key, uint256 publicSignals) external returns (bytes32 circuitId) {
        uint256 words = Groth16.FIXED_WORDS + 2 * (publicSignals + 1);
        if (key.length != 32 * words) revert CircuitRegistryKeyLength(publicSignals, 32 * words, key.length);
        circuitId = keccak256(key);
        if (keys[circuitId] != address(0)) revert CircuitRegistryAlreadyRegistered(circuitId);
        checkPoints(key, words);
        keys[circuitId] = ContractCode.write(key);
        emit CircuitRegistered(circuitId, publicSignals);
    }

    /// @inheritdoc ICircuitRegistry
    function verify(bytes32 circuitId, Proof calldata proof, uint256[] calldata publicSignals)
        external
        view
        returns (bool)
    {
        bytes memory key = verificationKey(circuitId);
        requireLength(circuitId, key, publicSignals);
        return Groth16.verify(key, proof, publicSignals);
    }

    /// @inheritdoc ICircuitRegistry
    function verifyAll(bytes32 circuitId, Proof[] calldata proofs, uint256[][] calldata publicSignals)
        external
        view
        returns (bool)
    {
        bytes memory key = verificationKey(circuitId);
        if (proofs.length == 0 || proofs.length != publicSignals.length) {
            revert CircuitRegistryProofs(proofs.length, publicSignals.length);
        }
        for (uint256 i = 0; i < proofs.length; i++) {
            requireLength(circuitId, key, publicSignals[i]);
        }
        // All that is verified, the key by its hash, is in the call.
        return Groth16.verifyAll(key, proofs, publicSignals, keccak256(msg.data));
    }

    /// @inheritdoc ICircuitRegistry
    function verificationKey(bytes32 circuitId) public view returns (bytes memory) {
        address pointer = keys[circuitId];
        if (pointer == address(0)) revert CircuitRegistryUnknownCircuit(circuitId);
        return ContractCode.read(pointer);
    }

    function requireLength(bytes32 circuitId, bytes memory key, uint256[] calldata publicSignals) private pure {
        uint256 expected = (key.length / 32 - Groth16.FIXED_WORDS) / 2 - 1;
        if (publicSignals.length != expected) {
            revert CircuitRegistryPublicSignals(circuitId, expected, publicSignals.length);
        }
    }

    /// @dev An infinite point would leave a part of the statement unchecked; a bad one would make every proof fail.
    function checkPoints(bytes memory key, uint256 words) private view {
        uint256 deltaX1 = Groth16.word(key, Groth16.DELTA);
        uint256 deltaX0 = Groth16.word(key, Groth16.DELTA + 1);
        bool sameAsGamma =
            deltaX1 == Groth16.word(key, Groth16.GAMMA) && deltaX0 == Groth16.word(key, Groth16.GAMMA + 1);
        if (sameAsGamma || (deltaX1 == G2_X1 && deltaX0 == G2_X0)) revert CircuitRegistryUnsafeDelta(deltaX1, deltaX0);
        for (uint256 first = 0; first < words;) {
            bool inG2 = first >= Groth16.BETA && first < Groth16.FIXED_WORDS;
            if (!isFinitePoint(key, first, inG2)) revert CircuitRegistryBadPoint(first);
            first += inG2 ? 4 : 2;
        }
    }

    /// @dev A pairing with the other argument at infinity succeeds exactly when the point is in its group.
    function isFinitePoint(bytes memory key, uint256 first, bool inG2) private view returns (bool valid) {
        uint256[6] memory pair;
        uint256 any;
        for (uint256 i = 0; i < (inG2 ? 4 : 2); i++) {
            pair[inG2 ? 2 + i : i] = Groth16.word(key, first + i);
            any |= Groth16.word(key, first + i);
        }
        assembly ("memory-safe") {
            valid := staticcall(gas(), 8, pair, 192, 0, 32)
        }
        return valid && any != 0;
    }
}

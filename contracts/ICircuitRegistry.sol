// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Proof} from "./Groth16.sol";

/// @title The verification keys of circuits, written once
/// @notice Anybody may register a key. A circuitId is the hash of its key, so nobody can put another in its place;
/// whether a circuitId is the circuit it is said to be is checked by compiling the circuit, off-chain, before a policy
/// names it.
interface ICircuitRegistry {
    /// @notice A circuit's key was registered.
    /// @param circuitId     keccak256 of the key's words
    /// @param publicSignals how many public signals its proofs have
    event CircuitRegistered(bytes32 indexed circuitId, uint256 publicSignals);

    /// @notice The key's length does not fit: 14 words and two for each of publicSignals + 1 points.
    error CircuitRegistryKeyLength(uint256 publicSignals, uint256 expectedBytes, uint256 actualBytes);
    /// @notice delta equals gamma, or is the generator of G2 because phase 2 of the set-up never took place: with such a
    /// key anybody can prove anything.
    error CircuitRegistryUnsafeDelta(uint256 deltaX1, uint256 deltaX0);
    /// @notice The point that begins at this word is infinity, not on the curve, or not in its group.
    error CircuitRegistryBadPoint(uint256 word);
    error CircuitRegistryAlreadyRegistered(bytes32 circuitId);
    error CircuitRegistryUnknownCircuit(bytes32 circuitId);
    error CircuitRegistryPublicSignals(bytes32 circuitId, uint256 expected, uint256 actual);
    error CircuitRegistryProofs(uint256 proofs, uint256 statements);

    /// @notice Registers the verification key of a circuit.
    /// @param key           32-byte words: alpha (G1), beta, gamma, delta (G2, imaginary parts first), IC[0..n] (G1)
    /// @param publicSignals n, said separately so that a key of the wrong length is refused
    /// @return circuitId keccak256(key)
    function register(bytes calldata key, uint256 publicSignals) external returns (bytes32 circuitId);

    /// @notice Whether `proof` proves the statement that `publicSignals` make.
    /// @dev Reverts only for an unknown circuit or the wrong number of signals; any bad proof gives false.
    function verify(bytes32 circuitId, Proof calldata proof, uint256[] calldata publicSignals)
        external
        view
        returns (bool);

    /// @notice Whether all `proofs`, of one circuit, prove the statements that their public signals make, in one check.
    /// @dev Reverts as `verify` does, and where there is not one list of signals for each of one proof or more.
    function verifyAll(bytes32 circuitId, Proof[] calldata proofs, uint256[][] calldata publicSignals)
        external
        view
        returns (bool);

    /// @notice The registered key of a circuit.
    function verificationKey(bytes32 circuitId) external view returns (bytes memory key);
}

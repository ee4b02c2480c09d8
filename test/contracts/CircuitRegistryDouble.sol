// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitRegistry, Proof} from "../../contracts/ICircuitRegistry.sol";

/// @notice Stands in for the verifier where a test is about the round and not about the proof. A "proof" is the hash of
/// what it proves, so one made for other public signals fails here as a real one would.
contract CircuitRegistryDouble {
    bytes32 public constant CIRCUIT_ID = keccak256("a circuit");

    function verify(bytes32 circuitId, Proof calldata proof, uint256[] calldata publicSignals)
        public
        pure
        returns (bool)
    {
        if (circuitId != CIRCUIT_ID) revert ICircuitRegistry.CircuitRegistryUnknownCircuit(circuitId);
        return proof.a[0] == uint256(keccak256(abi.encode(publicSignals)));
    }

    function verifyAll(bytes32 circuitId, Proof[] calldata proofs, uint256[][] calldata publicSignals)
        external
        pure
        returns (bool valid)
    {
        valid = true;
        for (uint256 i = 0; i < proofs.length && valid; i++) {
            valid = verify(circuitId, proofs[i], publicSignals[i]);
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Proof} from "../../contracts/ICircuitRegistry.sol";
import {Vote} from "../../contracts/IRounds.sol";
import {CircuitRegistryDouble} from "./CircuitRegistryDouble.sol";

/// @notice A verifier that knows what was voted, and refuses by name what was not. It cannot write down what it sees,
/// because it is called statically.
contract VerifierSpy {
    error SpyUnvotedRoots();

    CircuitRegistryDouble private immutable double = new CircuitRegistryDouble();
    bytes32 public immutable CIRCUIT_ID = double.CIRCUIT_ID();
    Vote private voted;
    bool private quorum;
    uint256 private labelsRoot;
    uint256 private context;

    /// @notice What the next proof may be about, and whether a quorum voted for it.
    function expect(Vote calldata voted_, bool quorum_, uint256 labelsRoot_, uint256 context_) external {
        (voted, quorum, labelsRoot, context) = (voted_, quorum_, labelsRoot_, context_);
    }

    function verify(bytes32 circuitId, Proof calldata proof, uint256[] calldata signals) external view returns (bool) {
        bool same = signals[1] == labelsRoot && signals[2] == voted.baselinePredictionsRoot
            && signals[3] == voted.candidatePredictionsRoot && signals[signals.length - 1] == context;
        if (!quorum || !same) revert SpyUnvotedRoots();
        return double.verify(circuitId, proof, signals);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRounds, State} from "./IRounds.sol";

/// @notice What is attested of a round, in the order of the schema.
/// @param modelCommitment of the candidate, the model's head once the round was final
/// @param parentCommitment of the head that it was compared with
struct RoundAttestation {
    bytes32 roundId;
    bytes32 modelId;
    bytes32 dataRoot;
    bytes32 foldId;
    int256 deltaOneBps;
    int256 payableBps;
    uint256 modelCommitment;
    uint256 parentCommitment;
}

/// @title What the Ethereum Attestation Service may say of rounds
/// @notice Anybody attests; an attestation is taken if it says what the Rounds contract keeps of a final round, names the
/// contributor as its recipient, and refers to the attestation of the round that made the head it was compared with
/// (to none where that was the model's first). So the attestations of a model line are a chain that explorers of EAS can
/// follow, and there is one for each round. They neither expire nor can be revoked.
interface IAttestationResolver {
    error AttestationResolverWrongSchema(bytes32 expected, bytes32 actual);
    error AttestationResolverNotFinal(bytes32 roundId, State state);
    error AttestationResolverTwice(bytes32 roundId, bytes32 uid);
    /// @notice the round before has to be attested first
    error AttestationResolverParentMissing(bytes32 roundId, bytes32 parentRound);
    error AttestationResolverWrongParent(bytes32 expected, bytes32 actual);
    error AttestationResolverWrongRecipient(address expected, address actual);
    error AttestationResolverExpires(uint64 expirationTime);
    error AttestationResolverMismatch(bytes32 roundId, bytes expected, bytes actual);

    /// @notice To be registered at EAS's SchemaRegistry with this contract as its resolver, irrevocable.
    function SCHEMA() external view returns (string memory);

    /// @notice what SchemaRegistry calls it then
    function schemaId() external view returns (bytes32);

    function rounds() external view returns (IRounds);

    /// @notice the attestation of a round; zero before there is one
    function uidOf(bytes32 roundId) external view returns (bytes32);
}

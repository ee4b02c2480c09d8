// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IEAS} from "@ethereum-attestation-service/eas-contracts/contracts/IEAS.sol";
import {Attestation} from "@ethereum-attestation-service/eas-contracts/contracts/Common.sol";
import {SchemaResolver} from "@ethereum-attestation-service/eas-contracts/contracts/resolver/SchemaResolver.sol";
import {IAttestationResolver, RoundAttestation} from "./IAttestationResolver.sol";
import {IRounds, Round, State} from "./IRounds.sol";

contract AttestationResolver is SchemaResolver, IAttestationResolver {
    /// @inheritdoc IAttestationResolver
    string public constant SCHEMA = "bytes32 roundId,bytes32 modelId,bytes32 dataRoot,bytes32 foldId,int256 deltaOneBps,"
        "int256 payableBps,uint256 modelCommitment,uint256 parentCommitment";

    /// @inheritdoc IAttestationResolver
    IRounds public immutable rounds;
    /// @inheritdoc IAttestationResolver
    mapping(bytes32 roundId => bytes32) public uidOf;

    constructor(IEAS eas, IRounds rounds_) SchemaResolver(eas) {
        rounds = rounds_;
    }

    /// @inheritdoc IAttestationResolver
    function schemaId() public view returns (bytes32) {
        return keccak256(abi.encodePacked(SCHEMA, address(this), false));
    }

    /// @dev Reverts with what is wrong instead of returning false, of which EAS would say nothing but `InvalidAttestation`.
    function onAttest(Attestation calldata attestation, uint256) internal override returns (bool) {
        if (attestation.schema != schemaId()) revert AttestationResolverWrongSchema(schemaId(), attestation.schema);
        RoundAttestation memory stated = abi.decode(attestation.data, (RoundAttestation));
        Round memory r = rounds.round(stated.roundId);
        if (r.state != State.FINALISED) revert AttestationResolverNotFinal(stated.roundId, r.state);
        if (uidOf[stated.roundId] != 0) revert AttestationResolverTwice(stated.roundId, uidOf[stated.roundId]);
        bytes32 parent = r.parentRound == 0 ? bytes32(0) : uidOf[r.parentRound];
        if (r.parentRound != 0 && parent == 0) revert AttestationResolverParentMissing(stated.roundId, r.parentRound);
        if (attestation.refUID != parent) revert AttestationResolverWrongParent(parent, attestation.refUID);
        if (attestation.recipient != r.contributor) {
            revert AttestationResolverWrongRecipient(r.contributor, attestation.recipient);
        }
        if (attestation.expirationTime != 0) revert AttestationResolverExpires(attestation.expirationTime);
        bytes memory expected = abi.encode(
            RoundAttestation(
                stated.roundId,
                r.modelId,
                r.dataRoot,
                r.foldId,
                r.deltaOneBps,
                r.payableBps,
                r.candidateCommitment,
                r.headCommitment
            )
        );
        if (keccak256(attestation.data) != keccak256(expected)) {
            revert AttestationResolverMismatch(stated.roundId, expected, attestation.data);
        }
        uidOf[stated.roundId] = attestation.uid;
        return true;
    }

    /// @dev Never called: the schema is irrevocable.
    function onRevoke(Attestation calldata, uint256) internal pure override returns (bool) {
        return false;
    }
}
